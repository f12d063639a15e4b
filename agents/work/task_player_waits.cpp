/// What a task waits for between its calls: tools, and people, with queues where they serve only so many at a time.

#include <algorithm>

#include "agents/work/task_player.hpp"

namespace tokenyard::agents {

using platforms::Cause;
using sim::Time;

bool TaskPlayer::begin_wait(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  const Node& node = walk.node();
  const Entry& entry = entry_of(walk);
  const std::int64_t count = copies_of(walk);
  walk.waiting_for = node.kind == NodeKind::kHuman ? Cause::kHuman : Cause::kTool;
  if (node.kind != NodeKind::kHuman) {
    walk.tool_calls = static_cast<std::uint32_t>(count);
    tasks_[walk.task].work.tool_calls += walk.tool_calls;
  }
  walk.open = static_cast<std::int32_t>(count);

  const ToolOverlapOptions& tools = entry.spec.tools;
  const bool behind_its_call =
      tools.overlap != ToolOverlap::kNoOverlap && node.kind == NodeKind::kTool && walk.call.end == simulation_.now();
  Service* const service = node.service != kNone ? &member_of(walk).services[node.service] : nullptr;
  ToolRuns runs(walk, entry.spec.scale);
  Time longest;
  for (std::int64_t copy = 0; copy < count; ++copy) {
    auto [takes, failed, result] = runs.next();
    if (behind_its_call) {
      const bool guessed = tools.overlap == ToolOverlap::kSpeculative && foreseen(walk, copy, tools.right);
      takes = std::max(Time(), takes - head_start(tools.overlap, walk.call, copy, count, guessed));
    }
    walk.error = walk.error || failed;
    walk.result_tokens += result;
    longest = std::max(longest, takes);
    if (service != nullptr) service->arrive({index, takes});
  }
  if (service == nullptr && longest == Time()) {  // no time passes: on at once
    keep_result(walk);
    report_node(walk);
    return false;
  }
  if (service != nullptr) {
    serve(tasks_[walk.task].entry, walk.member, node.service);
  } else {
    wake(index, simulation_.now() + longest, Event::kWake);
  }
  if (splits_prompts(tools.overlap) && node.kind != NodeKind::kHuman) submit_part(index);
  return true;
}

/// Begins with whom the service can begin now, and comes back when it can with others.
void TaskPlayer::serve(std::uint32_t entry, std::uint32_t member, std::uint32_t index) {
  Service& service = entries_[entry].family.members[member].services[index];
  const Time now = simulation_.now();
  while (!service.nobody_waits()) {
    const std::span<const Service::Begun> begun = service.begin(now);
    if (begun.empty()) break;
    for (const Service::Begun& job : begun) {
      TimedWalk& walk = walks_[job.walk];
      walk.served = now;
      if (job.end >= walk.last_end) {
        walk.last_end = job.end;
        walk.cold_from = now;
        walk.cold_to = now + job.startup;
      }
      wake(job.walk, job.end, job.frees ? Event::kServed : Event::kServedBesides);
    }
  }
  if (service.nobody_waits()) return;
  const Time due = service.due(now);
  if (due == Time::never() || due == service.alarm) return;
  service.alarm = due;
  simulation_.schedule(due, sim::Priority::kWake, services_, *this,
                       static_cast<std::uint64_t>(Event::kService) << 62 | std::uint64_t{entry} << 40 |
                           std::uint64_t{member} << 20 | index);
}

void TaskPlayer::end_service(std::uint32_t index, bool frees) {
  TimedWalk& walk = walks_[index];
  if (frees) {
    const std::uint32_t service = walk.node().service;
    member_of(walk).services[service].finish(simulation_.now());
    serve(tasks_[walk.task].entry, walk.member, service);
  }
  if (--walk.open == 0) end_wait(index);
}

void TaskPlayer::end_wait(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  keep_result(walk);
  report_node(walk);
  account(walk, walk.waiting_for);
  if (walk.part.on_its_way) {
    walk.part.awaited = true;
    walk.waiting_for = Cause::kQueue;
  } else {
    leave_node(index, walk.error);
  }
}

}  // namespace tokenyard::agents
