#include "traces/readers/call_graph.hpp"

#include <fmt/format.h>
#include <numeric>

namespace tokenyard::traces {

using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using platforms::Cause;
using sim::Time;

void CallGraph::add(Call call) {
  if (call_of_.size() <= call.id) call_of_.resize(call.id + 1, kNone);
  call_of_[call.id] = static_cast<std::uint32_t>(calls_.size());
  calls_.push_back(std::move(call));
}

void CallGraph::build(TaskList& list, FaultLog& log, std::string_view expected) {
  call_of_.resize(numbers_.size() + 1, kNone);
  dropped_.assign(calls_.size(), false);
  list.all_names.models = models;
  drop_dangling(log);
  for (const std::vector<std::uint32_t>& group : groups()) build_task(group, list, log);
  list.finish(log, path_, expected);
}

/// A call that waits for none of the file's calls cannot be placed, nor can what waits for it.
void CallGraph::drop_dangling(FaultLog& log) {
  for (std::uint32_t c = 0; c < calls_.size(); ++c) {
    for (const Wait& wait : calls_[c].waits) {
      const Call* other = call_of_[wait.id] == kNone ? nullptr : &calls_[call_of_[wait.id]];
      if (other != nullptr && other->play == calls_[c].play) continue;
      dropped_[c] = true;
      log.refuse(
          {path_, fmt::format("line {}", calls_[c].line), fmt::format("{} = \"{}\"", wait.pointer, name_of(wait.id)),
           other == nullptr ? "the request_id of a row of this file" : "a request_id of the same play_id"},
          "calls that wait for a call that is missing");
      break;
    }
  }
  std::vector<std::vector<std::uint32_t>> followers(calls_.size());
  std::vector<std::uint32_t> to_follow;
  for (std::uint32_t c = 0; c < calls_.size(); ++c) {
    if (dropped_[c]) {
      to_follow.push_back(c);
    } else {
      for (const Wait& wait : calls_[c].waits) followers[call_of_[wait.id]].push_back(c);
    }
  }
  while (!to_follow.empty()) {
    const std::uint32_t gone = to_follow.back();
    to_follow.pop_back();
    for (const std::uint32_t c : followers[gone]) {
      if (dropped_[c]) continue;
      dropped_[c] = true;
      log.leave_out("calls that wait for a call that is left out");
      to_follow.push_back(c);
    }
  }
}

/// The calls of each task, in the order of the file; tasks in the order of their first calls.
std::vector<std::vector<std::uint32_t>> CallGraph::groups() const {
  std::vector<std::uint32_t> parent(calls_.size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](std::uint32_t c) {
    while (parent[c] != c) c = parent[c] = parent[parent[c]];
    return c;
  };
  const auto join = [&](std::uint32_t a, std::uint32_t b) {
    a = root(a);
    b = root(b);
    parent[std::max(a, b)] = std::min(a, b);
  };
  std::vector<std::uint32_t> first_of(numbers_.size() + 1, kNone);
  for (std::uint32_t c = 0; c < calls_.size(); ++c) {
    if (dropped_[c]) continue;
    const std::uint32_t key = calls_[c].play != 0 ? calls_[c].play : calls_[c].session;
    if (key != 0) {
      if (first_of[key] != kNone) join(first_of[key], c);
      first_of[key] = c;
    }
    for (const Wait& wait : calls_[c].waits) join(c, call_of_[wait.id]);
  }
  std::vector<std::vector<std::uint32_t>> groups;
  std::vector<std::uint32_t> group_of(calls_.size(), kNone);
  for (std::uint32_t c = 0; c < calls_.size(); ++c) {
    if (dropped_[c]) continue;
    std::uint32_t& group = group_of[root(c)];
    if (group == kNone) {
      group = static_cast<std::uint32_t>(groups.size());
      groups.emplace_back();
    }
    groups[group].push_back(c);
  }
  return groups;
}

void CallGraph::build_task(const std::vector<std::uint32_t>& group, TaskList& list, FaultLog& log) {
  std::vector<std::vector<std::uint32_t>> before(group.size());
  for (std::uint32_t i = 0; i < group.size(); ++i) {
    for (const Wait& wait : calls_[group[i]].waits) {
      const auto at = std::lower_bound(group.begin(), group.end(), call_of_[wait.id]);
      before[i].push_back(static_cast<std::uint32_t>(at - group.begin()));
    }
  }
  const std::vector<std::uint32_t> order = topological_order(before);
  if (order.size() < group.size()) {
    std::string cycle;
    const std::vector<std::uint32_t> members = find_cycle(before, order);
    for (const std::uint32_t i : members) cycle += fmt::format("\"{}\" waits for ", name_of(calls_[group[i]].id));
    cycle += fmt::format("\"{}\"", name_of(calls_[group[members[0]]].id));
    log.refuse({path_, fmt::format("line {}", calls_[group[members[0]]].line), cycle,
                "calls that wait for earlier ones, without a cycle"},
               "tasks with a cycle");
    return;
  }
  RecordedTask task;
  task.agent = list.all_names.agent("agent");
  task.arrival = Time::never();
  for (const std::uint32_t c : group) {
    if (calls_[c].waits.empty()) task.arrival = std::min(task.arrival, calls_[c].date);
  }
  std::vector<std::uint32_t> step_of(group.size(), kNone);  // by place in the group
  std::map<std::uint32_t, Branch> branches;
  for (const std::uint32_t i : order) {
    std::vector<std::uint32_t> waited;
    for (const std::uint32_t p : before[i]) waited.push_back(step_of[p]);
    add_steps(calls_[group[i]], task, list, waited, branches);
    step_of[i] = static_cast<std::uint32_t>(task.steps.size() - 1);
  }
  if (log.accept(task, path_, fmt::format("line {}", calls_[group.front()].line)))
    list.tasks.push_back(std::move(task));
}

/// The call, and before it its tools, if any.
void CallGraph::add_steps(const Call& call, RecordedTask& task, TaskList& list, std::vector<std::uint32_t>& waited,
                          std::map<std::uint32_t, Branch>& branches) {
  const std::uint32_t parent =
      waited.empty() ? static_cast<std::uint32_t>(branches.size()) : task.steps[waited[0]].branch;
  const auto [branch, is_new] = branches.try_emplace(call.session);
  if (is_new) branch->second = {static_cast<std::uint32_t>(branches.size() - 1), parent};
  RecordedStep base;
  base.branch = branch->second.number;
  base.parent_branch = branch->second.parent;
  if (call.date > task.arrival) base.not_before = call.date - task.arrival;
  const auto wait_for_all = [&](Time delay) {
    for (std::size_t w = 0; w < waited.size(); ++w) {
      task.depend({waited[w], call.waits[w].trigger, call.delay_cause, call.waits[w].delay + delay});
    }
  };
  const bool tools = call.tools > Time() || call.tool_calls > 0;
  if (tools) {
    RecordedStep& tool = task.steps.emplace_back(base);
    tool.kind = StepKind::kTool;
    tool.cause = Cause::kTool;
    tool.node = list.all_names.node(task.agent, StepKind::kTool, call.tool_names.empty() ? "tools" : call.tool_names);
    tool.duration = call.tools;
    tool.count = std::max(1U, call.tool_calls);
    wait_for_all({});
    base.not_before = {};
  }
  RecordedStep& step = task.steps.emplace_back(base);
  step.node = list.all_names.node(task.agent, StepKind::kCall, models[call.model]);
  step.model = call.model;
  step.first_extent = static_cast<std::uint32_t>(task.extents.size());
  step.extents = static_cast<std::uint32_t>(call.prompt.size());
  task.extents.insert(task.extents.end(), call.prompt.begin(), call.prompt.end());
  step.output_tokens = call.output_tokens;
  step.duration = call.duration;
  if (tools) {
    task.depend({static_cast<std::uint32_t>(task.steps.size() - 2), agents::Trigger::kCompletion, call.delay_cause,
                 call.delay});
  } else {
    wait_for_all(call.delay);
  }
}

}  // namespace tokenyard::traces
