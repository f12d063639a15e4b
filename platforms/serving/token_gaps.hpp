#pragma once
/// The inter-token latencies of a replica's decoding calls, step by step or of a whole leap at once.
///
/// In a leap all gaps are as long as the steps, but for the first: it also has what the calls waited since the last
/// step in which they decoded, and that of a call that is *late*, since it comes from a hand-over or a wait, begins
/// with the call's own last token. Cost: O(late calls) for the first step of a leap, O(1) for the others.

#include <vector>

#include "platforms/serving/active_call.hpp"
#include "platforms/serving/leap.hpp"

namespace tokenyard::platforms {

class TokenGaps {
 public:
  /// The call's next gap is its own. It decodes from the next step on.
  void add_late(std::uint32_t call) { late_.push_back(call); }
  /// It does not decode any more.
  void forget(std::uint32_t call) { std::erase(late_, call); }
  /// Those that decode made no token for so long.
  void wait(sim::FineTime duration) { waited_ += duration; }
  /// Whether the next gaps differ from those of the steps after it: then nothing may leap.
  bool next_differs() const { return !late_.empty() || waited_ != sim::FineTime(); }
  /// Of the leap's steps from `from` to `to`, in which so many calls decoded.
  void add(const Leap& leap, std::int64_t from, std::int64_t to, std::int32_t decoding, const ActiveCalls& calls,
           sim::QuantileSketch& itl) {
    const std::size_t on_time = static_cast<std::size_t>(decoding) - late_.size();
    if (on_time > 0)
      itl.add_run(leap.duration_of(from) + waited_, leap.growth(), static_cast<std::uint64_t>(to - from), on_time);
    for (const std::uint32_t index : late_) itl.add(leap.end_of(to) - calls[index].last_token);
    late_.clear();
    waited_ = {};
  }

 private:
  std::vector<std::uint32_t> late_;
  sim::FineTime waited_;  ///< since the last step in which calls decoded; of those on time
};

}  // namespace tokenyard::platforms
