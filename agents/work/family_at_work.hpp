#pragma once
/// The agents of a workload entry with what they need at run time: an agent and those it leads into, numbered as in
/// `family`, each with its pools and its services, whose queues all tasks of the entry share.
///
/// Cost: O(nodes) memory, and that of `steps_ahead`, once per entry.

#include <vector>

#include "agents/graph/agent_catalog.hpp"
#include "agents/work/service.hpp"
#include "agents/work/workload_entry.hpp"

namespace tokenyard::agents {

struct FamilyAtWork {
  explicit FamilyAtWork(const WorkloadEntry& entry);

  struct Member {
    const Agent* agent;
    std::uint32_t first_node;               ///< number of its node 0 among the family's
    std::vector<std::uint32_t> sub_agents;  ///< members, by the agent's sub_agents
    std::vector<std::uint32_t> pools;       ///< by role
    std::vector<Service> services;
  };
  std::vector<Member> members;
  std::vector<std::vector<platforms::NextUse>> ahead;  ///< by node of the family
};

}  // namespace tokenyard::agents
