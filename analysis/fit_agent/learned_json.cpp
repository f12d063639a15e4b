#include "analysis/fit_agent/learned_json.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace tokenyard::analysis {

sim::Json agent_head(const Observed& observed, const std::string& name, const std::string& source,
                     const std::string& title, std::size_t tasks) {
  return {{"schema", "tokenyard.agent/1"},
          {"name", name},
          {"title", fmt::format("{}, {}", observed.agent, title)},
          {"source", source},
          {"note", fmt::format("Learned from {} tasks. Evidence: M measured, with the sample and the 95 % "
                               "interval of its mean.",
                               tasks)},
          {"template_tokens", 0}};
}

std::string measured(const FittedDistribution& fit) {
  return fmt::format("M: {} of {}, mean {:.4g} ± {:.2g}", fit.family, fit.n, fit.mean, fit.half_width);
}

std::vector<double> probabilities_of(const std::vector<double>& counts) {
  const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> probabilities;
  double given = 0;
  for (std::size_t i = 0; i + 1 < counts.size(); ++i) {
    probabilities.push_back(std::round(counts[i] / sum * 1e6) / 1e6);
    given += probabilities.back();
  }
  probabilities.push_back(std::max(0.0, std::round((1 - given) * 1e9) / 1e9));
  return probabilities;
}

}  // namespace tokenyard::analysis
