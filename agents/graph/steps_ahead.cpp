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
  return node.fresh ? node.shared_prefix : agent.contexts[node.context].shared_prefix;
}

/// A family as one graph: a sub-agent's node leads to its start, an end back behind whoever asked for the agent.
struct FamilyGraph {
  explicit FamilyGraph(const std::vector<const Agent*>& family);

  std::vector<const Node*> nodes;
  std::vector<platforms::Extent> prefixes;  ///< by node
  std::vector<std::vector<std::uint32_t>> after;
};

FamilyGraph::FamilyGraph(const std::vector<const Agent*>& family) {
  std::vector<std::uint32_t> first;
  for (const Agent* agent : family) {
    first.push_back(static_cast<std::uint32_t>(nodes.size()));
    for (const Node& node : agent->nodes) {
      nodes.push_back(&node);
      prefixes.push_back(prefix_of(*agent, node));
    }
  }
  after.resize(nodes.size());
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
      const Agent* sub = agent.sub_agents[node.sub_agent].agent.get();
      const auto s = static_cast<std::size_t>(std::find(family.begin(), family.end(), sub) - family.begin());
      after[first[m] + n].push_back(first[s] + sub->start);
      for (std::uint32_t end = 0; end < sub->nodes.size(); ++end) {
        if (sub->nodes[end].kind != NodeKind::kEnd) continue;
        after[first[s] + end].insert(after[first[s] + end].end(), next.begin(), next.end());
      }
    }
  }
}

/// From each node, which call from there is the next to begin with the prefix, from 1; kFar: none.
std::vector<std::uint32_t> calls_until(const FamilyGraph& graph, std::uint64_t prefix) {
  std::vector<std::uint32_t> calls(graph.nodes.size(), kFar);
  for (bool nearer = true; nearer;) {
    nearer = false;
    for (std::size_t n = 0; n < calls.size(); ++n) {
      std::uint32_t own = graph.prefixes[n].tokens > 0 && graph.prefixes[n].content == prefix ? 1 : kFar;
      for (const std::uint32_t next : graph.after[n]) {
        if (calls[next] != kFar) own = std::min(own, calls[next] + (graph.nodes[n]->calls_model() ? 1 : 0));
      }
      nearer = nearer || own < calls[n];
      calls[n] = std::min(calls[n], own);
    }
  }
  return calls;
}

}  // namespace

std::vector<std::vector<platforms::NextUse>> steps_ahead(const std::vector<const Agent*>& family) {
  const FamilyGraph graph(family);
  std::map<std::uint64_t, platforms::Extent> prefixes;  // by content
  for (const platforms::Extent& prefix : graph.prefixes) {
    if (prefix.tokens > 0) prefixes.emplace(prefix.content, prefix);
  }
  std::vector<std::vector<platforms::NextUse>> ahead(graph.nodes.size());
  for (const auto& [content, prefix] : prefixes) {
    const std::vector<std::uint32_t> calls = calls_until(graph, content);
    for (std::size_t n = 0; n < calls.size(); ++n) {
      if (calls[n] != kFar) ahead[n].push_back({prefix, calls[n]});
    }
  }
  return ahead;
}

}  // namespace tokenyard::agents
