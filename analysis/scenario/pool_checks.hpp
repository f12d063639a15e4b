#pragma once
/// What pools ask beyond their own keys: of the cluster, of each other, and of their chips' memory.
///
/// What the user can mend by another value is a fault; what is right but cannot be had (a model that its chips do not
/// hold) is a sentence for sim::Infeasible, which counts only where there are no faults. O(pools squared).

#include <string>
#include <vector>

#include "analysis/scenario/pool_plan.hpp"

namespace tokenyard::analysis {

/// One pool, read at `place`. Sets the blocks of its cache from the memory, unless they are overridden.
void check_pool(PoolPlan& pool, const platforms::Cluster& cluster, const std::string& file, const std::string& place,
                sim::Faults& faults, std::vector<std::string>& infeasible);

/// All of a scenario beside each other: hand-over, overflow, and chips enough.
void check_pools(const std::vector<PoolPlan>& pools, const platforms::Cluster& cluster, const std::string& file,
                 sim::Faults& faults);

}  // namespace tokenyard::analysis
