#pragma once
/// What the replicas of a pool have in common, there once.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "platforms/cost/step_cost.hpp"
#include "platforms/kv/kv_cache.hpp"
#include "platforms/kv/kv_eviction.hpp"
#include "platforms/serving/batching_options.hpp"
#include "platforms/serving/replica_owner.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::platforms {

struct PoolContext {
  sim::Simulation& simulation;
  ReplicaOwner& owner;
  PoolTally& tally;
  std::uint32_t index = 0;
  const StepCost& cost;
  BatchingOptions options;
  KvCache::Options kv;  ///< of each
  KvEviction eviction = KvEviction::kLru;
  /// Filled by all of them: of what it has of a prompt beyond HBM a call finds the share `more_reuse`, at no cost.
  /// None: reuse as it is.
  std::unique_ptr<KvCache> unlimited = nullptr;
  double more_reuse = 0;
  std::optional<StepPower> power = {};  ///< where steps may reach its limit

  // Room to work in, for one replica at a time; nothing stays.
  std::vector<std::uint32_t> ended = {};
  std::vector<PrefillChunk> chunks = {};

  std::int64_t watermark_blocks() const {
    return static_cast<std::int64_t>(options.watermark * static_cast<double>(kv.blocks));
  }
};

}  // namespace tokenyard::platforms
