#pragma once
/// The calls of a replica that decode: each makes one token a step, and its context grows by it. With speculative
/// decoding it makes the drafts accepted, too, drawn by what the work is and how many tokens it has.
///
/// A call needs a KV block whenever its context passes a multiple of the block size, so every block-size steps: the
/// calls are counted by the residue of the step count at which they do, each with those of all lower residues. What any
/// number of steps needs is then a difference of two counts, whatever the number of calls.
///
/// Cost: O(log calls + block size) to join and to complete, O(calls) to leave before and for the drafts of a step, O(1)
/// to ask for blocks.

#include <optional>

#include "platforms/serving/active_call.hpp"
#include "platforms/spec/speculation.hpp"
#include "sim/core/short_vector.hpp"

namespace tokenyard::platforms {

class DecodingBatch {
 public:
  explicit DecodingBatch(std::int64_t block_size) : needing_below_(static_cast<std::size_t>(block_size) + 1) {}

  std::int32_t size() const { return size_; }
  /// Sum over the calls, in the next step.
  Tokens context() const { return context_; }
  /// What the contexts are short of the longest, summed: the same for as long as nobody joins or leaves. O(calls) when
  /// the longest has left, else O(1).
  Tokens skew(const ActiveCalls& calls) const;
  /// Output tokens of a call in the batch.
  Tokens made(const ActiveCall& call) const { return call.made + step_ - call.joined_step; }

  /// The call's `made` holds; its next token comes with the next step.
  void join(std::uint32_t index, ActiveCall& call);
  /// Before its tokens are all made. Brings the call's `made` up to date.
  void leave(std::uint32_t index, ActiveCall& call);
  /// So many steps are over.
  void advance(std::int64_t steps) {
    step_ += steps;
    residue_ = step_ % block_size();
    context_ += steps * size_;
  }
  /// Of the drafts that the step just over checked, each call makes those accepted beside its own token. Their number.
  Tokens make_accepted(ActiveCalls& calls, const Speculation& speculation, std::uint64_t seed);
  /// A call whose tokens are all made leaves; ActiveCall::kNone: there is none.
  std::uint32_t leave_completed(ActiveCalls& calls);
  /// The batch must not be empty.
  std::uint32_t next_to_complete() const { return completions_.front().call; }
  /// From now to the first completion. The batch must not be empty.
  std::int64_t steps_to_completion() const { return completions_.front().step - step_; }

  /// KV blocks that the calls take in the next `steps` steps.
  std::int64_t blocks_needed(std::int64_t steps) const;
  /// The most steps, up to `limit`, for which so many blocks suffice; at least 1.
  std::int64_t steps_within(std::int64_t blocks, std::int64_t limit) const;

 private:
  struct Completion {
    std::int64_t step;  ///< the step count after which the call is complete
    std::uint32_t call;
  };

  std::int64_t block_size() const { return static_cast<std::int64_t>(needing_below_.size()) - 1; }
  /// Counts calls, one more or less, that need blocks when this one does.
  void count_needing(const ActiveCall& call, std::int32_t change);
  void take_out(ActiveCall& call);

  std::int32_t size_ = 0;
  Tokens context_ = 0;
  std::int64_t step_ = 0;               ///< steps so far
  std::int64_t residue_ = 0;            ///< of it mod block size
  mutable std::optional<Tokens> lead_;  ///< of the longest context over the step count; none: to be looked for
  /// Calls that need a block when step count = residue mod block size, for some residue below the index.
  sim::ShortVector<std::int32_t, 17> needing_below_;
  sim::ShortVector<Completion, 8> completions_;  ///< min-heap
};

}  // namespace tokenyard::platforms
