#pragma once
/// A pool as a scenario writes it: so many replicas of one model on chips of one kind, run by one engine.
///
/// Read key by key, with the catalogue's defaults for what is not said; what depends on the cluster or on other pools
/// is checked in pool_checks.hpp. A media pool has no engine, role, router or cache.

#include <optional>
#include <string>
#include <vector>

#include "analysis/scenario/kv_tier_plan.hpp"
#include "platforms/cluster/cluster.hpp"
#include "platforms/cost/media_cost.hpp"
#include "platforms/cost/replica_spec.hpp"
#include "platforms/serving/pool_options.hpp"
#include "platforms/spec/catalog.hpp"

namespace tokenyard::analysis {

struct PoolPlan : platforms::PoolPolicies {
  std::string name;
  const platforms::Chip* chip = nullptr;
  const platforms::ModelArchitecture* model = nullptr;
  const platforms::MediaModel* media = nullptr;  ///< of a media pool, which has no model, engine, role or router
  const platforms::EngineDefaults* engine = nullptr;
  std::int64_t replicas = 1;
  std::string decode_pool;
  std::vector<std::string> overflow;  ///< names of mixed pools of the same model
  platforms::Parallelism parallelism;
  std::string site;  ///< empty: any
  platforms::Precision weights = platforms::Precision::kBf16;
  platforms::Precision kv = platforms::Precision::kBf16;
  platforms::KvCache::Options cache;  ///< of each rank; `blocks` comes from the memory, unless overridden
  std::vector<KvTierPlan> kv_tiers;   ///< below HBM, nearest first
  double gpu_memory_utilization = 0.9;
  bool blocks_overridden = false;
  bool built_in = false;                    ///< chip, model and engine are the catalogue's own, not a user's
  std::optional<double> usd_per_chip_hour;  ///< the scenario's own price, else the catalogue's

  /// Faults are collected; the blocks of the cache are left to `size_cache`. `index`: among the scenario's pools.
  static PoolPlan read(sim::ObjectReader& reader, const platforms::Catalog& catalog, std::size_t index);

  std::int64_t chips() const { return replicas * parallelism.chips(); }
  /// Data-parallel ranks of all replicas.
  std::int64_t ranks() const { return replicas * parallelism.dp; }
  /// Of agents and users, and so computes prompts, of which some may be cached; the others serve media, or what
  /// prefill pools hand over.
  bool takes_calls() const { return media == nullptr && role != platforms::PoolRole::kDecode; }
  const std::string& model_name() const { return media != nullptr ? media->name : model->name; }
  platforms::MediaSpec media_spec() const { return {chip, media, weights, parallelism.chips()}; }
  /// Sets the KV blocks from the memory that the weights and the engine leave, unless they are overridden: then the
  /// weights alone must fit. False where nothing is left.
  bool size_cache();
  /// KV bytes of one token on all chips of a rank together, copies included.
  double rank_kv_bytes_per_token() const;
  std::vector<platforms::KvTierOptions> tier_options() const;
  platforms::ReplicaSpec spec() const {
    platforms::ReplicaSpec spec{chip, model, parallelism, weights, kv};
    platforms::serve_with(*engine, spec);
    spec.host.asynchronous = batching.async_scheduling;
    spec.speculation = batching.speculation;
    if (engine->static_shapes) spec.step_shape.compiled = {batching.max_num_seqs, batching.max_model_len};
    return spec;
  }
  /// With the nodes that a replica lies on, which its time depends on.
  platforms::ReplicaSpec spec_on(const platforms::Cluster& cluster) const;
};

/// The pool of that name; null: there is none.
const PoolPlan* find_pool(const std::vector<PoolPlan>& pools, const std::string& name);

}  // namespace tokenyard::analysis
