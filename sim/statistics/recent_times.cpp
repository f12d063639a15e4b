#include "sim/statistics/recent_times.hpp"

#include <algorithm>

namespace tokenyard::sim {

void RecentTimes::add(Time duration) {
  if (ring_.size() < kWindow) {
    ring_.push_back(duration);
  } else {
    sum_ -= ring_[oldest_];
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), ring_[oldest_]));
    ring_[oldest_] = duration;
    oldest_ = (oldest_ + 1) % kWindow;
  }
  sum_ += duration;
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), duration), duration);
}

Time RecentTimes::mean() const {
  return size() == 0 ? Time() : Time::nanoseconds(sum_.ns() / static_cast<std::int64_t>(size()));
}

}  // namespace tokenyard::sim
