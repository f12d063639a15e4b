#include "agents/work/task_player.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <fmt/format.h>

#include "agents/graph/steps_ahead.hpp"
#include "sim/core/error.hpp"
#include "sim/core/rounded.hpp"
#include "sim/input/faults.hpp"
#include "sim/random/scatter.hpp"

namespace tokenyard::agents {

using platforms::CallRecord;
using platforms::CallRequest;
using platforms::CallStatus;
using platforms::Cause;
using platforms::CauseTimes;
using sim::scatter;
using sim::Stream;
using sim::Time;

namespace {

constexpr sim::StreamName kGuesses("tool-guesses");
/// Of a walk that takes no time: more are an endless loop.
constexpr std::uint32_t kMostStepsAtOnce = 10'000'000;

std::int64_t scaled(std::int64_t value, double factor) {
  return factor == 1 ? value : sim::rounded(static_cast<double>(value) * factor);
}

}  // namespace

/// An entry with what it needs at run time.
struct TaskPlayer::Entry {
  struct Member {
    const Agent* agent;
    std::uint32_t first_node;               ///< number of its node 0 among the family's
    std::vector<std::uint32_t> sub_agents;  ///< members, by the agent's sub_agents
    std::vector<std::uint32_t> pools;       ///< by role
    std::vector<Service> services;
  };
  WorkloadEntry spec;
  std::vector<Member> members;
  std::vector<std::vector<platforms::NextUse>> ahead;  ///< by node of the family
  std::deque<std::uint32_t> paused;                    ///< the first steps of tasks that wait to be admitted
  std::uint64_t at_work = 0;                           ///< tasks
  bool admitting = false;
};

TaskPlayer::TaskPlayer(sim::Simulation& simulation, platforms::FrontDoor& door, std::uint64_t seed,
                       std::vector<WorkloadEntry> entries, Time end)
    : simulation_(simulation),
      door_(door),
      seed_(seed),
      arrivals_(simulation, seed, end, [this](std::uint32_t entry, std::uint64_t entity, std::uint32_t user) {
        begin_task(entry, entity, user);
      }) {
  for (WorkloadEntry& spec : entries) {
    Entry entry;
    const std::vector<const Agent*> members = family(*spec.agent);
    std::uint32_t first_node = 0;
    for (std::size_t m = 0; m < members.size(); ++m) {
      Entry::Member member{members[m], first_node, {}, spec.pools[m], {}};
      first_node += members[m]->nodes();
      for (const auto& sub : members[m]->sub_agents) {
        member.sub_agents.push_back(
            static_cast<std::uint32_t>(std::find(members.begin(), members.end(), sub.get()) - members.begin()));
      }
      for (std::size_t s = 0; s < members[m]->services.size(); ++s) {
        member.services.emplace_back(spec.capacities.empty() ? members[m]->services[s].capacity
                                                             : spec.capacities[m][s]);
      }
      entry.members.push_back(std::move(member));
    }
    entry.ahead = steps_ahead(members);
    arrivals_.add({spec.name, spec.arrivals, spec.closed_loop, spec.max_tasks});
    entry.spec = std::move(spec);
    entries_.push_back(std::move(entry));
  }
}

TaskPlayer::~TaskPlayer() = default;

const Service& TaskPlayer::service(std::size_t entry, std::size_t member, std::size_t service) const {
  return entries_[entry].members[member].services[service];
}

// ---- Events ---------------------------------------------------------------------------------------------------------

void TaskPlayer::on_event(Time, std::uint64_t argument) {
  const auto low = static_cast<std::uint32_t>(argument);
  switch (static_cast<Event>(argument >> 62)) {
    case Event::kWake: {
      Step& step = steps_[low];
      if (!step.walk.node().calls_model()) return end_wait(low);
      account(step, Cause::kRetry);
      if (!step.exhausted) return submit_calls(low);
      Task& task = tasks_[step.task];
      if (!task.aborted) task.aborted = TaskStatus::kFailed;
      return end_step(low, true);
    }
    case Event::kServed: {
      Step& step = steps_[low];
      const std::uint32_t service = step.walk.node().service;
      Entry::Member& member = entries_[tasks_[step.task].entry].members[step.member];
      if (const auto next = member.services[service].finish()) begin_service(next->walk, next->duration);
      if (--step.open == 0) end_wait(low);
      return;
    }
  }
}

void TaskPlayer::wake(std::uint32_t index, Time date, Event event) {
  simulation_.schedule(date, sim::Priority::kWake, tasks_[steps_[index].task].events, *this,
                       static_cast<std::uint64_t>(event) << 62 | index);
}

// ---- Tasks ----------------------------------------------------------------------------------------------------------

void TaskPlayer::begin_task(std::uint32_t e, std::uint64_t entity, std::uint32_t user) {
  if (static_cast<double>(tasks_.in_use()) >= kMostTasksAtOnce) {
    throw sim::Infeasible(
        fmt::format("{:.0f} tasks are under way at {} s, and more do not fit in memory: they come faster than they are "
                    "done. Lower rate_per_s or duration_s, or add replicas.",
                    kMostTasksAtOnce, simulation_.now().seconds()));
  }
  const std::uint32_t index = tasks_.take();
  Task& task = tasks_[index];
  task = {};
  task.number = tasks_begun_++;
  task.contents.task = task.number;
  task.entity = entity;
  task.arrival = simulation_.now();
  const Time allowed = entries_[e].spec.deadline;
  task.deadline = allowed == Time::never() ? allowed : task.arrival + allowed;
  task.entry = e;
  task.user = user;
  task.events.id = task.number;
  task.live = true;
  const std::uint32_t root = new_step(index, kNone, 0, 0);
  steps_[root].waiting_for = Cause::kPaused;
  entries_[e].paused.push_back(root);
  admit_tasks(e);
}

/// A task may end as it begins, and come here again: it is left to the loop that began it.
void TaskPlayer::admit_tasks(std::uint32_t e) {
  Entry& entry = entries_[e];
  if (entry.admitting) return;
  entry.admitting = true;
  while (!entry.paused.empty() && entry.at_work < entry.spec.max_in_flight) {
    const std::uint32_t root = entry.paused.front();
    entry.paused.pop_front();
    ++entry.at_work;
    account(steps_[root], Cause::kPaused);
    go(root, entry.spec.agent->start);
  }
  entry.admitting = false;
}

void TaskPlayer::end_task(std::uint32_t index) {
  const Task& task = tasks_[index];
  const std::uint32_t e = task.entry, user = task.user;
  tasks_.give_back(index);
  --entries_[e].at_work;
  admit_tasks(e);
  arrivals_.on_task_end(e, user);
}

/// A branch goes on with the contexts of its parent.
std::uint32_t TaskPlayer::new_step(std::uint32_t task, std::uint32_t parent, std::uint32_t member, std::uint32_t path,
                                   bool branch) {
  const std::uint32_t index = steps_.take();
  Step& step = steps_[index];
  const Agent& agent = *entries_[tasks_[task].entry].members[member].agent;
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
    step.begin = step.served = simulation_.now();
    step.error = false;
    step.result_tokens = 0;
    if (step.walk.node().kind == NodeKind::kEnd) return end_step(index, step.walk.node().failed);
    if (begin_node(index)) return;
    node = step.walk.choose(seed_, step.error).target;
  }
}

/// True if the node takes time, or has moved the walk on by itself.
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
  const std::uint32_t parent = step.parent;
  step.live = false;
  step.way = nullptr;
  if (parent != kNone) return end_branch(parent, index, failed);

  Task& task = tasks_[step.task];
  TaskRecord record;
  record.task = task.number;
  record.agent = task.entry;
  record.arrival = task.arrival;
  record.finish = simulation_.now();
  record.status = task.aborted.value_or(failed ? TaskStatus::kFailed : TaskStatus::kCompleted);
  record.calls = task.calls;
  record.tool_calls = task.tool_calls;
  record.prompt_tokens = task.prompt_tokens;
  record.cached_tokens = task.cached_tokens;
  record.output_tokens = task.output_tokens;
  record.causes = step.causes;
  steps_.give_back(index);
  task.live = false;
  door_.forget(task.number);
  for (TaskObserver* observer : observers_) observer->on_task(record);
  end_task(step.task);
}

void TaskPlayer::account(Step& step, Cause cause) {
  step.causes[cause] += simulation_.now() - step.mark;
  step.mark = simulation_.now();
}

std::int64_t TaskPlayer::copies(const Step& step, const Draw& parallel) const {
  if (!parallel.given) return 1;
  Stream stream = step.walk.stream(seed_, parallel.stream);
  return std::clamp<std::int64_t>(parallel.of.sample_count(stream), 1, 4096);
}

void TaskPlayer::report_node(const Step& step, bool has_call, std::uint64_t call) {
  if (observers_.empty()) return;
  const Task& task = tasks_[step.task];
  NodeSpan span;
  span.task = task.number;
  span.agent = task.entry;
  span.node = entries_[task.entry].members[step.member].first_node + step.walk.at();
  span.branch = step.branch;
  span.parent_branch = step.parent == kNone ? step.branch : steps_[step.parent].branch;
  span.name = step.walk.node().name;
  span.kind = kNodeKindNames[static_cast<std::size_t>(step.walk.node().kind)];
  span.begin = step.begin;
  span.served = step.served;
  span.end = simulation_.now();
  span.has_call = has_call;
  span.call = call;
  for (TaskObserver* observer : observers_) observer->on_node(span);
}

// ---- Calls ----------------------------------------------------------------------------------------------------------

bool TaskPlayer::begin_call(std::uint32_t index) {
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  step.way = &step.walk.choose(seed_, false);
  if (!node.fresh) {
    open_context(index, node.context);
    Tokens fresh = step.walk.agent().template_tokens;
    if (node.prompt_tokens.given) {
      Stream stream = step.walk.stream(seed_, node.prompt_tokens.stream);
      fresh += node.prompt_tokens.of.sample_count(stream);
    }
    step.contexts.append(node.context, fresh);
    compact_context(index);
  }
  if (const auto& failure = step.walk.agent().call_failure) {
    Stream stream = step.walk.stream(seed_, node.failure);
    Time backoff;
    std::uint32_t failures = 0;
    while (failures <= failure->max && stream.uniform() < failure->p) {
      backoff += failure->backoff_s.sample_time(stream);
      ++failures;
    }
    if (failures > 0) {
      step.exhausted = failures > failure->max;
      step.waiting_for = Cause::kRetry;
      wake(index, simulation_.now() + backoff, Event::kWake);
      return true;
    }
  }
  submit_calls(index);
  return true;
}

void TaskPlayer::submit_calls(std::uint32_t index) {
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  const Edge& way = *step.way->edge;
  const Draw& output = way.output_tokens.given ? way.output_tokens : node.output_tokens;
  const Draw& thinking = way.thinking_tokens.given ? way.thinking_tokens : node.thinking_tokens;
  const std::int64_t count = copies(step, node.parallel);
  Stream outputs = step.walk.stream(seed_, output.stream);
  Stream thoughts = step.walk.stream(seed_, thinking.stream);

  step.open = static_cast<std::int32_t>(count);
  CallRequest request = request_of(step);
  const std::uint32_t next = step.way->target;
  if (!node.fresh && next != step.stop && step.walk.agent().node(next).kind != NodeKind::kEnd)
    request.next_node = request.node + next - step.walk.at();
  request.next_uses = entries_[request.agent].ahead[request.node + next - step.walk.at()];
  for (std::int64_t copy = 0; copy < count; ++copy) {
    const std::uint32_t slot = calls_.take();
    CallSlot& call = calls_[slot];
    call.step = index;
    build_prompt(index, call.prompt);
    const double scale = entries_[request.agent].spec.scale.output_tokens;
    call.visible = std::max<Tokens>(1, scaled(output.of.sample_tokens(outputs), scale));
    const Tokens thought = thinking.given ? scaled(thinking.of.sample_count(thoughts), scale) : 0;
    request.prompt = call.prompt;
    request.output_tokens = call.visible + thought;
    // Only an answer that follows its prompt in the context as it was made can be found again.
    request.output_content = node.fresh || thought > 0 || count > 1 ? 0 : step.contexts.content(node.context);
    ++request.entity;
    request.cookie = slot;
    door_.submit(request);  // may end the call, and with the last one the task, before it returns
  }
}

CallRequest TaskPlayer::request_of(const Step& step) {
  const Task& task = tasks_[step.task];
  const Entry::Member& member = entries_[task.entry].members[step.member];
  CallRequest request;
  request.task = task.number;
  request.entity = scatter(scatter(step.walk.entity() + request.node) + step.walk.visit());
  request.task_arrival = task.arrival;
  request.task_served = task.served;
  request.path_served = step.path_served;
  request.task_waited = task.waited;
  request.deadline = task.deadline;
  request.agent = task.entry;
  request.node = member.first_node + step.walk.at();
  request.branch = step.branch;
  request.pool = member.pools[step.walk.node().role];
  request.listener = this;
  return request;
}

bool TaskPlayer::begin_pictures(std::uint32_t index) {
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  const std::int64_t count = copies(step, node.parallel);
  Stream lengths = step.walk.stream(seed_, node.steps.stream);
  Stream results = step.walk.stream(seed_, node.result_tokens.stream);
  step.open = static_cast<std::int32_t>(count);
  step.waiting_for = Cause::kMedia;
  CallRequest request = request_of(step);
  request.media = node.picture;
  request.output_tokens = 0;
  for (std::int64_t copy = 0; copy < count; ++copy) {
    if (node.result_tokens.given) step.result_tokens += node.result_tokens.of.sample_count(results);
    const std::uint32_t slot = calls_.take();
    calls_[slot].step = index;
    calls_[slot].visible = 0;
    calls_[slot].prompt.clear();
    request.media.steps = node.steps.of.sample_tokens(lengths);
    request.cookie = slot;
    door_.submit(request);
  }
  return true;
}

void TaskPlayer::build_prompt(std::uint32_t index, std::vector<platforms::Extent>& prompt) {
  prompt.clear();
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  if (node.fresh) {
    if (node.role_prefix_tokens > 0) prompt.push_back({node.role_content, node.role_prefix_tokens});
    Stream stream = step.walk.stream(seed_, node.prompt_tokens.stream);
    const Tokens fresh = node.prompt_tokens.given ? node.prompt_tokens.of.sample_count(stream) : 0;
    if (fresh > 0 || prompt.empty()) prompt.push_back({0, std::max<Tokens>(1, fresh)});
    return;
  }
  const ContextSpec& spec = step.walk.agent().contexts[node.context];
  if (spec.role_prefix_tokens > 0) prompt.push_back({spec.role_content, spec.role_prefix_tokens});
  step.contexts.put(node.context, prompt);
  if (prompt.empty()) prompt.push_back({0, 1});
}

void TaskPlayer::open_context(std::uint32_t index, std::uint32_t context) {
  Step& step = steps_[index];
  if (step.contexts.opened(context)) return;
  step.contexts.open(context);
  const Draw& opening = step.walk.agent().contexts[context].opening_tokens;
  if (!opening.given) return;
  Stream stream(seed_, opening.stream, step.walk.entity(), step.walk.path());
  step.contexts.append(context, opening.of.sample_count(stream));
}

/// A branch leaves the contexts of its parent as they are.
void TaskPlayer::compact_context(std::uint32_t index) {
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  if (!node.compact || step.contexts.of_branch()) return;
  const Tokens prefix = step.walk.agent().contexts[node.context].role_prefix_tokens;
  const bool above = prefix + step.contexts.tokens(node.context) > node.compact->above;
  Stream stream = step.walk.stream(seed_, node.compact->stream);
  if (stream.uniform() >= (above ? node.compact->p : node.compact->p_below)) return;
  Stream sizes = step.walk.stream(seed_, node.compact->to.stream);
  step.contexts.replace(node.context, std::max<Tokens>(1, node.compact->to.of.sample_count(sizes) - prefix));
}

void TaskPlayer::on_call_end(const CallRecord& record, std::uint64_t cookie) {
  const auto slot = static_cast<std::uint32_t>(cookie);
  CallSlot& call = calls_[slot];
  const std::uint32_t index = call.step;
  Step& step = steps_[index];
  Task& task = tasks_[step.task];
  const Node& node = step.walk.node();
  calls_.give_back(slot);

  ++task.calls;
  task.prompt_tokens += record.prompt_tokens;
  task.cached_tokens += record.cached_tokens;
  const Time served = record.causes.served();
  task.served += served;
  task.waited += record.causes[Cause::kQueue];
  if (record.status == CallStatus::kCompleted) {
    task.output_tokens += record.output_tokens;
    if (node.context != kNone) step.result_tokens += call.visible;
  } else if (!task.aborted) {
    task.aborted = static_cast<TaskStatus>(record.status);
  }
  if (--step.open > 0) return;

  // The last copy to end was on the critical path.
  step.causes += record.causes;
  step.mark = simulation_.now();
  step.path_served += served;
  if (step.result_tokens > 0) step.contexts.append(node.context, step.result_tokens);
  if (record.scheduled != CallRecord::kNoTime) step.served = record.scheduled;
  if (entries_[task.entry].spec.tools.overlap != ToolOverlap::kOff)
    step.call = {record.scheduled, record.first_token, record.finish};
  report_node(step, true, record.call);
  if (task.aborted) return end_step(index, true);
  leave_node(index, false);
}

// ---- Tools and people -----------------------------------------------------------------------------------------------

bool TaskPlayer::begin_wait(std::uint32_t index) {
  Step& step = steps_[index];
  const Node& node = step.walk.node();
  Task& task = tasks_[step.task];
  const std::int64_t count = copies(step, node.parallel);
  step.waiting_for = node.kind == NodeKind::kHuman ? Cause::kHuman : Cause::kTool;
  if (node.kind != NodeKind::kHuman) task.tool_calls += static_cast<std::uint32_t>(count);

  Stream latencies = step.walk.stream(seed_, node.latency_s.stream);
  Stream results = step.walk.stream(seed_, node.result_tokens.stream);
  Stream errors = step.walk.stream(seed_, node.error_stream);
  Stream messages = step.walk.stream(seed_, node.error_tokens.stream);
  step.open = static_cast<std::int32_t>(count);
  Service* service = nullptr;
  if (node.service != kNone) service = &entries_[task.entry].members[step.member].services[node.service];
  const WorkScale& scale = entries_[task.entry].spec.scale;
  const double time_scale = node.kind == NodeKind::kHuman ? scale.human_time : scale.tool_time;
  const ToolOverlapOptions& tools = entries_[task.entry].spec.tools;
  const bool asked_for =
      tools.overlap != ToolOverlap::kOff && node.kind == NodeKind::kTool && step.call.end == simulation_.now();
  Time longest;
  for (std::int64_t copy = 0; copy < count; ++copy) {
    Time latency = Time::nanoseconds(scaled(node.latency_s.of.sample_time(latencies).ns(), time_scale));
    if (asked_for) {
      Stream guess(seed_, kGuesses, scatter(scatter(step.walk.entity() + step.walk.at()) + step.walk.visit()),
                   static_cast<std::uint32_t>(copy));
      const bool guessed = tools.overlap == ToolOverlap::kSpeculative && guess.uniform() < tools.right;
      latency = std::max(Time(), latency - head_start(tools.overlap, step.call, copy, count, guessed));
    }
    const bool failed = node.error > 0 && errors.uniform() < node.error;
    step.error = step.error || failed;
    if (failed) {
      step.result_tokens += node.error_tokens.of.sample_count(messages);
    } else if (node.result_tokens.given) {
      step.result_tokens += node.result_tokens.of.sample_count(results);
    }
    longest = std::max(longest, latency);
    if (service != nullptr && service->arrive({index, latency})) begin_service(index, latency);
  }
  if (service != nullptr) return true;
  if (longest == Time()) {  // no time passes: on at once
    if (step.result_tokens > 0 && node.context != kNone) step.contexts.append(node.context, step.result_tokens);
    return false;
  }
  wake(index, simulation_.now() + longest, Event::kWake);
  return true;
}

void TaskPlayer::begin_service(std::uint32_t index, Time duration) {
  steps_[index].served = simulation_.now();
  wake(index, simulation_.now() + duration, Event::kServed);
}

void TaskPlayer::end_wait(std::uint32_t index) {
  Step& step = steps_[index];
  account(step, step.waiting_for);
  const Node& node = step.walk.node();
  if (step.result_tokens > 0 && node.context != kNone) step.contexts.append(node.context, step.result_tokens);
  report_node(step, false, 0);
  leave_node(index, step.error);
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
  const Node& node = step.walk.node();
  const std::int64_t count = copies(step, node.parallel);
  const std::uint32_t member = entries_[tasks_[step.task].entry].members[step.member].sub_agents[node.sub_agent];
  const std::uint32_t start = entries_[tasks_[step.task].entry].members[member].agent->start;
  if (node.result_tokens.given) {
    Stream results = step.walk.stream(seed_, node.result_tokens.stream);
    for (std::int64_t copy = 0; copy < count; ++copy) step.result_tokens += node.result_tokens.of.sample_count(results);
  }
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
  if (parent.result_tokens > 0) parent.contexts.append(parent.walk.node().context, parent.result_tokens);
  leave_node(parent_index, parent.error);
}

// ---- The end of a run -----------------------------------------------------------------------------------------------

void TaskPlayer::finish_unfinished() {
  std::vector<std::vector<std::uint32_t>> children(steps_.size());
  std::vector<std::pair<std::uint64_t, std::uint32_t>> roots;  // by task number
  for (std::uint32_t s = 0; s < steps_.size(); ++s) {
    if (!steps_[s].live) continue;
    if (steps_[s].parent == kNone) {
      roots.emplace_back(tasks_[steps_[s].task].number, s);
    } else {
      children[steps_[s].parent].push_back(s);
    }
  }
  std::sort(roots.begin(), roots.end());
  for (Entry& entry : entries_) {
    entry.at_work += entry.paused.size();
    entry.paused.clear();  // nobody is admitted any more
  }
  for (const auto& [number, root] : roots) {
    settle(root, children);
    tasks_[steps_[root].task].aborted = TaskStatus::kUnfinished;
    tasks_[steps_[root].task].user = TaskArrivals::kNoUser;  // nobody begins anew
    end_step(root, true);
  }
}

/// Brings a walk's causes up to now; of what runs side by side, the branch that forked first stands for the critical
/// path.
void TaskPlayer::settle(std::uint32_t index, const std::vector<std::vector<std::uint32_t>>& children) {
  Step& step = steps_[index];
  const std::vector<std::uint32_t>& open = children[index];
  if (open.empty()) return account(step, step.waiting_for);
  const std::uint32_t first = *std::min_element(
      open.begin(), open.end(), [&](std::uint32_t a, std::uint32_t b) { return steps_[a].branch < steps_[b].branch; });
  settle(first, children);
  step.causes += steps_[first].causes;
  step.mark = simulation_.now();
}

}  // namespace tokenyard::agents
