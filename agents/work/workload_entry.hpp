#pragma once
/// One agent at work, as a scenario describes it: what its tasks are, where its calls go and when its tasks come.

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/graph/agent.hpp"
#include "agents/work/arrivals.hpp"
#include "agents/work/tool_overlap.hpp"
#include "agents/work/users.hpp"
#include "agents/work/visit_draws.hpp"

namespace tokenyard::agents {

struct WorkloadEntry {
  std::string name;  ///< unique in the workload: names its streams
  std::shared_ptr<const Agent> agent;
  /// The pool of each role, for each member of `family(*agent)`: pools[member][role].
  std::vector<std::vector<std::uint32_t>> pools;
  /// Capacities that replace the agent's, by member and service; empty: the agent's own.
  std::vector<std::vector<std::int64_t>> capacities;
  ArrivalSpec arrivals;  ///< used unless there is a closed loop
  std::optional<ClosedLoop> closed_loop;
  std::uint64_t max_tasks = std::numeric_limits<std::uint64_t>::max();
  sim::Time deadline = sim::Time::never();  ///< of a task, from its arrival
  /// Tasks at work at a time; those beyond are paused as they arrive, first come, first served.
  std::uint64_t max_in_flight = std::numeric_limits<std::uint64_t>::max();
  ToolOverlapOptions tools;
  WorkScale scale;
};

}  // namespace tokenyard::agents
