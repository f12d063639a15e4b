#pragma once
/// How many calls lie between a step and the next call with each shared prefix, along the shortest ways of a family
/// of agents.
///
/// An agent leads into its sub-agents, and a sub-agent back to whoever asked for it. Loop bounds, urns and
/// probabilities count for nothing: the nearest a task can be, as KVFlow's steps to execution take the least over
/// alternatives (arXiv 2507.07400). Cost: O(nodes^2 * prefixes), once per workload entry.
///
///   const auto ahead = steps_ahead(family(agent));
///   request.next_uses = ahead[number_of_the_node_that_follows];

#include <vector>

#include "agents/graph/agent_catalog.hpp"

namespace tokenyard::agents {

/// For each node of the family, numbered as in `node_names`: from entering it, the shared prefixes that a call will ask
/// for, and which call from here that is, from 1.
std::vector<std::vector<platforms::NextUse>> steps_ahead(const std::vector<const Agent*>& family);

}  // namespace tokenyard::agents
