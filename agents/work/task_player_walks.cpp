/// How a task's walks go on from node to node, fork into branches and sub-agents, and meet again.

#include <algorithm>
#include <fmt/format.h>

#include "agents/work/task_player.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::agents {

using platforms::Cause;
using sim::Time;

namespace {

/// Of a walk that takes no time: more are an endless loop.
constexpr std::uint32_t kMostNodesAtOnce = 10'000'000;

}  // namespace

/// A branch goes on with the contexts of its parent.
std::uint32_t TaskPlayer::new_walk(std::uint32_t task, std::uint32_t parent, std::uint32_t member, std::uint32_t path,
                                   bool branch) {
  const std::uint32_t index = walks_.take();
  TimedWalk& walk = walks_[index];
  const Agent& agent = *entries_[tasks_[task].entry].family.members[member].agent;
  walk.reset(agent, seed_, tasks_[task].entity, path);
  walk.contexts.reset(agent.contexts.size(), tasks_[task].contents, branch ? &walks_[parent].contexts : nullptr);
  walk.task = task;
  walk.parent = parent;
  walk.member = member;
  walk.branch = tasks_[task].branches++;
  walk.stop = kNone;
  walk.live = true;
  walk.mark = simulation_.now();
  walk.path_served = parent == kNone ? Time() : walks_[parent].path_served;
  walk.causes = {};
  walk.call = {};
  walk.part = {};
  walk.cold_from = walk.cold_to = Time();
  walk.error = walk.exhausted = false;
  return index;
}

/// On to `node`, and further as long as nothing takes time.
void TaskPlayer::go(std::uint32_t index, std::uint32_t node) {
  for (std::uint32_t at_once = 0;; ++at_once) {
    TimedWalk& walk = walks_[index];
    if (at_once > kMostNodesAtOnce) {
      throw sim::Infeasible(
          fmt::format("{}: a task goes on through node \"{}\" for ever, and no step of its loop takes time. Lower the "
                      "probability or \"max\" of the edge that leads back.",
                      walk.agent().file, walk.node().name));
    }
    if (tasks_[walk.task].aborted) return end_walk(index, true);
    if (node == walk.stop) return end_walk(index, false);
    walk.enter(node);
    walk.begin = walk.served = walk.mark;
    walk.error = false;
    walk.result_tokens = 0;
    walk.tool_calls = 0;
    if (walk.node().kind == NodeKind::kEnd) return end_walk(index, walk.node().failed);
    if (begin_node(index)) return;
    node = walk.choose(walk.error).target;
  }
}

bool TaskPlayer::begin_node(std::uint32_t index) {
  switch (walks_[index].node().kind) {
    case NodeKind::kLlm:
    case NodeKind::kGuardrail:
    case NodeKind::kRouter:
      return begin_call(index);
    case NodeKind::kTool:
    case NodeKind::kRetrieval:
    case NodeKind::kHuman:
      return begin_wait(index);
    case NodeKind::kFanOut:
      return begin_branches(index);
    case NodeKind::kSubAgent:
      return begin_sub_agents(index);
    case NodeKind::kMedia:
      return begin_pictures(index);
    case NodeKind::kChoice:
    case NodeKind::kJoin:
    case NodeKind::kEnd:
      return false;
  }
  return false;
}

void TaskPlayer::leave_node(std::uint32_t index, bool error) {
  TimedWalk& walk = walks_[index];
  const Edge& way = walk.way != nullptr ? *walk.way : walk.choose(error);
  walk.way = nullptr;
  go(index, way.target);
}

void TaskPlayer::end_walk(std::uint32_t index, bool failed) {
  TimedWalk& walk = walks_[index];
  walk.live = false;
  walk.way = nullptr;
  if (walk.parent != kNone) return end_branch(walk.parent, index, failed);
  end_task(index, failed);
}

// ---- Branches and sub-agents ----------------------------------------------------------------------------------------

bool TaskPlayer::begin_branches(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  const std::vector<Edge>& edges = walk.node().edges;
  const std::uint32_t join = walk.node().join;
  walk.open = static_cast<std::int32_t>(edges.size());
  std::vector<std::uint32_t> branches;
  for (const Edge& edge : edges) {
    const std::uint32_t branch = new_walk(walk.task, index, walk.member, walk.fork_path(edge.index), true);
    walks_[branch].stop = join;
    branches.push_back(branch);
  }
  for (std::size_t i = 0; i < branches.size(); ++i) go(branches[i], edges[i].target);
  return true;
}

bool TaskPlayer::begin_sub_agents(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  const std::int64_t count = copies_of(walk);
  const std::uint32_t member = member_of(walk).sub_agents[walk.node().sub_agent];
  const std::uint32_t start = entry_of(walk).family.members[member].agent->start;
  walk.result_tokens = results_of(walk, count);
  walk.open = static_cast<std::int32_t>(count);
  std::vector<std::uint32_t> copies_begun;
  for (std::int64_t copy = 0; copy < count; ++copy) {
    copies_begun.push_back(new_walk(walk.task, index, member, walk.fork_path(static_cast<std::uint32_t>(copy))));
  }
  for (const std::uint32_t copy : copies_begun) go(copy, start);
  return true;
}

void TaskPlayer::end_branch(std::uint32_t parent_index, std::uint32_t index, bool failed) {
  TimedWalk& parent = walks_[parent_index];
  TimedWalk& child = walks_[index];
  if (child.contexts.of_branch()) child.contexts.merge_into_parent();
  parent.error = parent.error || failed;
  parent.path_served = std::max(parent.path_served, child.path_served);
  if (--parent.open > 0) {
    walks_.give_back(index);
    return;
  }
  parent.causes += child.causes;
  parent.mark = simulation_.now();
  walks_.give_back(index);
  report_node(parent);
  if (tasks_[parent.task].aborted) return end_walk(parent_index, true);
  if (parent.node().kind == NodeKind::kFanOut) return go(parent_index, parent.node().join);
  keep_result(parent);
  leave_node(parent_index, parent.error);
}

// ---- What a visit leaves behind -------------------------------------------------------------------------------------

void TaskPlayer::account(TimedWalk& walk, Cause cause) {
  const Time now = simulation_.now(), startup = std::min(now, walk.cold_to) - walk.cold_from;
  walk.causes[Cause::kStartup] += startup;
  walk.causes[cause] += now - walk.mark - startup;
  walk.mark = now;
  walk.cold_from = walk.cold_to = Time();
}

void TaskPlayer::keep_result(TimedWalk& walk) {
  const std::uint32_t context = walk.node().context;
  if (walk.result_tokens > 0 && context != kNone) walk.contexts.append(context, walk.result_tokens);
}

void TaskPlayer::report_node(const TimedWalk& walk, std::optional<std::uint64_t> call) {
  if (observers_.empty()) return;
  const Task& task = tasks_[walk.task];
  NodeVisit visit;
  visit.task = task.number;
  visit.agent = task.entry;
  visit.node = member_of(walk).first_node + walk.at();
  visit.branch = walk.branch;
  visit.parent_branch = walk.parent == kNone ? walk.branch : walks_[walk.parent].branch;
  visit.name = walk.node().name;
  visit.kind = name_of(walk.node().kind);
  visit.begin = walk.begin;
  visit.served = walk.served;
  visit.startup = walk.cold_to - walk.cold_from;
  visit.end = simulation_.now();
  visit.call = call;
  visit.tool_calls = walk.tool_calls;
  for (TaskObserver* observer : observers_) observer->on_node(visit);
}

}  // namespace tokenyard::agents
