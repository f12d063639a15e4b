#pragma once
/// An agent as a graph of Boost.Graph, for the algorithms on it. A walk needs none: it follows its nodes' edges.
///
///   const TaskGraph graph = task_graph(agent);
///   boost::depth_first_search(graph, ...);  // vertices are the numbers of the nodes
///   graph[edge]->max;

#include <boost/graph/adjacency_list.hpp>

#include "agents/graph/agent.hpp"

namespace tokenyard::agents {

using TaskGraph =
    boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, boost::no_property, const Edge*>;

/// Points to the edges of the agent, which must outlive it. Cost: O(nodes and edges).
inline TaskGraph task_graph(const Agent& agent) {
  TaskGraph graph(agent.nodes.size());
  for (std::size_t v = 0; v < agent.nodes.size(); ++v) {
    for (const Edge& edge : agent.nodes[v].edges) boost::add_edge(v, edge.target, &edge, graph);
  }
  return graph;
}

}  // namespace tokenyard::agents
