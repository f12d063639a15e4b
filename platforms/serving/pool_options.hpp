#pragma once
/// A pool as the fleet is given it. Its role is explained in fleet.hpp, its router and overflow in call_router.hpp.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platforms/cost/media_cost.hpp"
#include "platforms/cost/step_cost.hpp"
#include "platforms/kv/kv_cache.hpp"
#include "platforms/kv/kv_eviction.hpp"
#include "platforms/kv/kv_retention.hpp"
#include "platforms/kv/kv_tiers.hpp"
#include "platforms/serving/batching_options.hpp"
#include "sim/network/topology.hpp"

namespace tokenyard::platforms {

enum class PoolRole : std::uint8_t { kMixed, kPrefill, kDecode };
enum class Router : std::uint8_t { kRoundRobin, kLeastLoaded, kPrefixAware, kTaskSticky };
/// How a pool shares its calls with those that it overflows into.
enum class OverflowBy : std::uint8_t { kLoad, kPrefix, kCost };
inline constexpr std::array<std::string_view, 3> kOverflowByNames = {"load", "prefix", "cost"};
inline constexpr std::array<std::string_view, 3> kPoolRoleNames = {"mixed", "prefill", "decode"};
inline constexpr std::array<std::string_view, 4> kRouterNames = {"round-robin", "least-loaded", "prefix-aware",
                                                                 "task-sticky"};

/// A tier below HBM (kv/kv_tiers.hpp).
struct KvTierOptions {
  KvTierKind kind = KvTierKind::kHost;
  std::int64_t blocks = 0;  ///< of each rank; of a remote store: of the pool
  double bytes_per_s = 0;   ///< to a rank; of an SSD: of the node. A remote store: the network's concern
};

/// How a pool serves its calls, whatever it runs on.
struct PoolPolicies {
  PoolRole role = PoolRole::kMixed;
  Router router = Router::kLeastLoaded;
  Tokens sticky_above = 0;
  std::int64_t overflow_at = 0;  ///< calls of the emptiest rank
  OverflowBy overflow_by = OverflowBy::kLoad;
  BatchingOptions batching;      ///< of each data-parallel rank, as vLLM's arguments are
  KvRetentionOptions retention;  ///< of what completed calls leave in HBM
  KvEviction eviction = KvEviction::kLru;
  /// What-if: the share that calls find of what a cache without limit, shared by all replicas, would have beyond HBM.
  double more_reuse = 0;
};

struct PoolOptions : PoolPolicies {
  std::string name;
  std::uint32_t decode_pool = 0;  ///< of a prefill pool
  std::uint32_t ranks = 1;        ///< data-parallel, of each replica; `cost`, `batching`, `kv` and `tiers` are a rank's
  bool in_step = true;            ///< the ranks of a replica, as they share experts
  std::shared_ptr<const StepCost> cost;
  std::optional<StepPower> power;  ///< of a chip in its steps; none: unknown
  KvCache::Options kv;
  std::vector<KvTierOptions> tiers;  ///< below HBM, nearest first
  double tier_bytes_per_token = 0;   ///< that a load brings to all chips of a rank together
  std::vector<std::uint32_t> nodes;  ///< of each replica, if an SSD is among the tiers: replicas of one node share it
  sim::HostId store = 0;             ///< on the network, if a remote store is among the tiers
  std::vector<std::uint32_t> overflow;     ///< pools of the same model, mixed as this one
  double usd_per_s = 0;                    ///< of a replica
  std::function<double(Tokens)> kv_bytes;  ///< of a prompt: what moves to the decode pool of a prefill pool
  double tokenize_s_per_token = 0;         ///< of a prompt's text, before the engine sees the call
  std::shared_ptr<const MediaCost> media;  ///< of a media pool, which needs neither cost nor KV
  std::vector<sim::HostId> hosts;          ///< of each replica, on the network; their number is the pool's
};

}  // namespace tokenyard::platforms
