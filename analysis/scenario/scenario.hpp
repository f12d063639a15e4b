#pragma once
/// A scenario as the contract writes it: cluster, pools, workload, service level and run controls, read and checked.
///
/// Reading collects every fault with its JSON pointer. What follows from several keys (a pool's chips exist in the
/// cluster, a model fits its chips) is checked too: a fault where the user's input is wrong, sim::Infeasible where it
/// is right but cannot be had.

#include <optional>
#include <string>
#include <vector>

#include "analysis/scenario/demand_plan.hpp"
#include "analysis/scenario/kv_tier_plan.hpp"
#include "analysis/scenario/training_plan.hpp"
#include "analysis/scenario/workload.hpp"
#include "platforms/cluster/cluster.hpp"
#include "platforms/cost/media_cost.hpp"
#include "platforms/cost/replica_spec.hpp"
#include "platforms/serving/fleet.hpp"
#include "platforms/spec/catalog.hpp"
#include "sim/random/distribution.hpp"

namespace tokenyard::analysis {

struct PoolPlan {
  std::string name;
  const platforms::Chip* chip = nullptr;
  const platforms::ModelArchitecture* model = nullptr;
  const platforms::MediaModel* media = nullptr;  ///< of a media pool, which has no model, engine, role or router
  const platforms::EngineDefaults* engine = nullptr;
  std::int64_t replicas = 1;
  platforms::PoolRole role = platforms::PoolRole::kMixed;
  std::string decode_pool;
  std::vector<std::string> overflow;  ///< names of mixed pools of the same model
  std::int64_t overflow_at = 0;       ///< calls of the emptiest replica
  platforms::Parallelism parallelism;
  std::string site;  ///< empty: any
  platforms::Precision weights = platforms::Precision::kBf16;
  platforms::Precision kv = platforms::Precision::kBf16;
  platforms::Router router = platforms::Router::kLeastLoaded;
  platforms::BatchingOptions batching;
  platforms::KvCache::Options cache;  ///< `blocks` is filled in from the memory, unless overridden
  std::vector<KvTierPlan> kv_tiers;   ///< below HBM, nearest first
  platforms::KvRetentionOptions kv_retention;
  double more_reuse = 0;  ///< what-if: platforms::PoolOptions
  platforms::KvEviction kv_eviction = platforms::KvEviction::kLru;
  double gpu_memory_utilization = 0.9;
  bool blocks_overridden = false;
  std::optional<double> usd_per_chip_hour;  ///< the scenario's own price, else the catalogue's
  std::int64_t chips() const { return replicas * parallelism.chips(); }
  const std::string& model_name() const { return media != nullptr ? media->name : model->name; }
  platforms::MediaSpec media_spec() const { return {chip, media, weights, parallelism.chips()}; }
  /// Sets the KV blocks from the memory that the weights leave; not positive if they leave none.
  void size_cache();
  /// KV bytes of one token on all chips of a replica together, copies included.
  double replica_kv_bytes_per_token() const;
  std::vector<platforms::KvTierOptions> tier_options() const;
  platforms::ReplicaSpec spec() const {
    platforms::ReplicaSpec spec{chip, model, parallelism, weights, kv, engine->host};
    spec.host.asynchronous = batching.async_scheduling;
    spec.speculation = batching.speculation;
    return spec;
  }
  /// With the nodes that a replica lies on, which its time depends on.
  platforms::ReplicaSpec spec_on(const platforms::Cluster& cluster) const;
};

struct Slo {
  std::optional<double> ttft_s, tpot_s, e2e_s, task_s;
  double attainment = 0.95;
};

struct RunControls {
  static constexpr double kMostSamples = 366 * 86400;  ///< a year of seconds, some GB of series.csv
  double duration_s = 3600;
  double warmup_s = 0;
  bool drain = true;
  double series_interval_s = 1;
};

/// What names in a scenario refer to.
struct Catalogs {
  const platforms::Catalog& platforms;
  const agents::AgentCatalog& agents;
};

struct Scenario {
  std::string name;
  std::uint64_t seed = 1;
  platforms::Cluster cluster;
  std::vector<PoolPlan> pools;
  std::vector<TrainingPlan> training;
  WorkloadPlan workload;
  Slo slo;
  RunControls run;
  DemandPlan demand;
  std::vector<std::string> warnings;
  /// What a study changed: kept alive by the scenario, where the rest belongs to the catalogue.
  std::vector<std::shared_ptr<const platforms::Chip>> own_chips;
  std::vector<std::shared_ptr<const platforms::EngineDefaults>> own_engines;

  /// Faults are collected; the result is only of use if none were. `needs_workload` is false under `replay`.
  static Scenario read(const sim::JsonFile& file, const Catalogs& catalogs, bool needs_workload, sim::Faults& faults);
};

}  // namespace tokenyard::analysis
