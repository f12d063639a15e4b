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

constexpr std::uint64_t cookie_of(std::uint32_t step, std::uint32_t slot) { return std::uint64_t{step} << 32 | slot; }
constexpr std::uint32_t step_of(std::uint64_t cookie) { return static_cast<std::uint32_t>(cookie >> 32); }
constexpr std::uint32_t slot_of(std::uint64_t cookie) { return static_cast<std::uint32_t>(cookie); }

}  // namespace

bool TaskPlayer::begin_call(std::uint32_t index) {
  Step& step = steps_[index];
  step.way = &step.walk.choose(seed_, false);
  extend_context(seed_, step.walk, step.contexts);
  const FailedAttempts failed = failed_attempts(seed_, step.walk);
  if (failed.number > 0) {
    step.exhausted = failed.for_good;
    step.waiting_for = Cause::kRetry;
    wake(index, simulation_.now() + failed.backoff, Event::kWake);
  } else {
    submit_calls(index);
  }
  return true;
}

/// The back-off after the last failed attempt is over.
void TaskPlayer::retry_call(std::uint32_t index) {
  Step& step = steps_[index];
  account(step, Cause::kRetry);
  if (!step.exhausted) return submit_calls(index);
  Task& task = tasks_[step.task];
  if (!task.aborted) task.aborted = TaskStatus::kFailed;
  end_step(index, true);
}

void TaskPlayer::submit_calls(std::uint32_t index) {
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  const Entry& entry = entry_of(step);
  const std::int64_t count = copies_of(seed_, step.walk);
  Answers answers(seed_, step.walk, *step.way->edge, entry.spec.scale);

  step.open = static_cast<std::int32_t>(count);
  CallRequest request = request_of(step);
  request.part_pool = step.part.pool;
  request.part_replica = step.part.replica;
  request.waited = simulation_.now() - step.mark;
  step.part = {};
  const std::uint32_t next = step.way->target;
  const std::uint32_t next_of_family = request.node + next - step.walk.at();
  if (!node.fresh && next != step.stop && step.walk.agent().node(next).kind != NodeKind::kEnd)
    request.next_node = next_of_family;
  request.next_uses = entry.family.ahead[next_of_family];
  for (std::int64_t copy = 0; copy < count; ++copy) {
    const std::uint32_t slot = calls_.take();
    CallSlot& call = calls_[slot];
    call.part = false;
    write_prompt(seed_, step.walk, step.contexts, call.prompt);
    const Answers::Answer answer = answers.next();
    call.visible = answer.visible;
    request.prompt = call.prompt;
    request.output_tokens = answer.visible + answer.thinking;
    // Only an answer that follows its prompt in the context as it was made can be found again.
    request.output_content = node.fresh || answer.thinking > 0 || count > 1 ? 0 : step.contexts.content(node.context);
    ++request.entity;
    request.cookie = cookie_of(index, slot);
    door_.submit(request);  // may end the call, and with the last one the task, before it returns
  }
}

/// While its tool runs: what is known of the prompt to come.
void TaskPlayer::submit_part(std::uint32_t index) {
  Step& step = steps_[index];
  const Agent& agent = step.walk.agent();
  std::uint32_t next = kNone;
  for (const Agent::Route& route : agent.routes[step.walk.at()]) {
    if (route.edge->on_error) continue;
    if (next != kNone) return;
    next = route.target;
  }
  const Node& caller = agent.node(next);
  if (next == step.stop || !caller.calls_model() || caller.fresh || caller.compact) return;
  const std::uint32_t slot = calls_.take();
  CallSlot& call = calls_[slot];
  call.part = true;
  write_context(agent, caller.context, step.contexts, call.prompt);
  if (call.prompt.empty()) return calls_.give_back(slot);
  CallRequest request = request_of(step);
  request.next_node = request.node;
  request.node += next - step.walk.at();
  request.pool = member_of(step).pools[caller.role];
  request.part = true;
  request.prompt = call.prompt;
  request.cookie = cookie_of(index, slot);
  step.part = {.on_its_way = true};
  door_.submit(request);
}

void TaskPlayer::end_part(std::uint32_t index, const CallRecord& record) {
  Step& step = steps_[index];
  const bool awaited = step.part.awaited;
  step.part = {};
  if (record.status == CallStatus::kCompleted) step.part = {.pool = record.pool, .replica = record.replica};
  if (!awaited || record.status == CallStatus::kUnfinished) return;
  // The call that follows has waited from the end of the tool on; unless there will be none.
  if (step.error || tasks_[step.task].aborted) account(step, Cause::kQueue);
  leave_node(index, step.error);
}

bool TaskPlayer::begin_pictures(std::uint32_t index) {
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  const std::int64_t count = copies_of(seed_, step.walk);
  sim::Stream lengths = step.walk.stream(seed_, node.steps.stream);
  step.result_tokens = results_of(seed_, step.walk, count);
  step.open = static_cast<std::int32_t>(count);
  step.waiting_for = Cause::kMedia;
  CallRequest request = request_of(step);
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

CallRequest TaskPlayer::request_of(const Step& step) {
  const Task& task = tasks_[step.task];
  const FamilyAtWork::Member& member = member_of(step);
  CallRequest request;
  request.task = task.number;
  request.task_arrival = task.arrival;
  request.task_served = task.served;
  request.path_served = step.path_served;
  request.task_waited = task.waited;
  request.deadline = task.deadline;
  request.agent = task.entry;
  request.node = member.first_node + step.walk.at();
  request.entity = scatter(scatter(step.walk.entity() + request.node) + step.walk.visit());
  request.branch = step.branch;
  request.pool = member.pools[step.walk.node().role];
  request.listener = this;
  return request;
}

void TaskPlayer::before_call_end(std::uint64_t cookie) const {
  calls_.fetch(slot_of(cookie));
  steps_.fetch(step_of(cookie));
  tasks_.fetch(steps_[step_of(cookie)].task);
}

void TaskPlayer::on_call_end(const CallRecord& record, std::uint64_t cookie) {
  const std::uint32_t slot = slot_of(cookie);
  const CallSlot& call = calls_[slot];
  const std::uint32_t index = step_of(cookie);
  if (call.part) {
    calls_.give_back(slot);
    return end_part(index, record);
  }
  Step& step = steps_[index];
  Task& task = tasks_[step.task];
  calls_.give_back(slot);

  ++task.calls;
  task.prompt_tokens += record.prompt_tokens;
  task.cached_tokens += record.cached_tokens;
  const Time served = record.causes.served();
  task.served += served;
  task.waited += record.causes[Cause::kQueue];
  if (record.status == CallStatus::kCompleted) {
    task.output_tokens += record.output_tokens;
    step.result_tokens += call.visible;
  } else if (!task.aborted) {
    task.aborted = static_cast<TaskStatus>(record.status);
  }
  if (--step.open > 0) return;

  // The last copy to end was on the critical path.
  step.causes += record.causes;
  step.mark = simulation_.now();
  step.path_served += served;
  keep_result(step);
  if (record.scheduled != CallRecord::kNoTime) step.served = record.scheduled;
  if (entry_of(step).spec.tools.overlap != ToolOverlap::kOff)
    step.call = {record.scheduled, record.first_token, record.finish};
  report_node(step, true, record.call);
  if (task.aborted) return end_step(index, true);
  leave_node(index, false);
}

}  // namespace tokenyard::agents
