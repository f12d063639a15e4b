#pragma once
/// The calls of a replica that decode: each makes one token a step, and its context grows by it. Some may make more.
///
/// A call needs a KV block whenever its context passes a multiple of the block size, so every block-size steps: the
/// calls are counted by the residue of the step count at which they do. What any number of steps needs is then a sum
/// over at most one round of residues, whatever the number of calls.
///
/// Cost: O(log calls) to join and to complete, O(1) to leave, O(block size) to ask for blocks.

#include <vector>

#include "platforms/serving/active_call.hpp"

namespace tokenyard::platforms {

class DecodingBatch {
 public:
  DecodingBatch(const ActiveCalls& calls, std::int64_t block_size)
      : calls_(calls), needing_(static_cast<std::size_t>(block_size)) {}

  std::int32_t size() const { return size_; }
  /// Sum over the calls, in the next step.
  Tokens context() const { return context_; }
  /// Output tokens of a call in the batch.
  Tokens made(const ActiveCall& call) const { return call.made + step_ - call.joined_step; }

  /// The call's `made` holds; its next token comes with the next step.
  void join(std::uint32_t index, ActiveCall& call);
  /// Brings the call's `made` up to date.
  void leave(ActiveCall& call);
  /// The call made `tokens` more than one in the step just over, but not more than it is to make. Where calls do that,
  /// to be said of every call in every step, of none too.
  void make_more(std::uint32_t index, ActiveCall& call, Tokens tokens);
  /// So many steps are over.
  void advance(std::int64_t steps) {
    step_ += steps;
    context_ += steps * size_;
  }
  /// A call whose tokens are all made; none: ActiveCall::kNone. It is still in the batch.
  std::uint32_t completed();
  /// From now to the first completion. The batch must not be empty.
  std::int64_t steps_to_completion();

  /// KV blocks that the calls take in the next `steps` steps.
  std::int64_t blocks_needed(std::int64_t steps) const;
  /// The most steps, up to `limit`, for which so many blocks suffice; at least 1.
  std::int64_t steps_within(std::int64_t blocks, std::int64_t limit) const;

 private:
  /// A call that left early leaves its completion behind.
  struct Completion {
    std::int64_t step;  ///< the step count after which the call is complete
    std::uint64_t call;
    std::uint32_t index;
  };

  std::int32_t& needing_with(const ActiveCall& call);
  void expect_completion(std::uint32_t index, const ActiveCall& call);
  void drop_stale_completions();

  const ActiveCalls& calls_;
  std::int32_t size_ = 0;
  Tokens context_ = 0;
  std::int64_t step_ = 0;                ///< steps so far
  std::vector<std::int32_t> needing_;    ///< calls that need a block when step count = index mod block size
  std::vector<Completion> completions_;  ///< min-heap
};

}  // namespace tokenyard::platforms
