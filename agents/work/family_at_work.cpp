#include "agents/work/family_at_work.hpp"

#include <algorithm>

#include "agents/graph/steps_ahead.hpp"

namespace tokenyard::agents {

FamilyAtWork::FamilyAtWork(const WorkloadEntry& entry) {
  const std::vector<const Agent*> agents = family(*entry.agent);
  std::uint32_t first_node = 0;
  for (std::size_t m = 0; m < agents.size(); ++m) {
    const Agent& agent = *agents[m];
    Member member{&agent, first_node, {}, entry.pools[m], {}};
    first_node += static_cast<std::uint32_t>(agent.nodes.size());
    for (const SubAgent& sub : agent.sub_agents) {
      member.sub_agents.push_back(
          static_cast<std::uint32_t>(std::find(agents.begin(), agents.end(), sub.agent.get()) - agents.begin()));
    }
    for (std::size_t s = 0; s < agent.services.size(); ++s)
      member.services.emplace_back(agent.services[s],
                                   entry.capacities.empty() ? agent.services[s].capacity : entry.capacities[m][s]);
    members.push_back(std::move(member));
  }
  ahead = steps_ahead(agents);
}

}  // namespace tokenyard::agents
