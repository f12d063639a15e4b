#pragma once
/// Step cost with speculative decoding: the model checks what was drafted, then the drafter proposes for the next step.
///
/// With k drafts, the model computes k + 1 tokens of each decoding call over the same cache. The drafter follows with k
/// passes, one after the other: the first over the tokens just checked and the step's prompts, of which it keeps a
/// cache of its own, the others over one token of each call that goes on. N-grams are looked up by the host, in a time
/// that is not modelled. Drafting is captured in graphs: the host's times (host_time.hpp) are those of the model's
/// pass.
///
/// Kernel models alone: a measured profile has no step of several tokens a call, and is not used.

#include "platforms/cost/kernel_step_cost.hpp"

namespace tokenyard::platforms {

class SpeculativeStepCost final : public StepCost {
 public:
  /// `spec.speculation` drafts at least one token; `missing_numbers(spec)` must be empty.
  explicit SpeculativeStepCost(const ReplicaSpec& spec);
  using StepCost::piece;
  StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                  const OtherRanks& others) const override;
  bool minds_skew() const override { return model_.minds_skew(); }

 private:
  struct Drafter {
    KernelStepCost first, further;
    std::optional<Gemm> projection;  ///< of a layer of the model's own, before it
  };
  KernelStepCost model_;
  std::optional<Drafter> drafter_;
  HostTime host_;
  std::int64_t drafts_ = 0;
};

}  // namespace tokenyard::platforms
