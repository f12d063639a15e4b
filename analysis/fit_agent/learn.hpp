#pragma once
/// An agent learned from recorded tasks: its JSON (schema tokenyard.agent/1), and how near what it plays comes.
///
/// Two forms, of which the first is taken if it plays within 10 %, or if the trace names its calls and the second is
/// not twice as near; else the nearer:
///
/// **Graph**: the recorded nodes, and an edge for every step from one to the next, to the end too.
/// - A node whose last departure in a task is, in nine tasks of ten, by edges that are never taken before, loops on the
///   others: these become an urn (count: how often each is taken in a task), the last ones go by probability. So does a
///   node whose departures come in rounds ("two look-ups, then an answer"): an edge closes them if the number of others
///   before it varies by 30 % more or less than draws without memory would. All other nodes' edges go by probability.
/// - The answer's length is by edge where a node has several; what a call adds to its context is the result of the tool
///   or person before it, or else its own prompt.
/// - Loops of edges by probability alone get a bound ten times beyond what was seen.
///
/// **Sessions**: one loop of calls with tools and people between them, in classes of sessions: those whose prompts go
/// beyond where contexts are compacted apart from the others, each in quarters by the number of calls. In a class the
/// number of calls, the opening, what a call adds (by how many calls it is from the beginning: 1st, 2nd to 4th, 5th to
/// 16th, later) and the answer's length are drawn; a restart is a compaction, whose limit is the size that tells
/// restarts best from calls that went on.
///
/// Tasks that failed end apart from the others: after the same steps as often (graph), or in the same share (sessions).
/// The sessions' calls are of one pool role; the waits before their first and after their last call are as recorded.
/// Not learned: sub-agents and branches, which tools failed, gaps that no step fills. Services (capacities) are not
/// seen: what was waited for them is in the times.
///
///   Observed observed = observe(*source, "", 0);
///   LearnedAgent learned = learn(observed, "mine", "traces.jsonl (weka)");
///   to_text(learned.agent, 2);

#include <nlohmann/json.hpp>
#include <string>

#include "analysis/fit_agent/goodness.hpp"
#include "analysis/fit_agent/observed.hpp"

namespace tokenyard::analysis {

struct LearnedAgent {
  sim::Json agent;
  std::string form;  ///< "graph" or "sessions"
  Goodness goodness;
};

LearnedAgent learn(const Observed& observed, const std::string& name, const std::string& source);

/// The two forms by themselves.
sim::Json learn_graph(const Observed& observed, const std::string& name, const std::string& source);
sim::Json learn_sessions(const Observed& observed, const std::string& name, const std::string& source);

}  // namespace tokenyard::analysis
