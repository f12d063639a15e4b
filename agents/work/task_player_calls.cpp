/// The calls of a task to models: repeated where they fail before they are served, then submitted, then booked.

#include "agents/work/prompts.hpp"
#include "agents/work/task_player.hpp"
#include "sim/random/scatter.hpp"

namespace tokenyard::agents {

using platforms::CallRecord;
using platforms::CallRequest;
using platforms::CallStatus;
using platforms::Cause;
using sim::scatter;
using sim::Time;

namespace {

constexpr std::uint64_t cookie_of(std::uint32_t walk, std::uint32_t slot) { return std::uint64_t{walk} << 32 | slot; }
constexpr std::uint32_t walk_of(std::uint64_t cookie) { return static_cast<std::uint32_t>(cookie >> 32); }
constexpr std::uint32_t slot_of(std::uint64_t cookie) { return static_cast<std::uint32_t>(cookie); }

}  // namespace

bool TaskPlayer::begin_call(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  walk.way = &walk.choose(false);
  extend_context(walk, walk.contexts);
  const FailedAttempts failed = failed_attempts(walk);
  if (failed.number > 0) {
    walk.exhausted = failed.for_good;
    walk.waiting_for = Cause::kRetry;
    wake(index, simulation_.now() + failed.backoff, Event::kWake);
  } else {
    submit_calls(index);
  }
  return true;
}

/// The back-off after the last failed attempt is over.
void TaskPlayer::retry_call(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  account(walk, Cause::kRetry);
  if (!walk.exhausted) return submit_calls(index);
  Task& task = tasks_[walk.task];
  if (!task.aborted) task.aborted = TaskStatus::kFailed;
  end_walk(index, true);
}

void TaskPlayer::submit_calls(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  const Node& node = walk.node();
  const Entry& entry = entry_of(walk);
  const std::int64_t count = copies_of(walk);
  Answers answers(walk, *walk.way, entry.spec.scale);

  walk.open = static_cast<std::int32_t>(count);
  CallRequest request = request_of(walk);
  request.part_pool = walk.part.pool;
  request.part_replica = walk.part.replica;
  request.waited = simulation_.now() - walk.mark;
  walk.part = {};
  const std::uint32_t next = walk.way->target;
  const std::uint32_t next_of_family = request.node + next - walk.at();
  if (!node.fresh && next != walk.stop && walk.agent().nodes[next].kind != NodeKind::kEnd)
    request.next_node = next_of_family;
  request.next_uses = entry.family.ahead[next_of_family];
  for (std::int64_t copy = 0; copy < count; ++copy) {
    const std::uint32_t slot = calls_.take();
    CallSlot& call = calls_[slot];
    call.part = false;
    write_prompt(walk, walk.contexts, call.prompt);
    const Answers::Answer answer = answers.next();
    call.visible = answer.visible;
    request.prompt = call.prompt;
    request.output_tokens = answer.visible + answer.thinking;
    // Only an answer that follows its prompt in the context as it was made can be found again.
    request.output_content = node.fresh || answer.thinking > 0 || count > 1 ? 0 : walk.contexts.content(node.context);
    ++request.entity;
    request.cookie = cookie_of(index, slot);
    door_.submit(request);  // may end the call, and with the last one the task, before it returns
  }
}

/// While its tool runs: what is known of the prompt to come.
void TaskPlayer::submit_part(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  const Agent& agent = walk.agent();
  std::uint32_t next = kNone;
  for (const Edge& edge : walk.node().edges) {
    if (edge.on_error) continue;
    if (next != kNone) return;
    next = edge.target;
  }
  const Node& caller = agent.nodes[next];
  if (next == walk.stop || !caller.calls_model() || caller.fresh || caller.compact) return;
  const std::uint32_t slot = calls_.take();
  CallSlot& call = calls_[slot];
  call.part = true;
  write_context(agent, caller.context, walk.contexts, call.prompt);
  if (call.prompt.empty()) return calls_.give_back(slot);
  CallRequest request = request_of(walk);
  request.next_node = request.node;
  request.node += next - walk.at();
  request.pool = member_of(walk).pools[caller.role];
  request.part = true;
  request.prompt = call.prompt;
  request.cookie = cookie_of(index, slot);
  walk.part = {.on_its_way = true};
  door_.submit(request);
}

void TaskPlayer::end_part(std::uint32_t index, const CallRecord& record) {
  TimedWalk& walk = walks_[index];
  const bool awaited = walk.part.awaited;
  walk.part = {};
  if (record.status == CallStatus::kCompleted) walk.part = {.pool = record.pool, .replica = record.replica};
  if (!awaited || record.status == CallStatus::kUnfinished) return;
  // The call that follows has waited from the end of the tool on; unless there will be none.
  if (walk.error || tasks_[walk.task].aborted) account(walk, Cause::kQueue);
  leave_node(index, walk.error);
}

bool TaskPlayer::begin_pictures(std::uint32_t index) {
  TimedWalk& walk = walks_[index];
  const Node& node = walk.node();
  const std::int64_t count = copies_of(walk);
  sim::Stream lengths = walk.stream(node.steps.stream);
  walk.result_tokens = results_of(walk, count);
  walk.open = static_cast<std::int32_t>(count);
  walk.waiting_for = Cause::kMedia;
  CallRequest request = request_of(walk);
  request.media = node.picture;
  request.output_tokens = 0;
  for (std::int64_t copy = 0; copy < count; ++copy) {
    const std::uint32_t slot = calls_.take();
    calls_[slot].visible = 0;
    calls_[slot].part = false;
    calls_[slot].prompt.clear();
    request.media.steps = node.steps.of.sample_tokens(lengths);
    request.cookie = cookie_of(index, slot);
    door_.submit(request);
  }
  return true;
}

CallRequest TaskPlayer::request_of(const TimedWalk& walk) {
  const Task& task = tasks_[walk.task];
  const FamilyAtWork::Member& member = member_of(walk);
  CallRequest request;
  request.task = task.number;
  request.task_arrival = task.arrival;
  request.task_served = task.work.served;
  request.path_served = walk.path_served;
  request.task_waited = task.work.waited;
  request.deadline = task.deadline;
  request.agent = task.entry;
  request.node = member.first_node + walk.at();
  request.entity = scatter(scatter(walk.entity() + request.node) + walk.visit());
  request.branch = walk.branch;
  request.pool = member.pools[walk.node().role];
  request.listener = this;
  return request;
}

void TaskPlayer::before_call_end(std::uint64_t cookie) const {
  calls_.fetch(slot_of(cookie));
  walks_.fetch(walk_of(cookie));
  tasks_.fetch(walks_[walk_of(cookie)].task);
}

void TaskPlayer::on_call_end(const CallRecord& record, std::uint64_t cookie) {
  const std::uint32_t slot = slot_of(cookie);
  const CallSlot& call = calls_[slot];
  const std::uint32_t index = walk_of(cookie);
  if (call.part) {
    calls_.give_back(slot);
    return end_part(index, record);
  }
  TimedWalk& walk = walks_[index];
  Task& task = tasks_[walk.task];
  calls_.give_back(slot);

  const Time served = task.work.add(record);
  if (record.status == CallStatus::kCompleted) {
    walk.result_tokens += call.visible;
  } else if (!task.aborted) {
    task.aborted = record.status;
  }
  if (--walk.open > 0) return;

  // The last copy to end was on the critical path.
  walk.causes += record.causes;
  walk.mark = simulation_.now();
  walk.path_served += served;
  keep_result(walk);
  if (record.scheduled != CallRecord::kNoTime) walk.served = record.scheduled;
  if (entry_of(walk).spec.tools.overlap != ToolOverlap::kNoOverlap)
    walk.call = {record.scheduled, record.first_token, record.finish};
  report_node(walk, record.call);
  if (task.aborted) return end_walk(index, true);
  leave_node(index, false);
}

}  // namespace tokenyard::agents
