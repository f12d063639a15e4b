#include "traces/readers/spans/span_import.hpp"

#include <fmt/format.h>
#include <map>
#include <unordered_map>

#include "sim/random/stream.hpp"
#include "traces/branch_order.hpp"
#include "traces/content.hpp"
#include "traces/readers/fields.hpp"

namespace tokenyard::traces {
namespace {

using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using agents::Trigger;
using platforms::Cause;
using platforms::Tokens;
using sim::Time;

constexpr std::uint32_t kNone = 0xffffffff, kMostLevels = 256;

enum class What : std::uint8_t { kPlumbing, kCall, kTool, kAgent, kHuman, kWait };

bool one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

What what_is(const Span& span) {
  if (span.step_kind == "human") return What::kHuman;
  if (span.step_kind == "wait") return What::kWait;
  const std::string_view operation = span.operation;
  if (one_of(operation, {"chat", "text_completion", "generate_content", "call_llm", "completion"})) return What::kCall;
  if (one_of(operation, {"invoke_agent", "create_agent", "invoke_workflow"})) return What::kAgent;
  if (one_of(operation, {"execute_tool", "retrieval", "embeddings"})) return What::kTool;
  if (!operation.empty()) return What::kPlumbing;
  const std::string_view kind = span.open_inference_kind;
  if (kind == "LLM") return What::kCall;
  if (kind == "AGENT") return What::kAgent;
  if (one_of(kind, {"TOOL", "RETRIEVER", "RERANKER", "EMBEDDING"})) return What::kTool;
  if (!kind.empty()) return What::kPlumbing;
  const std::string_view name = span.name;
  if (name.starts_with("call_llm") || name.starts_with("openai.chat")) return What::kCall;
  if (name.starts_with("execute_tool")) return What::kTool;
  if (name.starts_with("invoke_agent")) return What::kAgent;
  return What::kPlumbing;
}

class Import {
 public:
  Import(std::vector<Span> spans, const std::string& file, TaskList& list, FaultLog& log)
      : file_(file), list_(list), log_(log), spans_(std::move(spans)) {}

  void run() {
    drop_faulty();
    sort();
    link_graphs();
    classify();
    find_parents();
    cut_deep();
    find_calls();
    std::map<std::pair<std::int64_t, std::string>, std::vector<std::uint32_t>> tasks = group();
    for (auto& [key, roots] : tasks) build_task(roots);
    list_.finish(log_, file_, "spans of a model's calls, tools or agents, with GenAI or OpenInference attributes");
  }

 private:
  struct Node {
    What what = What::kPlumbing;
    std::uint32_t container = kNone;  ///< the agent, tool or model span that it is in
    bool outer = false;               ///< a model span around another
    Tokens input = -1, output = -1;
    std::vector<std::uint32_t> children;  ///< by container, in order of beginning
    bool holds_calls = false;
    BranchExit exit;       ///< of its part of the task,
    std::size_t task = 0;  ///< which is this one; 0: not yet a part
  };

  void drop_faulty() {
    std::erase_if(spans_, [&](const Span& span) {
      std::string fault;
      if (span.trace.empty() || span.id.empty()) fault = "a span without traceId or spanId";
      if (span.end_ns < span.begin_ns || span.begin_ns < 0)
        fault = fmt::format("a span from {} to {} ns", span.begin_ns, span.end_ns);
      if (std::max(span.input_tokens, span.output_tokens) > kMaxTokens)
        fault = fmt::format("{} tokens in, {} out", span.input_tokens, span.output_tokens);
      if (fault.empty()) return false;
      log_.refuse({file_, span.place, fault,
                   fmt::format("ids, an end that is not before the start, at most {} tokens", kMaxTokens)},
                  "faulty spans");
      return true;
    });
  }

  /// An order that does not depend on that of the file; a span that occurs twice is one.
  void sort() {
    std::stable_sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) {
      return std::tie(a.begin_ns, b.end_ns, a.trace, a.id) < std::tie(b.begin_ns, a.end_ns, b.trace, b.id);
    });
    const std::size_t before = spans_.size();
    spans_.erase(std::unique(spans_.begin(), spans_.end(),
                             [](const Span& a, const Span& b) { return a.trace == b.trace && a.id == b.id; }),
                 spans_.end());
    log_.leave_out("spans that occur twice", before - spans_.size());
    for (std::uint32_t s = 0; s < spans_.size(); ++s) index_.try_emplace(spans_[s].trace + spans_[s].id, s);
  }

  /// Spans that name the node of a graph that led to them are linked to its last visit.
  void link_graphs() {
    std::map<std::pair<std::string_view, std::string_view>, std::vector<std::uint32_t>> visits;  // by trace and node
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      if (!spans_[s].graph_node.empty()) visits[{spans_[s].trace, spans_[s].graph_node}].push_back(s);
    }
    for (Span& span : spans_) {
      const auto found = visits.find({span.trace, span.graph_parent});
      if (span.graph_parent.empty() || found == visits.end()) continue;
      const Span* last = nullptr;
      for (const std::uint32_t s : found->second) {
        const bool before = spans_[s].end_ns <= span.begin_ns;
        if (before && (last == nullptr || spans_[s].end_ns >= last->end_ns)) last = &spans_[s];
      }
      if (last != nullptr && last != &span) span.links.push_back(last->trace + last->id);
    }
  }

  void classify() {
    nodes_.resize(spans_.size());
    std::uint64_t plumbing = 0;
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      nodes_[s].what = what_is(spans_[s]);
      plumbing += nodes_[s].what == What::kPlumbing ? 1 : 0;
    }
    log_.leave_out("plumbing spans (HTTP, queues, frameworks)", plumbing);
  }

  std::uint32_t parent_of(std::uint32_t s) const {
    if (spans_[s].parent.empty()) return kNone;
    const auto at = index_.find(spans_[s].trace + spans_[s].parent);
    return at == index_.end() || at->second == s ? kNone : at->second;
  }

  /// The nearest span above that is no plumbing; without a parent, the shortest agent or tool around it.
  void find_parents() {
    std::unordered_map<std::string, std::vector<std::uint32_t>> containers;  // by trace
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      if (nodes_[s].what == What::kAgent || nodes_[s].what == What::kTool) containers[spans_[s].trace].push_back(s);
    }
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      if (nodes_[s].what == What::kPlumbing) continue;
      std::uint32_t at = s, above = kNone;
      for (std::uint32_t steps = 0; steps < kMostLevels; ++steps) {  // in a broken file, plumbing may be its own parent
        above = parent_of(at);
        if (above == kNone || nodes_[above].what != What::kPlumbing) break;
        at = above;
      }
      if (above == kNone) {
        for (const std::uint32_t c : containers[spans_[s].trace]) {
          const bool around = spans_[c].begin_ns <= spans_[s].begin_ns && spans_[c].end_ns >= spans_[s].end_ns &&
                              (spans_[c].begin_ns < spans_[s].begin_ns || spans_[c].end_ns > spans_[s].end_ns);
          if (around && (above == kNone || length(c) < length(above))) above = c;
        }
      }
      if (above == kNone || nodes_[above].what == What::kPlumbing) continue;
      nodes_[s].container = above;
      nodes_[above].children.push_back(s);
    }
  }
  Time begin(std::uint32_t s) const { return Time::nanoseconds(spans_[s].begin_ns); }
  Time end(std::uint32_t s) const { return Time::nanoseconds(spans_[s].end_ns); }
  Time length(std::uint32_t s) const { return end(s) - begin(s); }

  /// Refuses spans within themselves, and towers of them that no agent builds.
  void cut_deep() {
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      std::uint32_t levels = 0;
      for (std::uint32_t above = nodes_[s].container; above != kNone && levels <= kMostLevels; ++levels) {
        above = nodes_[above].container;
      }
      if (levels <= kMostLevels) continue;
      log_.refuse(
          {file_, spans_[s].place, fmt::format("a span more than {} levels deep, or within itself", kMostLevels),
           "spans without a cycle"},
          "spans nested too deep");
      std::erase(nodes_[nodes_[s].container].children, s);
      nodes_[s].container = kNone;
    }
  }

  void find_calls() {
    std::uint64_t outer = 0;
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      if (nodes_[s].what != What::kCall) continue;
      for (std::uint32_t above = nodes_[s].container; above != kNone && nodes_[above].what == What::kCall;
           above = nodes_[above].container) {
        outer += nodes_[above].outer ? 0 : 1;
        nodes_[above].outer = true;
      }
    }
    log_.leave_out("model spans around another one", outer);
    std::vector<bool> used(spans_.size(), false);
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      Node& node = nodes_[s];
      if (node.what != What::kCall || node.outer) continue;
      for (std::uint32_t from = s; from != kNone && nodes_[from].what == What::kCall; from = nodes_[from].container) {
        if (used[from] || spans_[from].input_tokens < 0) continue;
        used[from] = true;
        node.input = spans_[from].input_tokens;
        node.output = std::max<Tokens>(0, spans_[from].output_tokens);
        break;
      }
    }
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      if (nodes_[s].what != What::kCall) continue;
      for (std::uint32_t above = nodes_[s].container; above != kNone; above = nodes_[above].container)
        nodes_[above].holds_calls = true;
    }
  }

  /// Traces of each task: those of one conversation together. By beginning.
  std::map<std::pair<std::int64_t, std::string>, std::vector<std::uint32_t>> group() {
    std::map<std::string, std::string> key_of;  // of traces
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      if (nodes_[s].what == What::kPlumbing) continue;
      std::string& key = key_of[spans_[s].trace];
      if (key.empty() && !spans_[s].conversation.empty()) key = "conversation " + spans_[s].conversation;
    }
    std::map<std::string, std::vector<std::uint32_t>> roots;
    for (std::uint32_t s = 0; s < spans_.size(); ++s) {
      if (nodes_[s].what == What::kPlumbing || nodes_[s].container != kNone) continue;
      const std::string& key = key_of[spans_[s].trace];
      roots[key.empty() ? "trace " + spans_[s].trace : key].push_back(s);
    }
    std::map<std::pair<std::int64_t, std::string>, std::vector<std::uint32_t>> tasks;
    for (auto& [key, list] : roots) tasks[{spans_[list.front()].begin_ns, key}] = std::move(list);
    return tasks;
  }

  // ---- One task -----------------------------------------------------------------------------------------------------

  struct Branch {
    std::uint32_t number = 0, parent = 0;
    std::uint64_t content = 0;
    std::uint32_t contents = 0;
    Tokens last_prompt = 0;
  };

  void build_task(const std::vector<std::uint32_t>& roots) {
    task_ = {};
    ++task_number_;
    branches_ = 0;
    begin_ = begin(roots.front());
    const auto agent =
        std::find_if(roots.begin(), roots.end(), [&](std::uint32_t r) { return nodes_[r].what == What::kAgent; });
    task_.agent = list_.all_names.agent(agent != roots.end() ? agent_name(*agent) : "agent");
    const auto last =
        std::find_if(roots.rbegin(), roots.rend(), [&](std::uint32_t r) { return nodes_[r].what == What::kAgent; });
    task_.failed = last != roots.rend() && spans_[*last].failed;
    // Roots of one trace are one turn; turns of a conversation follow each other.
    std::vector<std::vector<std::uint32_t>> turns;
    for (const std::uint32_t root : roots) {
      const auto turn = std::find_if(turns.begin(), turns.end(),
                                     [&](const auto& t) { return spans_[t.front()].trace == spans_[root].trace; });
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
      const Time turn_begin = begin(turn.front());
      if (!exit.steps.empty() && turn_begin >= turn_end) {
        trailing_wait(branch, exit, turn_end);
        RecordedStep& user = add_step(StepKind::kHuman, "user", branch, exit, turn_end);
        user.cause = Cause::kHuman;
        user.duration = turn_begin - turn_end;
        exit = {{last_step()}, turn_begin};
      }
      exit = build_items(turn, branch, exit);
      for (const std::uint32_t root : turn) turn_end = std::max(turn_end, end(root));
    }
    if (task_.steps.empty()) return log_.leave_out("traces without a call or a tool");
    trailing_wait(branch, exit, turn_end);
    if (list_.tasks.empty()) first_ = begin_;
    task_.arrival = begin_ - first_;
    if (log_.accept(task_, file_, spans_[roots.front()].place)) list_.tasks.push_back(std::move(task_));
  }

  std::string agent_name(std::uint32_t s) const {
    if (!spans_[s].agent.empty()) return spans_[s].agent;
    const std::string& name = spans_[s].name;
    return name.starts_with("invoke_agent ") ? name.substr(13) : name;
  }

  Branch new_branch(std::uint32_t parent, std::uint32_t span) {
    Branch branch{branches_++, parent};
    branch.content = sim::StreamName(spans_[span].trace + spans_[span].id).hash();
    return branch;
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

  /// Sibling spans, in order of beginning, after `before`.
  BranchExit build_items(const std::vector<std::uint32_t>& items, Branch& branch, const BranchExit& before) {
    BranchOrder order(before);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::uint32_t s = items[i];
      BranchExit exit = build_span(s, branch, with_links(s, order.before(begin(s))), follower(items, i));
      nodes_[s].exit = exit;
      nodes_[s].task = task_number_;
      const Time ended = std::min(end(s), std::max(exit.end, begin(s)));
      order.add(begin(s), ended, std::move(exit));
    }
    return order.before(Time::never());
  }

  /// What span `s` waits for, with what it is linked to, as far as that has ended and is a step by now.
  BranchExit with_links(std::uint32_t s, BranchExit before) const {
    for (const std::string& link : spans_[s].links) {
      const auto at = index_.find(link);
      if (at == index_.end()) continue;
      const Node& other = nodes_[at->second];
      if (other.task != task_number_ || other.exit.end > begin(s)) continue;
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
      if (nodes_[items[n]].what != nodes_[items[i]].what) continue;
      return label(items[n]) == label(items[i]) ? items[n] : kNone;
    }
    return kNone;
  }

  std::string label(std::uint32_t s) const {
    const Span& span = spans_[s];
    if (nodes_[s].what == What::kCall) return span.model.empty() ? "unnamed model" : span.model;
    if (!span.tool.empty()) return span.tool;
    return span.name.starts_with("execute_tool ") ? span.name.substr(13) : span.name;
  }

  BranchExit build_span(std::uint32_t s, Branch& branch, const BranchExit& before, std::uint32_t retry) {
    const Node& node = nodes_[s];
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
    RecordedStep& step = add_step(kind, label(s), branch, before, begin(s));
    step.duration = length(s);
    step.cause = kind == StepKind::kHuman ? Cause::kHuman : kind == StepKind::kWait ? Cause::kOther : Cause::kTool;
    if (kind == StepKind::kTool && spans_[s].failed && retry != kNone) step.cause = Cause::kRetry;
    for (std::size_t c = 0; c < platforms::kCauses; ++c) {
      if (platforms::kCauseNames[c] == spans_[s].step_cause) step.cause = static_cast<Cause>(c);
    }
    return {{last_step()}, end(s)};
  }

  BranchExit build_call(std::uint32_t s, Branch& branch, const BranchExit& before, std::uint32_t retry) {
    const Node& node = nodes_[s];
    Time ended = end(s), covered = begin(s), inside;
    for (const std::uint32_t child : node.children) {  // tools
      ended = std::min(ended, std::max(begin(s), begin(child)));
      inside += std::max(Time(), end(child) - std::max(covered, begin(child)));
      covered = std::max(covered, end(child));
    }
    const Time duration = std::max(Time(), length(s) - inside);
    const bool counted = node.input > 0;
    if (counted) {
      RecordedStep& step = add_step(StepKind::kCall, label(s), branch, before, begin(s));
      step.model = list_.all_names.model(label(s));
      step.duration = duration;
      step.output_tokens = std::max<Tokens>(1, node.output);
      step.first_extent = static_cast<std::uint32_t>(task_.extents.size());
      step.extents = 1;
      if (node.input < branch.last_prompt) ++branch.contents;
      branch.last_prompt = node.input;
      const std::uint64_t content = content_of(branch.content, branch.contents);
      task_.extents.push_back({content, node.input});
      step.output_content = content;
    } else {
      const bool repeated = spans_[s].failed && retry != kNone;
      log_.leave_out(repeated ? "failed calls that were repeated (played as waits)"
                              : "calls without token counts (played as waits)");
      RecordedStep& step = add_step(StepKind::kWait, label(s), branch, before, begin(s));
      step.duration = duration;
      step.cause = repeated ? Cause::kRetry : Cause::kOther;
    }
    const BranchExit own{{last_step()}, ended};
    return node.children.empty() ? own : build_items(node.children, branch, own);
  }

  const std::string& file_;
  TaskList& list_;
  FaultLog& log_;
  std::vector<Span> spans_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, std::uint32_t> index_;
  RecordedTask task_;
  Time begin_, first_;  ///< as recorded, of the task and of the first one
  std::uint32_t branches_ = 0;
  std::size_t task_number_ = 0;
};

}  // namespace

void import_spans(std::vector<Span> spans, const std::string& file, TaskList& list, FaultLog& log) {
  Import(std::move(spans), file, list, log).run();
}

}  // namespace tokenyard::traces
