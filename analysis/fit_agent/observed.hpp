#pragma once
/// Recorded tasks as walks: the visits of the main branch in order, and what each call added to its context.
///
/// A call *continues* a context if its prompt begins with nearly all that an earlier call of the task had beyond the
/// shared role prefix; then what it adds is its prompt less that one and its answer (never below zero: thinking is
/// dropped from later prompts). Nodes whose calls mostly continue each other share a context; the other nodes' prompts
/// are their own. A call of a context that continues nothing opens it, or, after the first, is a *restart*: the context
/// was compacted, or given up for another.
///
/// The main branch is the root's; where the root has no steps but those of a sub-agent, the first step's. What ran in
/// other branches (sub-agents, calls side by side) is left out and counted. Where the nodes of calls are
/// named like their models, the trace knows no nodes: all calls are one node. Tools that overlap are one visit, of a
/// node named after all of them, from the first one's beginning to the last one's end.
///
/// Where calls went to several models (in a simulation's record: pools), each node has the role of the one that took
/// most of its calls: the model with most tokens is the role "default", the others' roles are named like them.
///
/// Cost: a call is compared with the last one of each node, by extents; all visits are held, some 100 bytes each.

#include <string>
#include <utility>
#include <vector>

#include "agents/record/recorded_task.hpp"

namespace tokenyard::analysis {

struct ObservedNode {
  std::string name;
  agents::StepKind kind = agents::StepKind::kCall;
  std::uint32_t context = 0;      ///< of a call: nodes with the same number share one; 0: fresh prompts
  double role_prefix_tokens = 0;  ///< shared by tasks
  std::string pool_role = {};     ///< of a call; empty: "default"
};

struct Visit {
  std::uint32_t node = 0;
  bool opens = false;     ///< a call: the first of its context in the task
  bool restarts = false;  ///< a call: of its context, but not from what was there
  double prompt = 0, output = 0;
  double added = 0;    ///< tokens: of a fresh or opening call beyond the role prefix, else beyond call and answer
  double seconds = 0;  ///< a tool, a person, a wait
};

struct ObservedTask {
  std::vector<Visit> visits;
  bool failed = false;
  double seconds = 0;  ///< from arrival to end, all branches among it, if calls took no time
};

struct Observed {
  std::string agent;
  std::vector<ObservedNode> nodes;
  std::vector<ObservedTask> tasks;
  double span_s = 0;  ///< from the first arrival to the last
  std::uint64_t left_out_steps = 0, left_out_branches = 0;
  bool nameless = false;                                        ///< the calls are one node
  std::vector<std::pair<std::string, std::string>> pool_roles;  ///< and their models, if there are several
  std::uint64_t calls_of_other_roles = 0;                       ///< than their node's
};

/// The tasks of one agent: the trace's only one, or `agent`. Throws sim::InputError if that is not to be had.
Observed observe(agents::RecordedTaskSource& source, const std::string& agent, std::uint64_t limit);

}  // namespace tokenyard::analysis
