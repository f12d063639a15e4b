#include "analysis/fit_agent/learn.hpp"

namespace tokenyard::analysis {

LearnedAgent learn(const Observed& observed, const std::string& name, const std::string& source) {
  constexpr double kNear = 0.1;
  LearnedAgent graph{learn_graph(observed, name, source), "graph", {}};
  graph.goodness = compare_played(observed, graph.agent);
  if (graph.goodness.worst() <= kNear) return graph;
  LearnedAgent sessions{learn_sessions(observed, name, source), "sessions", {}};
  sessions.goodness = compare_played(observed, sessions.agent);
  const double needed = graph.goodness.worst() * (observed.nameless ? 1 : 0.5);
  return sessions.goodness.worst() < needed ? sessions : graph;
}

}  // namespace tokenyard::analysis
