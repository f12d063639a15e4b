#pragma once
/// What a reader refuses or leaves out: faults in strict mode, counts by reason when faulty things are skipped.
///
/// In strict mode `kMaxFaults` faults are collected before all are thrown at once. Reasons are told in the order in
/// which they occurred, behind those that the reader named beforehand, in its order. O(reasons) for what is left out.
///
///   FaultLog log(options.skip_faulty);
///   if (bad) return log.refuse({path, "line 3", "…", "…"}, "rows with bad token counts");
///   log.leave_out("plumbing spans");   // sound, but not to be played: counted in both modes
///   log.settle();

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/record/recorded_task.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::traces {

class FaultLog {
 public:
  static constexpr std::size_t kMaxFaults = 20;
  explicit FaultLog(bool skip_faulty, std::span<const std::string_view> reasons = {}) : skip_faulty_(skip_faulty) {
    for (const std::string_view reason : reasons) counts_.push_back({std::string(reason), 0});
  }

  /// In strict mode throws when there are many. Returns false.
  bool refuse(sim::Fault fault, std::string_view what) {
    if (skip_faulty_) {
      if (first_skipped_.empty()) first_skipped_ = std::move(fault.place);
      leave_out(what);
    } else if (!settled_) {
      faults_.add(std::move(fault.file), std::move(fault.place), std::move(fault.found), std::move(fault.allowed));
      if (faults_.size() < kMaxFaults) return false;
      faults_.add(faults_.list().back().file, "", fmt::format("{} faults; reading stopped there", kMaxFaults),
                  "a trace without them: mend these first, or leave faulty rows out (--skip-bad-rows)");
      faults_.throw_if_any();
    }
    return false;
  }
  void leave_out(std::string_view what, std::uint64_t count = 1) {
    if (count == 0 || settled_) return;
    const auto at =
        std::find_if(counts_.begin(), counts_.end(), [&](const agents::LeftOut& l) { return l.what == what; });
    if (at == counts_.end()) {
      counts_.push_back({std::string(what), count});
    } else {
      at->count += count;
    }
  }
  /// A task whose dates would leave the clock's range is refused.
  bool accept(const agents::RecordedTask& task, const std::string& file, const std::string& place) {
    const double seconds = task.longest_s();
    if (seconds <= agents::kLongestTaskS) return true;
    return refuse({file, place, fmt::format("a task that may end {:.0f} s after the first one's arrival", seconds),
                   fmt::format("dates and waits that sum to at most {:.0f} s", agents::kLongestTaskS)},
                  "tasks of absurd dates");
  }
  bool any_fault() const { return !faults_.empty(); }  ///< in strict mode
  void throw_if_any() const { faults_.throw_if_any(); }
  /// The trace has been looked through: throws what is wrong; what is refused from now on is counted already.
  void settle() {
    throw_if_any();
    settled_ = true;
  }
  /// By reason, so far.
  std::vector<agents::LeftOut> left_out() const {
    std::vector<agents::LeftOut> left_out;
    std::copy_if(counts_.begin(), counts_.end(), std::back_inserter(left_out),
                 [](const agents::LeftOut& l) { return l.count > 0; });
    return left_out;
  }
  std::uint64_t total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const agents::LeftOut& l) { return sum + l.count; });
  }
  /// Where the first thing was that is wrong and was skipped; empty if none was.
  const std::string& first_skipped() const { return first_skipped_; }

 private:
  bool skip_faulty_, settled_ = false;
  sim::Faults faults_;
  std::string first_skipped_;
  std::vector<agents::LeftOut> counts_;
};

}  // namespace tokenyard::traces
