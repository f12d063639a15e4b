#include "analysis/result/pool_series.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/input/csv.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/numbers.hpp"
#include "sim/input/text.hpp"
#include "traces/readers/line_file.hpp"
#include "traces/writers/tables.hpp"

namespace tokenyard::analysis {
namespace {

/// Joins neighbours; the last of an odd number stays alone.
void halve(std::vector<SeriesBin>& bins) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < bins.size(); i += 2) {
    SeriesBin joined = bins[i];
    if (i + 1 < bins.size()) joined.join(bins[i + 1]);
    bins[kept++] = joined;
  }
  bins.resize(kept);
}

}  // namespace

void SeriesBin::Value::join(const Value& other) {
  if (other.count == 0) return;
  least = count == 0 ? other.least : std::min(least, other.least);
  greatest = count == 0 ? other.greatest : std::max(greatest, other.greatest);
  sum += other.sum;
  count += other.count;
}

void SeriesBin::join(const SeriesBin& next) {
  to_s = next.to_s;
  for (std::size_t i = 0; i < kSeriesColumns; ++i) values[i].join(next.values[i]);
}

void PoolSeries::thin(std::size_t most) {
  while (bins.size() > std::max<std::size_t>(1, most)) {
    halve(bins);
    samples_per_bin *= 2;
  }
}

SeriesBin PoolSeries::whole() const {
  SeriesBin whole;
  if (!bins.empty()) whole = bins.front();
  for (std::size_t i = 1; i < bins.size(); ++i) whole.join(bins[i]);
  return whole;
}

std::vector<PoolSeries> read_pool_series(const std::filesystem::path& path) {
  traces::LineFile file(path.string());
  std::vector<PoolSeries> pools;
  std::vector<std::string_view> fields;
  std::size_t expected = 0;  // rows of all pools alternate: the next row's pool is mostly the one after the last row's
  const auto refuse = [&](std::string_view line, const char* allowed) {
    throw sim::InputError({path.string(), fmt::format("line {}", file.number()), sim::shown_text(line), allowed});
  };
  std::string_view line;
  if (!file.next(line) || line != traces::kSeriesHeader) refuse(line, "the header of series.csv");
  while (file.next(line)) {
    SeriesBin sample;
    bool good = sim::split_csv(line, fields) && fields.size() == kSeriesColumns + 2 &&
                sim::read_number(fields[0], sample.from_s);
    for (std::size_t i = 0; good && i < kSeriesColumns; ++i) {
      double value = 0;
      if (fields[i + 2].empty()) continue;
      good = sim::read_number(fields[i + 2], value);
      sample.values[i] = {value, value, value, 1};
    }
    if (!good) refuse(line, "a row of series.csv: a time, a pool and seven numbers");
    sample.to_s = sample.from_s;
    const std::string name = sim::unquoted(fields[1]);
    if (expected >= pools.size() || pools[expected].pool != name) {
      const auto it =
          std::find_if(pools.begin(), pools.end(), [&](const PoolSeries& pool) { return pool.pool == name; });
      expected = static_cast<std::size_t>(it - pools.begin());
      if (it == pools.end()) pools.push_back({name, {}, 0, 1});
    }
    PoolSeries& pool = pools[expected];
    if (++expected == pools.size()) expected = 0;
    if (pool.samples++ % pool.samples_per_bin != 0) {
      pool.bins.back().join(sample);
      continue;
    }
    if (pool.bins.size() == PoolSeries::kMaxBins) {
      halve(pool.bins);
      pool.samples_per_bin *= 2;
    }
    pool.bins.push_back(sample);
  }
  return pools;
}

}  // namespace tokenyard::analysis
