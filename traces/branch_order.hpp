#pragma once
/// What the parts of a branch waited for, found from when they began and ended.
///
/// A part waits for what ended before it began, except for what is already before that: parts that overlap run side by
/// side, and what begins after them joins them all.
///
///   BranchOrder order({{}, arrival});
///   for (each part, by beginning) {
///     const BranchExit before = order.before(part.begin);   // its steps are what the part waits for
///     order.add(part.begin, part.end, {steps, end});
///   }
///   return order.before(sim::Time::never());                // of the whole branch

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/core/time.hpp"

namespace tokenyard::traces {

/// The last steps of a part of a task, and when the last of them ended.
struct BranchExit {
  std::vector<std::uint32_t> steps;
  sim::Time end;
};

class BranchOrder {
 public:
  explicit BranchOrder(BranchExit before) : before_(std::move(before)) {}

  /// Parts come in order of `begin`; one without steps is as if it were not there. O(log parts that run).
  void add(sim::Time begin, sim::Time end, BranchExit exit) {
    if (exit.steps.empty()) return;
    running_.push_back({begin, end, parts_++, std::move(exit)});
    std::push_heap(running_.begin(), running_.end(), ends_later);
  }

  /// What a part that begins at `date` waits for; dates do not decrease. O(parts it waits for), and amortised O(log) of
  /// those that have ended since the last time.
  BranchExit before(sim::Time date) {
    const bool more = !running_.empty() && running_.front().end <= date;
    while (!running_.empty() && running_.front().end <= date) {
      std::pop_heap(running_.begin(), running_.end(), ends_later);
      last_begin_ = std::max(last_begin_, running_.back().begin);
      ended_.push_back(std::move(running_.back()));
      running_.pop_back();
    }
    if (ended_.empty()) return before_;
    if (more) {
      // What ended before the last one began is before it, now and for all later dates.
      std::erase_if(ended_, [&](const Part& part) { return part.end <= last_begin_ && part.begin != last_begin_; });
      std::sort(ended_.begin(), ended_.end(), [](const Part& a, const Part& b) { return a.number < b.number; });
    }
    BranchExit joined;
    for (const Part& part : ended_) {
      joined.steps.insert(joined.steps.end(), part.exit.steps.begin(), part.exit.steps.end());
      joined.end = std::max(joined.end, part.exit.end);
    }
    return joined;
  }

 private:
  struct Part {
    sim::Time begin, end;
    std::uint64_t number = 0;  ///< in the order in which they came
    BranchExit exit;
  };
  static bool ends_later(const Part& a, const Part& b) { return a.end > b.end; }

  BranchExit before_;
  std::vector<Part> running_;  ///< a heap: the first to end in front
  std::vector<Part> ended_;
  sim::Time last_begin_;  ///< of those that have ended
  std::uint64_t parts_ = 0;
};

}  // namespace tokenyard::traces
