#pragma once
/// Quantiles of a stream of durations, without keeping them.
///
/// A log-linear histogram over whole numbers (as HdrHistogram does): 1024 buckets per power of two, so a quantile is
/// off by at most 1/2048 = 0.05 % of its value; sum, count and maximum are exact. Counts are integers: merging and the
/// order of insertion change nothing, and `add_run` files a whole arithmetic sequence of values at once, bit-identical
/// to adding them one by one. 8 KiB per power of two that occurs.
///
///   QuantileSketch sketch;  sketch.add(FineTime(Time::milliseconds(20)));
///   sketch.quantile_s(0.99);

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "sim/core/time.hpp"

namespace tokenyard::sim {

class QuantileSketch {
 public:
  /// Negative values count as 0.
  void add(FineTime value, std::uint64_t times = 1);
  void add(Time value, std::uint64_t times = 1) { add(FineTime(value), times); }
  /// Adds first, first + increment, …, `count` values, each `times` times; increment >= 0. O(buckets crossed).
  void add_run(FineTime first, FineTime increment, std::uint64_t count, std::uint64_t times);
  void merge(const QuantileSketch& other);

  std::uint64_t count() const { return count_; }
  /// Seconds; empty without samples. Nearest rank: the smallest value with at least q of the samples at or below it.
  std::optional<double> quantile_s(double q) const;
  std::optional<double> mean_s() const;
  std::optional<double> max_s() const;

 private:
  static constexpr unsigned kBits = 10;   ///< log2 of the buckets per power of two
  static constexpr unsigned kPages = 76;  ///< one per power of two above 2^kBits: values below 2^85 ticks
  using Page = std::array<std::uint64_t, std::size_t{1} << kBits>;
  struct Place {
    unsigned page, shift;
    std::size_t bucket;
  };
  template <class Integer>
  static Place place_of(Integer ticks);
  void count_at(const Place& place, std::uint64_t times);
  template <class Integer>
  void file(Integer value, Integer step, std::uint64_t count, std::uint64_t times);

  std::array<std::unique_ptr<Page>, kPages> pages_;  ///< of values in ticks of FineTime
  std::uint64_t count_ = 0;
  Int128 sum_ = 0;
  Int128 max_ = 0;
};

}  // namespace tokenyard::sim
