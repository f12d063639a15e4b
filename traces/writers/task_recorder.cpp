#include "traces/writers/task_recorder.hpp"

#include <algorithm>

#include "traces/branch_order.hpp"

namespace tokenyard::traces {

using agents::RecordedStep;
using agents::StepKind;
using agents::Trigger;
using platforms::Cause;
using sim::Time;

namespace {

std::string name_in(const std::vector<std::string>& names, std::uint32_t index) {
  return index < names.size() ? names[index] : std::to_string(index);
}

}  // namespace

void TaskRecorder::on_submit(const platforms::CallRequest& request, const platforms::CallRecord& record) {
  if (record.media_steps > 0) return;  // its node's visit is recorded as a tool's: what replays has no such pool
  Open& open = open_[record.task];
  open.unplaced[{record.branch, record.node}].push_back(open.calls.size());
  open.calls.push_back(
      {record, {request.prompt.begin(), request.prompt.end()}, request.output_content, request.entity});
}

void TaskRecorder::on_call(const platforms::CallRecord& record) {
  if (record.media_steps > 0) return;
  std::vector<Call>& calls = open_[record.task].calls;  // in the order of their numbers
  const auto call = std::lower_bound(calls.begin(), calls.end(), record.call,
                                     [](const Call& c, std::uint64_t number) { return c.record.call < number; });
  if (call == calls.end() || call->record.call != record.call) return;
  const platforms::Tokens asked = call->record.output_tokens;
  call->record = record;
  call->record.output_tokens = asked;
  call->made = record.output_tokens;
}

void TaskRecorder::on_node(const agents::NodeVisit& span) {
  Open& open = open_[span.task];
  open.parents[span.branch] = span.parent_branch;
  Item item;
  item.begin = span.begin;
  item.end = span.end;
  item.startup = span.startup;
  item.branch = span.branch;
  item.node = span.node;
  if (span.call && span.kind != "media") {
    item.kind = StepKind::kCall;
    const auto place = [&](std::size_t c) {
      open.calls[c].placed = true;
      item.calls.push_back(c);
    };
    // A visit's calls are the branch's at this node that arrived since it began.
    std::vector<std::size_t>& unplaced = open.unplaced[{span.branch, span.node}];
    const auto in_visit = [&](std::size_t c) { return open.calls[c].record.arrival >= span.begin; };
    const auto first = std::find_if(unplaced.begin(), unplaced.end(), in_visit);
    for (auto c = first; c != unplaced.end(); ++c) place(*c);
    unplaced.erase(first, unplaced.end());
  } else if (span.kind == "tool" || span.kind == "retrieval" || span.kind == "media") {
    item.kind = StepKind::kTool;
    item.tool_calls = span.tool_calls;
  } else if (span.kind == "human") {
    item.kind = StepKind::kHuman;
  } else if (span.kind == "wait") {
    item.kind = StepKind::kWait;
  } else {
    return;  // a fan-out or sub-agent: the items of its branches say it all
  }
  open.items.push_back(std::move(item));
}

/// Puts a task's items in order and finds what each waited for.
class TaskRecorder::Builder {
 public:
  Builder(Open& open, const agents::TaskRecord& record, agents::RecordedNames& names, const Names& given, RanTask& ran)
      : open_(open), record_(record), names_(names), given_(given), ran_(ran) {}

  void build() {
    const std::string agent = name_in(given_.agents, record_.agent);
    ran_.task.agent = names_.agent(agent);
    ran_.task.arrival = record_.arrival;
    ran_.task.status = record_.status;
    // A call that was under way when the run ended ends with its task.
    for (Call& call : open_.calls) call.record.finish = std::min(call.record.finish, record_.finish);
    // Calls of a visit that never ended, or of a task without visits.
    for (std::size_t c = 0; c < open_.calls.size(); ++c) {
      const Call& call = open_.calls[c];
      if (call.placed) continue;
      open_.items.push_back(
          {call.record.arrival, call.record.finish, call.record.branch, call.record.node, StepKind::kCall, kNone, {c}});
    }
    // A branch that was never heard of (its task was broken off), or forked too often, is the main walk's.
    for (const Item& item : open_.items) open_.parents.try_emplace(item.branch, 0);
    for (const auto& [branch, parent] : std::map(open_.parents)) open_.parents.try_emplace(parent, 0);
    for (auto& [branch, parent] : open_.parents) {
      std::uint32_t levels = 0;
      for (std::uint32_t above = parent; above != 0 && levels <= kMostLevels; ++levels) above = open_.parents.at(above);
      if (levels > kMostLevels) parent = 0;
    }
    for (const Item& item : open_.items) items_of_[item.branch].push_back(item);
    for (const auto& [branch, parent] : open_.parents) {
      if (parent != branch) children_of_[parent].push_back(branch);
    }
    place(branch_item(0), wait_to_be_admitted());
    sort_steps();
  }

 private:
  struct Span {
    Time begin = Time::never(), end;
  };

  /// A task is held up as it arrives, before all that it does.
  BranchExit wait_to_be_admitted() {
    const Time paused = record_.causes[Cause::kPaused];
    if (paused == Time()) return {{}, record_.arrival};
    RecordedStep& step = ran_.task.steps.emplace_back();
    ran_.runs.push_back({record_.arrival, record_.arrival + paused});
    order_.push_back(0);
    step.kind = StepKind::kWait;
    step.node = names_.node(ran_.task.agent, StepKind::kWait, "admission");
    step.duration = paused;
    step.cause = Cause::kPaused;
    ran_.runs.back().causes[Cause::kPaused] = paused;
    return {{last()}, record_.arrival + paused};
  }

  /// The items of a branch in order of time, with the branches that forked from it.
  std::vector<Item> branch_item(std::uint32_t branch) {
    std::vector<Item> items = items_of_[branch];
    for (const std::uint32_t child : children_of_[branch]) {
      const Span span = span_of(child);
      if (span.begin == Time::never()) continue;
      Item whole;
      whole.child = child;
      whole.begin = span.begin;
      whole.end = span.end;
      items.push_back(std::move(whole));
    }
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.begin < b.begin; });
    return items;
  }

  /// From the first item of a branch, and of those that forked from it, to the last; never if there is none.
  Span span_of(std::uint32_t branch) {
    const auto known = spans_.find(branch);
    if (known != spans_.end()) return known->second;
    Span span;
    const auto widen = [&](Time begin, Time end) {
      span.begin = std::min(span.begin, begin);
      span.end = std::max(span.end, end);
    };
    for (const Item& item : items_of_[branch]) widen(item.begin, item.end);
    for (const std::uint32_t child : children_of_[branch]) {
      const Span of_child = span_of(child);
      widen(of_child.begin, of_child.end);
    }
    return spans_[branch] = span;
  }

  BranchExit place(const std::vector<Item>& items, const BranchExit& before) {
    BranchOrder order(before);
    for (const Item& item : items) {
      const BranchExit from = order.before(item.begin);
      order.add(item.begin, item.end,
                item.child != kNone ? place(branch_item(item.child), from) : place_item(item, from));
    }
    return order.before(Time::never());
  }

  BranchExit place_item(const Item& item, const BranchExit& before) {
    BranchExit exit{{}, item.end};
    if (item.kind != StepKind::kCall) {
      RecordedStep& step = add(item, before, item.begin, {item.begin, item.end});
      step.duration = item.end - item.begin;
      step.startup = item.startup;
      if (item.kind == StepKind::kTool) step.count = item.tool_calls;
      step.cause = item.kind == StepKind::kHuman  ? Cause::kHuman
                   : item.kind == StepKind::kTool ? Cause::kTool
                                                  : Cause::kOther;
      ran_.runs.back().causes[Cause::kStartup] = step.startup;
      ran_.runs.back().causes[step.cause] = step.duration - step.startup;
      return {{last()}, item.end};
    }
    for (const std::size_t c : item.calls) {
      const Call& call = open_.calls[c];
      RecordedStep& step =
          add(item, before, call.record.arrival,
              {call.record.arrival, call.record.finish, call.record.first_token, call.record.cached_tokens,
               call.record.status != platforms::CallStatus::kCompleted, call.record.causes, call.made});
      step.model = names_.model(name_in(given_.pools, call.record.pool));
      step.duration = call.record.finish - call.record.arrival;
      step.output_tokens = call.record.output_tokens;
      step.output_content = call.output_content;
      step.entity = call.entity;
      step.first_extent = static_cast<std::uint32_t>(ran_.task.extents.size());
      step.extents = static_cast<std::uint32_t>(call.prompt.size());
      ran_.task.extents.insert(ran_.task.extents.end(), call.prompt.begin(), call.prompt.end());
      order_.back() = call.record.call;
      exit.steps.push_back(last());
    }
    return exit;
  }

  RecordedStep& add(const Item& item, const BranchExit& before, Time begin, StepRun run) {
    RecordedStep& step = ran_.task.steps.emplace_back();
    ran_.runs.push_back(run);
    order_.push_back(0);
    step.kind = item.kind;
    step.node = names_.node(ran_.task.agent, item.kind,
                            record_.agent < given_.nodes.size() ? name_in(given_.nodes[record_.agent], item.node)
                                                                : std::to_string(item.node));
    step.branch = item.branch;
    step.parent_branch = open_.parents.at(item.branch);
    const Cause cause = item.kind == StepKind::kCall && begin > item.begin ? Cause::kRetry : Cause::kOther;
    if (before.steps.empty()) {
      step.not_before = begin - record_.arrival;
      if (item.begin == record_.arrival) step.cause = cause;
    }
    for (const std::uint32_t s : before.steps) ran_.task.depend({s, Trigger::kCompletion, cause, begin - before.end});
    return step;
  }
  std::uint32_t last() const { return static_cast<std::uint32_t>(ran_.task.steps.size() - 1); }

  /// Steps by beginning, calls of one instant in the order of their numbers; a step stays behind what it waits for.
  void sort_steps() {
    agents::RecordedTask& task = ran_.task;
    std::vector<std::uint32_t> order(task.steps.size()), place(task.steps.size());
    for (std::uint32_t s = 0; s < order.size(); ++s) order[s] = s;
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::tie(ran_.runs[a].begin, order_[a]) < std::tie(ran_.runs[b].begin, order_[b]);
    });
    std::vector<RecordedStep> steps;
    std::vector<StepRun> runs;
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      steps.push_back(task.steps[order[i]]);
      runs.push_back(ran_.runs[order[i]]);
    }
    for (agents::RecordedDependency& dependency : task.dependencies) dependency.step = place[dependency.step];
    task.steps = std::move(steps);
    ran_.runs = std::move(runs);
  }

  Open& open_;
  const agents::TaskRecord& record_;
  agents::RecordedNames& names_;
  const Names& given_;
  RanTask& ran_;
  std::vector<std::uint64_t> order_;                                 ///< of calls: their numbers
  std::map<std::uint32_t, std::vector<Item>> items_of_;              ///< by branch
  std::map<std::uint32_t, std::vector<std::uint32_t>> children_of_;  ///< of a branch: what forked from it
  std::map<std::uint32_t, Span> spans_;                              ///< by branch
};

void TaskRecorder::on_task(const agents::TaskRecord& record) {
  RanTask& ran = done_[record.task];
  ran.record = record;
  const auto open = open_.find(record.task);
  if (open != open_.end()) {
    Builder(open->second, record, names_, given_, ran).build();
    open_.erase(open);
  }
  for (auto first = done_.begin(); first != done_.end() && first->first == next_; first = done_.erase(first), ++next_) {
    if (!first->second.task.steps.empty()) sink_(first->second, names_);
  }
}

}  // namespace tokenyard::traces
