#pragma once
/// A replica as its costs see it: chip, model, how the model is divided, number formats, what the engine makes of them.
///
///   ReplicaSpec spec{chip, model, {.tp = 4}, Precision::kFp8, Precision::kFp8, engine->host};
///   missing_numbers(spec).empty();                // it can be timed

#include <algorithm>
#include <string>
#include <vector>

#include "platforms/cost/node_span.hpp"
#include "platforms/spec/chip.hpp"
#include "platforms/spec/engine.hpp"
#include "platforms/spec/model.hpp"
#include "platforms/spec/speculation.hpp"
#include "platforms/spec/step_shape.hpp"

namespace tokenyard::platforms {

struct Parallelism {
  std::int64_t tp = 1, pp = 1, dp = 1, ep = 1;
  std::int64_t chips() const { return tp * pp * dp; }
  /// Of a data-parallel rank.
  std::int64_t chips_of_rank() const { return tp * pp; }
  /// Over which the experts of a layer are spread; the other chips of the stage divide each of them.
  std::int64_t expert_ranks() const { return std::clamp<std::int64_t>(ep, 1, tp * dp); }
  /// Among which each expert is divided.
  std::int64_t expert_slices() const { return tp * dp / expert_ranks(); }
};

/// Of `whole` heads or columns divided among `parts` chips, those of the chip that has most.
constexpr std::int64_t largest_share(std::int64_t whole, std::int64_t parts) { return (whole + parts - 1) / parts; }

struct ReplicaSpec {
  const Chip* chip = nullptr;
  const ModelArchitecture* model = nullptr;
  Parallelism parallelism;
  Precision weights = Precision::kBf16;
  Precision kv = Precision::kBf16;
  EngineDefaults::Host host;
  NodeSpan span;  ///< how the replica lies on nodes
  Speculation speculation;
  StepShape step_shape;
  PaddedExperts padded_experts;
};

/// Gives the spec what `engine` makes of its chip, weights and division: host times, buckets and padded experts.
void serve_with(const EngineDefaults& engine, ReplicaSpec& spec);

/// The same replica as if its engine took no time: whoever wraps another step cost adds the host's time once.
inline ReplicaSpec without_host(ReplicaSpec spec) {
  spec.host = {};
  return spec;
}

/// What the spec lacks for timing: catalogue keys ("chip h100-sxm: peak_flops_per_s/fp4"). Empty: it can be timed.
std::vector<std::string> missing_numbers(const ReplicaSpec& spec);

}  // namespace tokenyard::platforms
