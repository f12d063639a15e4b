#include "agents/graph/steps_ahead.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace tokenyard::agents {
namespace {

constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

/// The prefix with which a node's calls begin; of no tokens: it makes none, or they have none.
platforms::Extent prefix_of(const Agent& agent, const Node& node) {
  if (!node.calls_model()) return {};
  if (node.fresh) return {node.role_content, node.role_prefix_tokens};
  return {agent.contexts[node.context].role_content, agent.contexts[node.context].role_prefix_tokens};
}

}  // namespace

std::vector<std::vector<platforms::NextUse>> steps_ahead(const std::vector<const Agent*>& family) {
  // One graph of all nodes: a sub-agent's node leads to its start, an end back behind whoever asked for the agent.
  std::vector<std::uint32_t> first;
  std::vector<const Node*> nodes;
  std::vector<platforms::Extent> prefixes;
  for (const Agent* agent : family) {
    first.push_back(static_cast<std::uint32_t>(nodes.size()));
    for (const Node& node : agent->nodes) {
      nodes.push_back(&node);
      prefixes.push_back(prefix_of(*agent, node));
    }
  }
  std::vector<std::vector<std::uint32_t>> after(nodes.size());
  for (std::size_t m = 0; m < family.size(); ++m) {
    const Agent& agent = *family[m];
    for (std::uint32_t n = 0; n < agent.nodes.size(); ++n) {
      const Node& node = agent.nodes[n];
      std::vector<std::uint32_t> next;
      for (const Edge& edge : node.edges) next.push_back(first[m] + edge.target);
      if (node.kind != NodeKind::kSubAgent) {
        std::vector<std::uint32_t>& own = after[first[m] + n];
        own.insert(own.end(), next.begin(), next.end());
        continue;
      }
      const Agent* sub = agent.sub_agents[node.sub_agent].get();
      const auto s = static_cast<std::size_t>(std::find(family.begin(), family.end(), sub) - family.begin());
      after[first[m] + n].push_back(first[s] + sub->start);
      for (std::uint32_t end = 0; end < sub->nodes.size(); ++end) {
        if (sub->nodes[end].kind != NodeKind::kEnd) continue;
        after[first[s] + end].insert(after[first[s] + end].end(), next.begin(), next.end());
      }
    }
  }

  std::vector<std::vector<platforms::NextUse>> ahead(nodes.size());
  std::map<std::uint64_t, platforms::Extent> roles;
  for (const platforms::Extent& prefix : prefixes) {
    if (prefix.tokens > 0) roles.emplace(prefix.content, prefix);
  }
  for (const auto& [role, prefix] : roles) {
    std::vector<std::uint32_t> calls(nodes.size(), kFar);
    for (bool nearer = true; nearer;) {
      nearer = false;
      for (std::size_t n = 0; n < nodes.size(); ++n) {
        std::uint32_t own = prefixes[n].tokens > 0 && prefixes[n].content == role ? 1 : kFar;
        for (const std::uint32_t next : after[n]) {
          if (calls[next] != kFar) own = std::min(own, calls[next] + (nodes[n]->calls_model() ? 1 : 0));
        }
        nearer = nearer || own < calls[n];
        calls[n] = std::min(calls[n], own);
      }
    }
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (calls[n] != kFar) ahead[n].push_back({prefix, calls[n]});
    }
  }
  return ahead;
}

}  // namespace tokenyard::agents
