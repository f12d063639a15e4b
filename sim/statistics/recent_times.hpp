#pragma once
/// The last 256 durations of a kind, with their mean and, in order, their distribution. O(window) to add, O(1) to read.
///
///   RecentTimes waits;
///   waits.add(Time::seconds(2));
///   const Time median = waits.sorted()[waits.size() / 2];

#include <cstddef>
#include <vector>

#include "sim/core/time.hpp"

namespace tokenyard::sim {

class RecentTimes {
 public:
  void add(Time duration);
  std::size_t size() const { return sorted_.size(); }
  /// 0 of none.
  Time mean() const;
  const std::vector<Time>& sorted() const { return sorted_; }

 private:
  static constexpr std::size_t kWindow = 256;
  std::vector<Time> ring_, sorted_;
  std::size_t oldest_ = 0;
  Time sum_;
};

}  // namespace tokenyard::sim
