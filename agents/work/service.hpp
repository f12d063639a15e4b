#pragma once
/// A tool or a team of people that serves so many at a time: first come, first served.
///
/// Capacity 0 means unlimited: every job begins at once. The caller keeps the clock: `arrive` and `finish` say whose
/// service begins now, and the caller lets it end after its duration. O(1) per job, amortised.
///
///   Service desk(2);
///   if (desk.arrive({walk, duration})) begin(walk, duration);
///   …at its end:  if (auto next = desk.finish()) begin(next->walk, next->duration);

#include <cstdint>
#include <deque>
#include <optional>

#include "sim/core/time.hpp"

namespace tokenyard::agents {

class Service {
 public:
  struct Job {
    std::uint32_t walk = 0;
    sim::Time duration;
  };

  explicit Service(std::int64_t capacity) : capacity_(capacity) {}

  /// True if the job begins now; otherwise it waits.
  bool arrive(const Job& job) {
    if (capacity_ > 0 && busy_ >= capacity_) {
      waiting_.push_back(job);
      return false;
    }
    ++busy_;
    return true;
  }
  /// A job has ended; the one returned begins now.
  std::optional<Job> finish() {
    if (waiting_.empty()) {
      --busy_;
      return {};
    }
    const Job next = waiting_.front();
    waiting_.pop_front();
    return next;
  }

  std::int64_t busy() const { return busy_; }
  std::size_t waiting() const { return waiting_.size(); }
  std::int64_t capacity() const { return capacity_; }

 private:
  std::int64_t capacity_;
  std::int64_t busy_ = 0;
  std::deque<Job> waiting_;
};

}  // namespace tokenyard::agents
