#include "analysis/compare/pairing.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/measured/sample_statistics.hpp"

namespace tokenyard::analysis {

PairedTable pair(const ResultTable& base, const ResultTable& other) {
  PairedTable paired;
  std::vector<std::pair<std::size_t, std::size_t>> rows;
  std::size_t a = 0, b = 0;
  while (a < base.ids.size() && b < other.ids.size()) {
    if (base.ids[a] == other.ids[b]) {
      paired.moved += base.arrival_s[a] == other.arrival_s[b] ? 0 : 1;
      rows.emplace_back(a++, b++);
    } else {
      ++(base.ids[a] < other.ids[b] ? a : b);
    }
  }
  paired.pairs = rows.size();
  paired.only_base = base.ids.size() - rows.size();
  paired.only_other = other.ids.size() - rows.size();
  // Ids of retried or sub-agent work need not follow the arrivals, whose neighbours the batches keep together.
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const auto& x, const auto& y) { return base.arrival_s[x.first] < base.arrival_s[y.first]; });
  std::vector<double> differences;
  for (std::size_t f = 0; f < base.figures.size(); ++f) {
    const auto twin = std::find(other.figures.begin(), other.figures.end(), base.figures[f]);
    if (twin == other.figures.end()) continue;
    const std::vector<double>& left = base.values[f];
    const std::vector<double>& right = other.values[static_cast<std::size_t>(twin - other.figures.begin())];
    PairedFigure figure{.name = base.figures[f]};
    std::vector<double> ours, theirs;
    differences.clear();
    bool zero = true;
    for (const auto& [x, y] : rows) {
      if (std::isnan(left[x]) || std::isnan(right[y])) continue;
      differences.push_back(right[y] - left[x]);
      ours.push_back(left[x]);
      theirs.push_back(right[y]);
      zero = zero && left[x] == 0 && right[y] == 0;
    }
    if (differences.empty() || zero) continue;
    figure.base_mean = mean_of(ours);
    figure.other_mean = mean_of(theirs);
    figure.base_p95 = quantile_of(std::move(ours), 0.95);
    figure.other_p95 = quantile_of(std::move(theirs), 0.95);
    figure.difference = sim::batch_mean_interval(differences);
    paired.figures.push_back(std::move(figure));
  }
  return paired;
}

}  // namespace tokenyard::analysis
