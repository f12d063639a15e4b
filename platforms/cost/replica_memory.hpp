#pragma once
/// What a replica holds in its chips' memory: weights, and the KV for which they leave room.
///
///   weight_bytes_per_chip(spec);
///   kv_capacity_tokens(spec, 0.9, 4e9);           // tokens of KV beside the weights
///
/// Of a spec without missing numbers (replica_spec.hpp). Cost: O(1).

#include "platforms/cost/replica_spec.hpp"
#include "platforms/spec/bounded_kv.hpp"

namespace tokenyard::platforms {

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
/// Bytes of weights on each chip, the drafter's among them. Tensor parallelism divides neither the products down to MLA's latent vectors nor indexers,
/// routers and norms, and those of keys and values down to one cached head each.
double weight_bytes_per_chip(const ReplicaSpec& spec);

}  // namespace tokenyard::platforms
