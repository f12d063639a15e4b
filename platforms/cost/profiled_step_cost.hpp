#pragma once
/// Step cost from a measured kernel profile, with the engine's host time.
///
/// Decode attention at n calls is linear in the mean context between two points of the grid: a piece holds up to the
/// next point. What the profile does not say (arithmetic, bytes, collectives, what bounds a step) comes from the kernel
/// models.

#include "platforms/cost/kernel_step_cost.hpp"
#include "platforms/spec/kernel_profile.hpp"

namespace tokenyard::platforms {

class ProfiledStepCost final : public StepCost {
 public:
  /// `profile` is of the spec's chip, model and division; it must outlive the cost.
  ProfiledStepCost(const ReplicaSpec& spec, const KernelProfile& profile);
  StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks) const override;

 private:
  ReplicaSpec spec_;
  KernelStepCost models_;  ///< without the host
  HostTime host_;
  const KernelProfile& profile_;
};

}  // namespace tokenyard::platforms
