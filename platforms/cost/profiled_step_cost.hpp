#pragma once
/// Step cost from a measured kernel profile, with the engine's host time.
///
/// Decode attention at n calls is linear in the mean context between two points of the grid: a piece holds up to the
/// next point. What the profile does not say (arithmetic, bytes, collectives, what bounds a step, how long the longest
/// context goes on alone) comes from the kernel models.
///
/// Of the host's time only what each sequence takes is added. Profilers measure kernels one by one, and each begins and
/// ends on its own; in a captured graph they follow each other more closely, and what that saves is as much as the host
/// keeps the chips waiting. Measured: with one call left, vLLM 0.19 on RTX PRO 6000 takes 11.36 ms a step, and the
/// kernels of its profile 11.40 ms (LLMServingSim's artifact).

#include "platforms/cost/kernel_step_cost.hpp"
#include "platforms/spec/kernel_profile.hpp"

namespace tokenyard::platforms {

class ProfiledStepCost final : public StepCost {
 public:
  /// `profile` is of the spec's chip, model and division; it must outlive the cost.
  ProfiledStepCost(const ReplicaSpec& spec, const KernelProfile& profile);
  using StepCost::piece;
  StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                  const OtherRanks& others) const override;
  bool minds_skew() const override { return models_.minds_skew(); }

 private:
  /// Of attention to the cache without prompts, on the stretch between two points of the grid in which the mean context
  /// lies: sets the piece's slope and the end of the stretch, and returns what is left at no context.
  double decode_seconds(const DecodingCalls& decoding, StepPiece& piece) const;

  ReplicaSpec spec_;
  KernelStepCost models_;  ///< without the host
  HostTime host_;
  const KernelProfile& profile_;
};

}  // namespace tokenyard::platforms
