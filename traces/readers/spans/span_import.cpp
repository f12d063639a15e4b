#include "traces/readers/spans/span_import.hpp"

#include <algorithm>

#include "sim/random/stream.hpp"
#include "traces/branch_order.hpp"
#include "traces/readers/spans/branch_contexts.hpp"
#include "traces/readers/spans/span_forest.hpp"

namespace tokenyard::traces {
namespace {

using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using agents::Trigger;
using platforms::Cause;
using platforms::Tokens;
using sim::Time;
using What = SpanForest::What;

constexpr std::uint32_t kNone = SpanForest::kNone;

/// Rules 5 to 9.
class TaskBuilder {
 public:
  TaskBuilder(const SpanForest& forest, const std::string& file, TaskList& list, FaultLog& log)
      : forest_(forest), file_(file), list_(list), log_(log), parts_(forest.size()) {}

  /// The task of these root spans joins the list.
  void build(const std::vector<std::uint32_t>& roots) {
    task_ = {};
    ++task_number_;
    branches_ = 0;
    begin_ = forest_.begin(roots.front());
    const auto agent =
        std::find_if(roots.begin(), roots.end(), [&](std::uint32_t r) { return forest_.node(r).what == What::kAgent; });
    task_.agent = list_.all_names.agent(agent != roots.end() ? agent_name(*agent) : "agent");
    const auto last = std::find_if(roots.rbegin(), roots.rend(),
                                   [&](std::uint32_t r) { return forest_.node(r).what == What::kAgent; });
    const bool failed = last != roots.rend() && forest_.span(*last).failed;
    task_.status = failed ? platforms::CallStatus::kFailed : platforms::CallStatus::kCompleted;
    // Roots of one trace are one turn; turns of a conversation follow each other.
    std::vector<std::vector<std::uint32_t>> turns;
    for (const std::uint32_t root : roots) {
      const auto turn = std::find_if(turns.begin(), turns.end(), [&](const auto& t) {
        return forest_.span(t.front()).trace == forest_.span(root).trace;
      });
      if (turn == turns.end()) {
        turns.push_back({root});
      } else {
        turn->push_back(root);
      }
    }
    Branch branch = new_branch(0, roots.front());
    BranchExit exit{{}, begin_};
    Time turn_end = begin_;
    for (const std::vector<std::uint32_t>& turn : turns) {
      const Time turn_begin = forest_.begin(turn.front());
      if (!exit.steps.empty() && turn_begin >= turn_end) {
        trailing_wait(branch, exit, turn_end);
        RecordedStep& user = add_step(StepKind::kHuman, "user", branch, exit, turn_end);
        user.cause = Cause::kHuman;
        user.duration = turn_begin - turn_end;
        exit = {{last_step()}, turn_begin};
      }
      exit = build_items(turn, branch, exit);
      for (const std::uint32_t root : turn) turn_end = std::max(turn_end, forest_.end(root));
    }
    if (task_.steps.empty()) return log_.leave_out("traces without a call or a tool");
    trailing_wait(branch, exit, turn_end);
    if (list_.tasks.empty()) first_ = begin_;
    task_.arrival = begin_ - first_;
    if (log_.accept(task_, file_, forest_.span(roots.front()).place)) list_.tasks.push_back(std::move(task_));
  }

 private:
  struct Branch {
    std::uint32_t number = 0, parent = 0;
    BranchContexts contexts = BranchContexts();
  };
  /// What a span became.
  struct Part {
    BranchExit exit;
    std::size_t task = 0;  ///< of this task; 0: of none yet
  };

  std::string agent_name(std::uint32_t s) const {
    if (!forest_.span(s).agent.empty()) return forest_.span(s).agent;
    const std::string& name = forest_.span(s).name;
    return name.starts_with("invoke_agent ") ? name.substr(13) : name;
  }

  Branch new_branch(std::uint32_t parent, std::uint32_t span) {
    return {branches_++, parent,
            BranchContexts(sim::StreamName(forest_.span(span).trace + forest_.span(span).id).hash())};
  }

  void trailing_wait(const Branch& branch, BranchExit& exit, Time until) {
    if (exit.steps.empty() || until <= exit.end) return;
    RecordedStep& wait = add_step(StepKind::kWait, "overhead", branch, exit, exit.end);
    wait.duration = until - exit.end;
    exit = {{last_step()}, until};
  }

  std::uint32_t last_step() const { return static_cast<std::uint32_t>(task_.steps.size() - 1); }

  /// A step that begins at `date`, after what `before` leaves.
  RecordedStep& add_step(StepKind kind, std::string_view name, const Branch& branch, const BranchExit& before,
                         Time date) {
    RecordedStep& step = task_.steps.emplace_back();
    step.kind = kind;
    step.node = list_.all_names.node(task_.agent, kind, name);
    step.branch = branch.number;
    step.parent_branch = branch.parent;
    if (before.steps.empty()) step.not_before = std::max(Time(), date - begin_);
    const Time gap = std::max(Time(), date - before.end);
    for (const std::uint32_t s : before.steps) task_.depend({s, Trigger::kCompletion, Cause::kOther, gap});
    return step;
  }

  /// Sibling spans, in order of beginning, after `before`. Of the tools in a call, what lies between them and after the
  /// last is no gap: it is in the call's duration.
  BranchExit build_items(const std::vector<std::uint32_t>& items, Branch& branch, const BranchExit& before,
                         std::uint32_t call = kNone) {
    BranchOrder order(before);
    Time covered = before.end;
    const auto of_call = [&](Time until) {
      return call == kNone ? Time() : std::max(Time(), std::min(until, forest_.end(call)) - covered);
    };
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::uint32_t s = items[i];
      BranchExit from = with_links(s, order.before(forest_.begin(s)));
      from.end += of_call(forest_.begin(s));
      covered = std::max(covered, forest_.end(s));
      BranchExit exit = build_span(s, branch, from, follower(items, i));
      parts_[s] = {exit, task_number_};
      const Time ended = std::min(forest_.end(s), std::max(exit.end, forest_.begin(s)));
      order.add(forest_.begin(s), ended, std::move(exit));
    }
    BranchExit last = order.before(Time::never());
    last.end += of_call(Time::never());
    return last;
  }

  /// What span `s` waits for, with what it is linked to, as far as that has ended and is a step by now.
  BranchExit with_links(std::uint32_t s, BranchExit before) const {
    for (const std::string& link : forest_.span(s).links) {
      const std::uint32_t target = forest_.find(link);
      if (target == kNone) continue;
      const Part& other = parts_[target];
      if (other.task != task_number_ || other.exit.end > forest_.begin(s)) continue;
      for (const std::uint32_t step : other.exit.steps) {
        if (std::find(before.steps.begin(), before.steps.end(), step) != before.steps.end()) continue;
        before.steps.push_back(step);
        before.end = std::max(before.end, other.exit.end);
      }
    }
    return before;
  }

  /// The next sibling of the same kind and name, if it is the next of its kind at all: a retry.
  std::uint32_t follower(const std::vector<std::uint32_t>& items, std::size_t i) const {
    for (std::size_t n = i + 1; n < items.size(); ++n) {
      if (forest_.node(items[n]).what != forest_.node(items[i]).what) continue;
      return label(items[n]) == label(items[i]) ? items[n] : kNone;
    }
    return kNone;
  }

  std::string label(std::uint32_t s) const {
    const Span& span = forest_.span(s);
    if (forest_.node(s).what == What::kCall) {
      if (!span.pool.empty()) return span.pool;  // two pools may have one model, and a replay finds them by name
      return span.model.empty() ? "unnamed model" : span.model;
    }
    if (!span.tool.empty()) return span.tool;
    return span.name.starts_with("execute_tool ") ? span.name.substr(13) : span.name;
  }

  BranchExit build_span(std::uint32_t s, Branch& branch, const BranchExit& before, std::uint32_t retry) {
    const SpanForest::Node& node = forest_.node(s);
    switch (node.what) {
      case What::kAgent:
      case What::kTool:
        if (node.what == What::kTool && !node.holds_calls) break;
        if (node.container == kNone && branch.number == 0)
          return build_items(node.children, branch, before);  // the main agent
        {
          Branch own = new_branch(branch.number, s);
          return build_items(node.children, own, before);
        }
      case What::kCall:
        if (node.outer) return build_items(node.children, branch, before);
        return build_call(s, branch, before, retry);
      case What::kHuman:
      case What::kWait:
      case What::kPlumbing:
        break;
    }
    const StepKind kind = node.what == What::kHuman  ? StepKind::kHuman
                          : node.what == What::kWait ? StepKind::kWait
                                                     : StepKind::kTool;
    RecordedStep& step = add_step(kind, label(s), branch, before, forest_.begin(s));
    step.duration = forest_.length(s);
    step.cause = kind == StepKind::kHuman ? Cause::kHuman : kind == StepKind::kWait ? Cause::kOther : Cause::kTool;
    if (kind == StepKind::kTool && forest_.span(s).failed && retry != kNone) step.cause = Cause::kRetry;
    for (std::size_t c = 0; c < platforms::kCauses; ++c) {
      if (platforms::kCauseNames[c] == forest_.span(s).step_cause) step.cause = static_cast<Cause>(c);
    }
    return {{last_step()}, forest_.end(s)};
  }

  BranchExit build_call(std::uint32_t s, Branch& branch, const BranchExit& before, std::uint32_t retry) {
    const SpanForest::Node& node = forest_.node(s);
    Time ended = forest_.end(s), covered = forest_.begin(s), inside;
    for (const std::uint32_t child : node.children) {  // tools
      ended = std::min(ended, std::max(forest_.begin(s), forest_.begin(child)));
      const Time until = std::min(forest_.end(child), forest_.end(s));  // what outlasts the call is none of its time
      inside += std::max(Time(), until - std::max(covered, forest_.begin(child)));
      covered = std::max(covered, forest_.end(child));
    }
    const Time duration = std::max(Time(), forest_.length(s) - inside);
    const bool counted = node.input > 0;
    if (counted) {
      RecordedStep& step = add_step(StepKind::kCall, label(s), branch, before, forest_.begin(s));
      step.model = list_.all_names.model(label(s));
      step.duration = duration;
      step.output_tokens = std::max<Tokens>(1, node.output);
      step.first_extent = static_cast<std::uint32_t>(task_.extents.size());
      const std::vector<platforms::Extent> prompt =
          branch.contexts.add(step.model, node.input, node.cached, step.output_tokens);
      step.extents = static_cast<std::uint32_t>(prompt.size());
      task_.extents.insert(task_.extents.end(), prompt.begin(), prompt.end());
      step.output_content = prompt.back().content;
    } else {
      const bool repeated = forest_.span(s).failed && retry != kNone;
      log_.leave_out(repeated ? "failed calls that were repeated (played as waits)"
                              : "calls without token counts (played as waits)");
      RecordedStep& step = add_step(StepKind::kWait, label(s), branch, before, forest_.begin(s));
      step.duration = duration;
      step.cause = repeated ? Cause::kRetry : Cause::kOther;
    }
    const BranchExit own{{last_step()}, ended};
    return node.children.empty() ? own : build_items(node.children, branch, own, s);
  }

  const SpanForest& forest_;
  const std::string& file_;
  TaskList& list_;
  FaultLog& log_;
  std::vector<Part> parts_;  ///< by span
  RecordedTask task_;
  Time begin_, first_;  ///< as recorded, of the task and of the first one
  std::uint32_t branches_ = 0;
  std::size_t task_number_ = 0;
};

}  // namespace

void import_spans(std::vector<Span> spans, const std::string& file, TaskList& list, FaultLog& log) {
  const SpanForest forest(std::move(spans), file, log);
  TaskBuilder builder(forest, file, list, log);
  for (const std::vector<std::uint32_t>& roots : forest.tasks()) builder.build(roots);
  const auto calls = [](const RecordedTask& task) { return !task.extents.empty(); };
  const auto with_calls = static_cast<std::uint64_t>(std::count_if(list.tasks.begin(), list.tasks.end(), calls));
  if (with_calls > 1)
    log.leave_out("tasks' prefixes shared with other tasks (spans tell no contents: no task shares with another)",
                  with_calls);
  list.finish(log, file, "spans of a model's calls, tools or agents, with GenAI or OpenInference attributes");
}

}  // namespace tokenyard::traces
