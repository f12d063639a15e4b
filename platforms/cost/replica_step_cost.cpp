#include "platforms/cost/replica_step_cost.hpp"

#include "platforms/cost/profiled_step_cost.hpp"
#include "platforms/cost/speculative_step_cost.hpp"

namespace tokenyard::platforms {

const KernelProfile* profile_of(const ReplicaSpec& spec) {
  if (spec.speculation.drafts() > 0 || spec.step_shape.compiled) return nullptr;
  return spec.chip->profile(spec.model->name, spec.parallelism.tp, spec.weights, spec.kv);
}

std::shared_ptr<const StepCost> replica_step_cost(const ReplicaSpec& spec) {
  if (spec.speculation.drafts() > 0) return std::make_shared<SpeculativeStepCost>(spec);
  if (const KernelProfile* profile = profile_of(spec)) return std::make_shared<ProfiledStepCost>(spec, *profile);
  return std::make_shared<KernelStepCost>(spec);
}

}  // namespace tokenyard::platforms
