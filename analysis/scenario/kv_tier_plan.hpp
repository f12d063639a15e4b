#pragma once
/// A pool's KV tiers as a scenario writes them: `kv_tiers`, or vLLM's own argument `kv_offloading_size` of the engine.
///
///   "kv_tiers": [{"tier": "host", "gib": 600},                           // of a replica, over its chips' host links
///                {"tier": "ssd", "gib": 4000, "bytes_per_s": 5e10},      // of a replica; the rate is its node's
///                {"tier": "remote", "gib": 20000}]                       // of the pool; a rate is the store's
///   "engine": {"kv_offloading_size": 600}                                // the same as the first: GiB of a replica

#include <optional>
#include <vector>

#include "platforms/kv/kv_tiers.hpp"
#include "platforms/spec/chip.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct KvTierPlan {
  platforms::KvTierKind kind = platforms::KvTierKind::kHost;
  double gib = 0;  ///< of each replica, whose data-parallel ranks share it evenly; of a remote store: of the pool
  /// Of host memory: to one chip, else the chip's host_bytes_per_s. Of an SSD: of a node. Of a remote store: its own
  /// limit, beside the replicas' NICs.
  std::optional<double> bytes_per_s;
};

/// The pool's `kv_tiers`, nearest first; faults where a number is missing. `offloading_gib`: the engine's
/// kv_offloading_size, 0 if it has none.
std::vector<KvTierPlan> read_kv_tiers(sim::ObjectReader& pool, const platforms::Chip* chip, double offloading_gib);

}  // namespace tokenyard::analysis
