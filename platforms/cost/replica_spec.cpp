#include "platforms/cost/replica_spec.hpp"

#include <fmt/format.h>

namespace tokenyard::platforms {

void serve_with(const EngineDefaults& engine, ReplicaSpec& spec) {
  spec.host = engine.host;
  spec.step_shape.buckets = engine.buckets_on(*spec.chip);
  // DeepGEMM multiplies weights that have a scale for each block.
  if (!spec.model->moe || spec.model->moe->fp8_scales == Fp8Scales::kBlock)
    spec.padded_experts = engine.padded_experts_on(*spec.chip, spec.weights, spec.parallelism.expert_slices());
}

std::vector<std::string> missing_numbers(const ReplicaSpec& spec) {
  std::vector<std::string> missing;
  for (const std::string& key : spec.chip->missing(spec.weights, spec.parallelism.chips())) {
    missing.push_back(fmt::format("chip {}: {}", spec.chip->name, key));
  }
  if (spec.span.crosses(spec.parallelism.chips()) && spec.span.bytes_per_s <= 0) {
    missing.push_back(fmt::format(
        "chip {}: scale_out_bytes_per_s, which a replica on several nodes needs (or the fabric's bytes_per_s),",
        spec.chip->name));
  }
  for (const std::string& key : spec.model->missing())
    missing.push_back(fmt::format("model {}: {}", spec.model->name, key));
  if (spec.speculation.drafter != nullptr) {
    for (const std::string& key : spec.speculation.drafter->missing())
      missing.push_back(fmt::format("model {}: {}", spec.speculation.drafter->name, key));
  }
  return missing;
}

}  // namespace tokenyard::platforms
