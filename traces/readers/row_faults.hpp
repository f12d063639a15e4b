#pragma once
/// What becomes of the rows that a reader of requests refuses: faults in strict mode, counts by reason when faulty rows
/// are skipped.
///
///   RowFaults faults(options.skip_faulty);
///   if (bad) return faults.refuse(RowFault::kDate, {path, "line 3", "…", "…"});
///   faults.throw_if_any();

#include <utility>

#include "traces/readers/trace_reader.hpp"

namespace tokenyard::traces {

class RowFaults {
 public:
  explicit RowFaults(bool skip_faulty) : skip_faulty_(skip_faulty) {}

  /// In strict mode throws when there are many. Returns false.
  bool refuse(RowFault reason, sim::Fault fault) {
    if (skip_faulty_) {
      if (skipped_.first.size() < kMost) skipped_.first.push_back(std::move(fault));
      return leave_out(reason);
    }
    faults_.add(std::move(fault.file), std::move(fault.place), std::move(fault.found), std::move(fault.allowed));
    if (faults_.size() >= kMost) faults_.throw_if_any();
    return false;
  }
  /// What is sound but not to be played is counted in both modes. Returns false.
  bool leave_out(RowFault reason) {
    ++skipped_.by_reason[static_cast<std::size_t>(reason)];
    return false;
  }

  bool any() const { return !faults_.empty(); }  ///< in strict mode
  void throw_if_any() const { faults_.throw_if_any(); }
  const SkippedRows& skipped() const { return skipped_; }

 private:
  static constexpr std::size_t kMost = 20;

  bool skip_faulty_;
  sim::Faults faults_;
  SkippedRows skipped_;
};

}  // namespace tokenyard::traces
