#pragma once
/// series.csv, thinned while it is read: what a chart of each pool over time needs, in bounded memory.
///
/// A pool's samples are kept in at most `kMaxBins` bins of equally many samples each; when they are full, neighbours
/// are joined in pairs. A bin holds the least, mean and greatest value, so that a peak of one second survives in a
/// year's run. Cost: one pass over the file.
///
///   for (const PoolSeries& pool : read_pool_series(folder / "series.csv"))
///     for (const SeriesBin& bin : pool.bins) bin.values[kWaiting].greatest;

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tokenyard::analysis {

/// The measured columns of series.csv, in its order.
enum SeriesColumn : std::uint8_t {
  kRunning,
  kWaiting,
  kKvUtilization,
  kBusy,
  kBatchTokensPerS,
  kOutputTokensPerS,
  kPowerW
};
inline constexpr std::size_t kSeriesColumns = 7;

struct SeriesBin {
  struct Value {
    double least = 0, sum = 0, greatest = 0;
    std::uint64_t count = 0;  ///< samples with a value: an unknown power has none
    double mean() const { return sum / static_cast<double>(count); }
    void join(const Value& other);
  };
  double from_s = 0, to_s = 0;  ///< the first and the last sample
  std::array<Value, kSeriesColumns> values;
  double middle_s() const { return (from_s + to_s) / 2; }
  void join(const SeriesBin& next);
};

struct PoolSeries {
  static constexpr std::size_t kMaxBins = 480;  ///< even

  std::string pool;
  std::vector<SeriesBin> bins;
  std::uint64_t samples = 0;
  std::uint64_t samples_per_bin = 1;  ///< the last bin may hold fewer

  /// Joins pairs of bins until there are at most `most` (at least 1).
  void thin(std::size_t most);
  /// Least, mean and greatest over all bins.
  SeriesBin whole() const;
};

/// Pools in the order in which they appear. Throws sim::InputError with the line of the first row that is not one.
std::vector<PoolSeries> read_pool_series(const std::filesystem::path& path);

}  // namespace tokenyard::analysis
