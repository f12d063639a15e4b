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
constexpr std::uint32_t kMostStepsAtOnce = 10'000'000;

}  // namespace

/// A branch goes on with the contexts of its parent.
std::uint32_t TaskPlayer::new_step(std::uint32_t task, std::uint32_t parent, std::uint32_t member, std::uint32_t path,
                                   bool branch) {
  const std::uint32_t index = steps_.take();
  Step& step = steps_[index];
  const Agent& agent = *entries_[tasks_[task].entry].family.members[member].agent;
  step.walk.reset(agent, tasks_[task].entity, path);
  step.contexts.reset(agent.contexts.size(), tasks_[task].contents, branch ? &steps_[parent].contexts : nullptr);
  step.task = task;
  step.parent = parent;
  step.member = member;
  step.branch = tasks_[task].branches++;
  step.stop = kNone;
  step.live = true;
  step.mark = simulation_.now();
  step.path_served = parent == kNone ? Time() : steps_[parent].path_served;
  step.causes = {};
  step.call = {};
  step.part = {};
  step.error = step.exhausted = false;
  return index;
}

/// On to `node`, and further as long as nothing takes time.
void TaskPlayer::go(std::uint32_t index, std::uint32_t node) {
  for (std::uint32_t at_once = 0;; ++at_once) {
    Step& step = steps_[index];
    if (at_once > kMostStepsAtOnce) {
      throw sim::Infeasible(
          fmt::format("{}: a task goes on through node \"{}\" for ever, and no step of its loop takes time. Lower the "
                      "probability or \"max\" of the edge that leads back.",
                      step.walk.agent().file, step.walk.node().name));
    }
    if (tasks_[step.task].aborted) return end_step(index, true);
    if (node == step.stop) return end_step(index, false);
    step.walk.enter(node);
    step.begin = step.served = step.mark;
    step.error = false;
    step.result_tokens = 0;
    if (step.walk.node().kind == NodeKind::kEnd) return end_step(index, step.walk.node().failed);
    if (begin_node(index)) return;
    node = step.walk.choose(seed_, step.error).target;
  }
}

bool TaskPlayer::begin_node(std::uint32_t index) {
  switch (steps_[index].walk.node().kind) {
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
  Step& step = steps_[index];
  const Agent::Route& way = step.way != nullptr ? *step.way : step.walk.choose(seed_, error);
  step.way = nullptr;
  go(index, way.target);
}

void TaskPlayer::end_step(std::uint32_t index, bool failed) {
  Step& step = steps_[index];
  step.live = false;
  step.way = nullptr;
  if (step.parent != kNone) return end_branch(step.parent, index, failed);
  end_task(index, failed);
}

// ---- Branches and sub-agents ----------------------------------------------------------------------------------------

bool TaskPlayer::begin_branches(std::uint32_t index) {
  Step& step = steps_[index];
  const std::vector<Agent::Route>& routes = step.walk.agent().routes[step.walk.at()];
  const std::uint32_t join = step.walk.node().join;
  step.open = static_cast<std::int32_t>(routes.size());
  std::vector<std::uint32_t> branches;
  for (const Agent::Route& route : routes) {
    const std::uint32_t branch = new_step(step.task, index, step.member, step.walk.fork_path(route.edge->index), true);
    steps_[branch].stop = join;
    branches.push_back(branch);
  }
  for (std::size_t i = 0; i < branches.size(); ++i) go(branches[i], routes[i].target);
  return true;
}

bool TaskPlayer::begin_sub_agents(std::uint32_t index) {
  Step& step = steps_[index];
  const std::int64_t count = copies_of(seed_, step.walk);
  const std::uint32_t member = member_of(step).sub_agents[step.walk.node().sub_agent];
  const std::uint32_t start = entry_of(step).family.members[member].agent->start;
  step.result_tokens = results_of(seed_, step.walk, count);
  step.open = static_cast<std::int32_t>(count);
  std::vector<std::uint32_t> copies_begun;
  for (std::int64_t copy = 0; copy < count; ++copy) {
    copies_begun.push_back(new_step(step.task, index, member, step.walk.fork_path(static_cast<std::uint32_t>(copy))));
  }
  for (const std::uint32_t copy : copies_begun) go(copy, start);
  return true;
}

void TaskPlayer::end_branch(std::uint32_t parent_index, std::uint32_t index, bool failed) {
  Step& parent = steps_[parent_index];
  Step& child = steps_[index];
  if (child.contexts.of_branch()) child.contexts.merge_into_parent();
  parent.error = parent.error || failed;
  parent.path_served = std::max(parent.path_served, child.path_served);
  if (--parent.open > 0) {
    steps_.give_back(index);
    return;
  }
  parent.causes += child.causes;
  parent.mark = simulation_.now();
  steps_.give_back(index);
  report_node(parent, false, 0);
  if (tasks_[parent.task].aborted) return end_step(parent_index, true);
  if (parent.walk.node().kind == NodeKind::kFanOut) return go(parent_index, parent.walk.node().join);
  keep_result(parent);
  leave_node(parent_index, parent.error);
}

// ---- What a visit leaves behind -------------------------------------------------------------------------------------

void TaskPlayer::account(Step& step, Cause cause) {
  step.causes[cause] += simulation_.now() - step.mark;
  step.mark = simulation_.now();
}

void TaskPlayer::keep_result(Step& step) {
  const std::uint32_t context = step.walk.node().context;
  if (step.result_tokens > 0 && context != kNone) step.contexts.append(context, step.result_tokens);
}

void TaskPlayer::report_node(const Step& step, bool has_call, std::uint64_t call) {
  if (observers_.empty()) return;
  const Task& task = tasks_[step.task];
  NodeVisit visit;
  visit.task = task.number;
  visit.agent = task.entry;
  visit.node = member_of(step).first_node + step.walk.at();
  visit.branch = step.branch;
  visit.parent_branch = step.parent == kNone ? step.branch : steps_[step.parent].branch;
  visit.name = step.walk.node().name;
  visit.kind = kNodeKindNames[static_cast<std::size_t>(step.walk.node().kind)];
  visit.begin = step.begin;
  visit.served = step.served;
  visit.end = simulation_.now();
  visit.has_call = has_call;
  visit.call = call;
  for (TaskObserver* observer : observers_) observer->on_node(visit);
}

}  // namespace tokenyard::agents
