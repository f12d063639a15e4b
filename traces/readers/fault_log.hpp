#pragma once
/// What a reader of tasks refuses or leaves out: faults in strict mode, counts by reason when faulty things are
/// skipped.
///
///   FaultLog log(options.skip_faulty);
///   if (bad) log.refuse({path, "line 3", "…", "…"}, "rows with bad token counts");
///   log.leave_out("plumbing spans");   // sound, but not to be played: counted in both modes
///   log.settle();

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "agents/record/recorded_task.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::traces {

class FaultLog {
 public:
  static constexpr std::size_t kMaxFaults = 20;
  explicit FaultLog(bool skip_faulty) : skip_faulty_(skip_faulty) {}

  /// Throws when there are many. Returns false.
  bool refuse(sim::Fault fault, std::string_view what) {
    if (skip_faulty_) {
      leave_out(what);
    } else if (!settled_) {
      faults_.add(std::move(fault.file), std::move(fault.place), std::move(fault.found), std::move(fault.allowed));
      if (faults_.size() >= kMaxFaults) faults_.throw_if_any();
    }
    return false;
  }
  void leave_out(std::string_view what, std::uint64_t count = 1) {
    if (count == 0 || settled_) return;
    const auto at =
        std::find_if(left_out_.begin(), left_out_.end(), [&](const agents::LeftOut& l) { return l.what == what; });
    if (at == left_out_.end()) {
      left_out_.push_back({std::string(what), count});
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
  /// The trace has been looked through: throws what is wrong; what is refused from now on is counted already.
  void settle() {
    faults_.throw_if_any();
    settled_ = true;
  }
  const std::vector<agents::LeftOut>& left_out() const { return left_out_; }

 private:
  bool skip_faulty_, settled_ = false;
  sim::Faults faults_;
  std::vector<agents::LeftOut> left_out_;
};

}  // namespace tokenyard::traces
