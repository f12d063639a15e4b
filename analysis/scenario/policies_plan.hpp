#pragma once
/// A pool's policies: its router, how calls wait and take turns, and which KV stays in HBM.

#include "analysis/scenario/pool_plan.hpp"

namespace tokenyard::analysis {

/// Reads `router`, `sticky_above`, `scheduling`, `preemptive`, `quantum_s`, `promote_at`, `kv_retention`, `kv_ttl_s`
/// and `kv_eviction` of a pool whose role and cache are known.
void read_policies(sim::ObjectReader& reader, PoolPlan& pool);

}  // namespace tokenyard::analysis
