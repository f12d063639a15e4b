#pragma once
/// A replica as its costs see it: chip, model, how the model is divided, number formats, the engine's host times; and
/// what fits in its memory.
///
///   ReplicaSpec spec{chip, model, {.tp = 4}, Precision::kFp8, Precision::kFp8, engine->host};
///   missing_numbers(spec).empty();                // it can be timed
///   kv_capacity_tokens(spec, 0.9, 4e9);           // tokens of KV beside the weights

#include <algorithm>
#include <string>
#include <vector>

#include "platforms/cost/compiled_shape.hpp"
#include "platforms/cost/node_span.hpp"
#include "platforms/spec/bounded_kv.hpp"
#include "platforms/spec/chip.hpp"
#include "platforms/spec/engine.hpp"
#include "platforms/spec/model.hpp"
#include "platforms/spec/speculation.hpp"

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

struct ReplicaSpec {
  const Chip* chip = nullptr;
  const ModelArchitecture* model = nullptr;
  Parallelism parallelism;
  Precision weights = Precision::kBf16;
  Precision kv = Precision::kBf16;
  EngineDefaults::Host host;
  NodeSpan span;  ///< how the replica lies on nodes
  Speculation speculation;
  CompiledShape compiled;
  TokenBuckets buckets;
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

/// KV tokens of a data-parallel rank that fit beside the weights on each chip: (memory · utilization - weights -
/// reserve) / bytes per token. Not positive if the weights alone do not fit.
double kv_capacity_tokens(const ReplicaSpec& spec, double memory_utilization, double reserved_bytes);
/// Tensor-parallel chips among which a token's KV is divided: down to one cached head each; MLA's vector is not.
double kv_divisor(const ModelArchitecture& model, std::int64_t tp);
/// KV bytes of one token on the chip of the rank that holds most, a drafter's among them; of a model whose KV does not
/// grow a kibibyte, so that it can be counted in tokens all the same.
double kv_bytes_per_token_per_chip(const ReplicaSpec& spec);
/// What a call keeps in windows and states of the model and of its drafter, as if both had the larger window: exact of
/// contexts that fill it.
BoundedKv bounded_kv(const ReplicaSpec& spec);
/// The drafter's, too. Tensor parallelism divides neither the products down to MLA's latent vectors nor indexers,
/// routers and norms, and those of keys and values down to one cached head each.
double weight_bytes_per_chip(const ReplicaSpec& spec);

}  // namespace tokenyard::platforms
