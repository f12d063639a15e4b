#pragma once
/// The step cost of a replica: from the kernel profile that the chip's entry has for its model and tensor parallelism,
/// or else from the kernel models.
///
///   const auto cost = replica_step_cost(spec);     // `missing_numbers(spec)` must be empty

#include <memory>

#include "platforms/cost/replica_spec.hpp"
#include "platforms/cost/step_cost.hpp"

namespace tokenyard::platforms {

/// The profile its step times come from; null with drafts or one compiled shape, which no profile has.
const KernelProfile* profile_of(const ReplicaSpec& spec);

/// The spec's chip and model must outlive it.
std::shared_ptr<const StepCost> replica_step_cost(const ReplicaSpec& spec);

}  // namespace tokenyard::platforms
