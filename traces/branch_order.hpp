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

  /// Parts come in order of `begin`; one without steps is as if it were not there.
  void add(sim::Time begin, sim::Time end, BranchExit exit) {
    if (!exit.steps.empty()) parts_.push_back({begin, end, std::move(exit)});
  }

  /// What a part that begins at `date` waits for; dates do not decrease. O(parts that ran side by side).
  BranchExit before(sim::Time date) {
    sim::Time last_begin;
    bool any = false;
    for (const Part& part : parts_) {
      if (part.end > date) continue;
      last_begin = any ? std::max(last_begin, part.begin) : part.begin;
      any = true;
    }
    if (!any) return before_;
    // What ended before the last one began is before it, now and for all later dates.
    std::erase_if(parts_, [&](const Part& part) { return part.end <= last_begin && part.begin != last_begin; });
    BranchExit joined;
    for (const Part& part : parts_) {
      if (part.end > date) continue;
      joined.steps.insert(joined.steps.end(), part.exit.steps.begin(), part.exit.steps.end());
      joined.end = std::max(joined.end, part.exit.end);
    }
    return joined;
  }

 private:
  struct Part {
    sim::Time begin, end;
    BranchExit exit;
  };
  BranchExit before_;
  std::vector<Part> parts_;
};

}  // namespace tokenyard::traces
