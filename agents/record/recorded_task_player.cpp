#include "agents/record/recorded_task_player.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "agents/record/model_pools.hpp"

namespace tokenyard::agents {

using platforms::CallRecord;
using platforms::CallRequest;
using platforms::CallStatus;
using platforms::Cause;
using platforms::CauseTimes;
using sim::Time;

namespace {

constexpr std::uint64_t pack(std::uint32_t play, std::uint32_t step) { return std::uint64_t{play} << 32 | step; }

}  // namespace

RecordedTaskPlayer::RecordedTaskPlayer(sim::Simulation& simulation, platforms::FrontDoor& door,
                                       RecordedTaskSource& source, const ReplayPlan& plan,
                                       std::vector<std::uint32_t> pools, std::uint64_t seed)
    : simulation_(simulation),
      door_(door),
      source_(source),
      plan_(plan),
      arrivals_(simulation, source, plan_, seed,
                [this](RecordedTask& task, std::uint32_t user) { begin_task(task, user); }),
      pools_(std::move(pools)) {}

// ---- Events ---------------------------------------------------------------------------------------------------------

/// What a step waited for is over.
void RecordedTaskPlayer::on_event(Time, std::uint64_t argument) {
  const auto high = static_cast<std::uint32_t>(argument >> 32), low = static_cast<std::uint32_t>(argument);
  Play& play = plays_[high];
  Progress& progress = play.progress[low];
  if (progress.state == State::kDelayed) {
    --play.busy;
    if (play.aborted) {
      play.path = progress.causes;
      play.path_end = simulation_.now();
    }
    play.can_begin.push_back(low);
    std::push_heap(play.can_begin.begin(), play.can_begin.end(), std::greater<>());
  } else {
    CauseTimes causes = progress.causes;
    account(play, low, causes);
    end_step(high, low, causes);
  }
  advance(high);
}

void RecordedTaskPlayer::wake(std::uint32_t play, std::uint32_t step, Time date) {
  simulation_.schedule(date, sim::Priority::kWake, plays_[play].events, *this, pack(play, step));
}

// ---- Tasks ----------------------------------------------------------------------------------------------------------

void RecordedTaskPlayer::begin_task(RecordedTask& task, std::uint32_t user) {
  const std::uint32_t index = plays_.take();
  Play& play = plays_[index];
  std::swap(play.task, task);
  play.user = user;
  play.record = {};
  play.record.task = begun_++;
  play.record.agent = play.task.agent;
  play.record.arrival = play.path_end = simulation_.now();
  play.path = {};
  play.aborted = {};
  play.live = true;
  play.events = {play.record.task, 0};
  play.steps_left = static_cast<std::uint32_t>(play.task.steps.size());
  play.busy = 0;
  play.can_begin.clear();
  link_steps(play);
  for (std::uint32_t s = 0; s < play.task.steps.size(); ++s) {
    if (play.task.steps[s].dependencies == 0) release(index, s);
  }
  advance(index);
}

void RecordedTaskPlayer::link_steps(Play& play) {
  const RecordedTask& task = play.task;
  const auto steps = static_cast<std::uint32_t>(task.steps.size());
  play.progress.assign(steps, {});
  play.first_dependent.assign(steps + 1, 0);
  for (const RecordedDependency& dependency : task.dependencies) ++play.first_dependent[dependency.step + 1];
  for (std::uint32_t s = 0; s < steps; ++s) play.first_dependent[s + 1] += play.first_dependent[s];
  play.dependents.resize(task.dependencies.size());
  std::vector<std::uint32_t> fill(play.first_dependent.begin(), play.first_dependent.end() - 1);
  for (std::uint32_t s = 0; s < steps; ++s) {
    const RecordedStep& step = task.steps[s];
    play.progress[s].open_dependencies = step.dependencies;
    play.progress[s].begin = play.record.arrival;
    for (std::uint32_t d = step.first_dependency; d < step.first_dependency + step.dependencies; ++d) {
      play.dependents[fill[task.dependencies[d].step]++] = {s, d};
    }
  }
}

void RecordedTaskPlayer::end_task(std::uint32_t index) {
  Play& play = plays_[index];
  play.live = false;
  TaskRecord record = play.record;
  record.finish = simulation_.now();
  record.status =
      play.aborted.value_or(play.task.status == TaskStatus::kFailed ? TaskStatus::kFailed : TaskStatus::kCompleted);
  record.causes = play.path;
  const std::uint32_t user = play.user;
  door_.forget(record.task);
  plays_.give_back(index);
  for (TaskObserver* observer : observers_) observer->on_task(record);
  arrivals_.on_task_end(user);
}

// ---- Steps ----------------------------------------------------------------------------------------------------------

/// What waits for `step` to be dispatched or to complete need wait no longer, but for its delay.
void RecordedTaskPlayer::meet(std::uint32_t index, std::uint32_t step, Trigger trigger) {
  Play& play = plays_[index];
  const CauseTimes& causes = trigger == Trigger::kDispatch ? play.progress[step].causes : play.path;
  for (std::uint32_t i = play.first_dependent[step]; i < play.first_dependent[step + 1]; ++i) {
    const auto [dependent, which] = play.dependents[i];
    const RecordedDependency& dependency = play.task.dependencies[which];
    if (dependency.trigger != trigger) continue;
    Progress& progress = play.progress[dependent];
    const Time delay = plan_.shortened(dependency.delay);
    progress.path_served = std::max(progress.path_served, play.progress[step].path_served);
    const bool first = progress.open_dependencies == play.task.steps[dependent].dependencies;
    if (first || simulation_.now() + delay >= progress.begin) {
      progress.begin = simulation_.now() + delay;
      progress.causes = causes;
      progress.causes[dependency.cause] += delay;
      progress.waiting_for = dependency.cause;
    }
    if (--progress.open_dependencies == 0) release(index, dependent);
  }
}

/// All dependencies are met: the step begins, now or at its date.
void RecordedTaskPlayer::release(std::uint32_t index, std::uint32_t step) {
  Play& play = plays_[index];
  Progress& progress = play.progress[step];
  const RecordedStep& recorded = play.task.steps[step];
  const Time not_before = play.record.arrival + plan_.scaled(recorded.not_before);
  if (not_before > progress.begin) {
    progress.waiting_for = recorded.kind == StepKind::kCall ? recorded.cause : Cause::kOther;
    progress.causes[progress.waiting_for] += not_before - progress.begin;
    progress.begin = not_before;
  }
  if (progress.begin > simulation_.now()) {
    if (play.aborted) return;
    progress.state = State::kDelayed;
    ++play.busy;
    return wake(index, step, progress.begin);
  }
  play.can_begin.push_back(step);
  std::push_heap(play.can_begin.begin(), play.can_begin.end(), std::greater<>());
}

/// Begins what can begin, in the order of the record, until nothing can; ends the task when nothing is left.
void RecordedTaskPlayer::advance(std::uint32_t index) {
  Play& play = plays_[index];
  if (play.advancing) return;
  play.advancing = true;
  while (!play.can_begin.empty() && !play.aborted) {
    std::pop_heap(play.can_begin.begin(), play.can_begin.end(), std::greater<>());
    const std::uint32_t step = play.can_begin.back();
    play.can_begin.pop_back();
    begin_step(index, step);
  }
  play.advancing = false;
  if (play.busy == 0 && (play.steps_left == 0 || play.aborted)) end_task(index);
}

void RecordedTaskPlayer::begin_step(std::uint32_t index, std::uint32_t s) {
  Play& play = plays_[index];
  const RecordedStep& step = play.task.steps[s];
  Progress& progress = play.progress[s];
  progress.state = State::kRunning;
  progress.begin = progress.served = simulation_.now();
  ++play.busy;
  meet(index, s, Trigger::kDispatch);
  const std::uint32_t pool = step.kind == StepKind::kCall ? pools_[step.model] : kDropped;
  if (pool != kDropped) {
    CallRequest request;
    request.task = play.record.task;
    request.entity = step.entity != 0 ? step.entity : play.record.task << 24 | s;
    request.task_arrival = play.record.arrival;
    request.task_served = play.record.served;
    request.path_served = progress.path_served;
    request.task_waited = play.record.waited;
    request.agent = play.record.agent;
    request.node = step.node;
    request.next_node = next_node(play, s);
    request.branch = step.branch;
    request.pool = pool;
    request.prompt = {play.task.extents.data() + step.first_extent, step.extents};
    request.output_tokens = step.output_tokens;
    request.output_content = step.output_content;
    request.listener = this;
    request.cookie = pack(index, s);
    return door_.submit(request);
  }
  if (step.kind == StepKind::kCall) ++dropped_calls_;
  if (step.kind == StepKind::kTool) play.record.tool_calls += step.count;
  progress.waiting_for = step.kind == StepKind::kCall ? Cause::kOther : step.cause;
  const Time duration = plan_.shortened(step.duration);
  if (duration == Time()) return end_step(index, s, progress.causes);
  wake(index, s, simulation_.now() + duration);
}

/// What the task does when the step has ended: the first that waits for it.
std::uint32_t RecordedTaskPlayer::next_node(const Play& play, std::uint32_t step) {
  for (std::uint32_t i = play.first_dependent[step]; i < play.first_dependent[step + 1]; ++i) {
    const Dependent& next = play.dependents[i];
    if (play.task.dependencies[next.dependency].trigger == Trigger::kCompletion) return play.task.steps[next.step].node;
  }
  return CallRequest::kNoNode;
}

void RecordedTaskPlayer::end_step(std::uint32_t index, std::uint32_t s, const CauseTimes& causes,
                                  std::optional<std::uint64_t> call) {
  Play& play = plays_[index];
  play.progress[s].state = State::kDone;
  --play.busy;
  --play.steps_left;
  play.path = causes;
  play.path_end = simulation_.now();
  report_node(play, s, call);
  meet(index, s, Trigger::kCompletion);
}

void RecordedTaskPlayer::account(const Play& play, std::uint32_t s, CauseTimes& causes) const {
  const Time took = simulation_.now() - play.progress[s].begin;
  const Time startup = std::min(took, play.task.steps[s].startup);
  causes[Cause::kStartup] += startup;
  causes[play.progress[s].waiting_for] += took - startup;
}

void RecordedTaskPlayer::report_node(const Play& play, std::uint32_t s, std::optional<std::uint64_t> call) {
  if (observers_.empty()) return;
  const RecordedStep& step = play.task.steps[s];
  NodeVisit visit;
  visit.task = play.record.task;
  visit.agent = play.record.agent;
  visit.node = step.node;
  visit.branch = step.branch;
  visit.parent_branch = step.parent_branch;
  visit.name = source_.names().nodes[play.task.agent][step.node].name;
  visit.kind = kStepKindNames[static_cast<std::size_t>(step.kind)];
  visit.begin = play.progress[s].begin;
  visit.served = play.progress[s].served;
  visit.end = simulation_.now();
  visit.startup = std::min(step.startup, visit.end - visit.begin);
  visit.call = call;
  if (step.kind == StepKind::kTool) visit.tool_calls = step.count;
  for (TaskObserver* observer : observers_) observer->on_node(visit);
}

void RecordedTaskPlayer::on_call_end(const CallRecord& record, std::uint64_t cookie) {
  const auto index = static_cast<std::uint32_t>(cookie >> 32), s = static_cast<std::uint32_t>(cookie);
  Play& play = plays_[index];
  Progress& progress = play.progress[s];
  progress.path_served += play.record.add(record);
  if (record.status != CallStatus::kCompleted && !play.aborted) play.aborted = record.status;
  if (record.scheduled != CallRecord::kNoTime) progress.served = record.scheduled;
  CauseTimes causes = progress.causes;
  causes += record.causes;
  end_step(index, s, causes, record.call);
  advance(index);
}

std::vector<std::string> RecordedTaskPlayer::left_out() const {
  std::vector<std::string> words = in_words(source_.left_out());
  if (dropped_calls_ > 0)
    words.push_back(fmt::format("{} calls of models without a pool were played as waits", dropped_calls_));
  if (arrivals_.outside() > 0)
    words.push_back(fmt::format("{} tasks outside the chosen part of the trace were left out", arrivals_.outside()));
  return words;
}

// ---- The end of a run -----------------------------------------------------------------------------------------------

void RecordedTaskPlayer::finish_unfinished() {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> open;  // by task number
  for (std::uint32_t p = 0; p < plays_.size(); ++p) {
    if (plays_[p].live) open.emplace_back(plays_[p].record.task, p);
  }
  std::sort(open.begin(), open.end());
  arrivals_.stop();  // nobody begins anew
  for (const auto& [number, index] : open) {
    Play& play = plays_[index];
    // Of what runs, the step recorded first stands for the critical path; else the step that is still delayed.
    const auto find = [&](State state) {
      return std::find_if(play.progress.begin(), play.progress.end(),
                          [&](const Progress& p) { return p.state == state; });
    };
    if (const auto running = find(State::kRunning); running != play.progress.end()) {
      play.path = running->causes;
      account(play, static_cast<std::uint32_t>(running - play.progress.begin()), play.path);
    } else {
      const auto delayed = find(State::kDelayed);
      const Cause cause = delayed != play.progress.end() ? delayed->waiting_for : Cause::kOther;
      play.path[cause] += simulation_.now() - play.path_end;
    }
    play.aborted = TaskStatus::kUnfinished;
    end_task(index);
  }
}

}  // namespace tokenyard::agents
