#include "traces/readers/spans/span_forest.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace tokenyard::traces {
namespace {

using platforms::Tokens;
using What = SpanForest::What;

constexpr std::uint32_t kMostLevels = 256;

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

}  // namespace

SpanForest::SpanForest(std::vector<Span> spans, const std::string& file, FaultLog& log) : spans_(std::move(spans)) {
  drop_faulty(file, log);
  sort(log);
  link_graphs();
  classify(log);
  find_parents();
  cut_deep(file, log);
  find_calls(log);
}

std::uint32_t SpanForest::find(const std::string& trace_and_id) const {
  const auto at = index_.find(trace_and_id);
  return at == index_.end() ? kNone : at->second;
}

void SpanForest::drop_faulty(const std::string& file, FaultLog& log) {
  std::erase_if(spans_, [&](const Span& span) {
    std::string fault;
    if (span.trace.empty() || span.id.empty()) fault = "a span without traceId or spanId";
    if (span.end_ns < span.begin_ns || span.begin_ns < 0)
      fault = fmt::format("a span from {} to {} ns", span.begin_ns, span.end_ns);
    if (fault.empty()) return false;
    log.refuse({file, span.place, fault, "ids, an end that is not before the start"}, "faulty spans");
    return true;
  });
}

/// An order that does not depend on that of the file; a span that occurs twice is one.
void SpanForest::sort(FaultLog& log) {
  std::stable_sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) {
    return std::tie(a.begin_ns, b.end_ns, a.trace, a.id) < std::tie(b.begin_ns, a.end_ns, b.trace, b.id);
  });
  const std::size_t before = spans_.size();
  spans_.erase(std::unique(spans_.begin(), spans_.end(),
                           [](const Span& a, const Span& b) { return a.trace == b.trace && a.id == b.id; }),
               spans_.end());
  log.leave_out("spans that occur twice", before - spans_.size());
  for (std::uint32_t s = 0; s < spans_.size(); ++s) index_.try_emplace(spans_[s].trace + spans_[s].id, s);
}

/// Spans that name the node of a graph that led to them are linked to its last visit.
void SpanForest::link_graphs() {
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

void SpanForest::classify(FaultLog& log) {
  nodes_.resize(spans_.size());
  std::uint64_t plumbing = 0;
  for (std::uint32_t s = 0; s < spans_.size(); ++s) {
    nodes_[s].what = what_is(spans_[s]);
    plumbing += nodes_[s].what == What::kPlumbing ? 1 : 0;
  }
  log.leave_out("plumbing spans (HTTP, queues, frameworks)", plumbing);
}

std::uint32_t SpanForest::parent_of(std::uint32_t s) const {
  if (spans_[s].parent.empty()) return kNone;
  const std::uint32_t parent = find(spans_[s].trace + spans_[s].parent);
  return parent == s ? kNone : parent;
}

/// The nearest span above that is no plumbing; without a parent, the shortest agent or tool around it.
void SpanForest::find_parents() {
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

/// Refuses spans within themselves, and towers of them that no agent builds.
void SpanForest::cut_deep(const std::string& file, FaultLog& log) {
  for (std::uint32_t s = 0; s < spans_.size(); ++s) {
    std::uint32_t levels = 0;
    for (std::uint32_t above = nodes_[s].container; above != kNone && levels <= kMostLevels; ++levels) {
      above = nodes_[above].container;
    }
    if (levels <= kMostLevels) continue;
    log.refuse({file, spans_[s].place, fmt::format("a span more than {} levels deep, or within itself", kMostLevels),
                "spans without a cycle"},
               "spans nested too deep");
    std::erase(nodes_[nodes_[s].container].children, s);
    nodes_[s].container = kNone;
  }
}

void SpanForest::find_calls(FaultLog& log) {
  std::uint64_t outer = 0;
  for (std::uint32_t s = 0; s < spans_.size(); ++s) {
    if (nodes_[s].what != What::kCall) continue;
    for (std::uint32_t above = nodes_[s].container; above != kNone && nodes_[above].what == What::kCall;
         above = nodes_[above].container) {
      outer += nodes_[above].outer ? 0 : 1;
      nodes_[above].outer = true;
    }
  }
  log.leave_out("model spans around another one", outer);
  std::vector<bool> used(spans_.size(), false);
  for (std::uint32_t s = 0; s < spans_.size(); ++s) {
    Node& node = nodes_[s];
    if (node.what != What::kCall || node.outer) continue;
    for (std::uint32_t from = s; from != kNone && nodes_[from].what == What::kCall; from = nodes_[from].container) {
      if (used[from] || spans_[from].input_tokens < 0) continue;
      used[from] = true;
      node.input = spans_[from].input_tokens;
      node.output = std::max<Tokens>(0, spans_[from].output_tokens);
      node.cached = spans_[from].cached_tokens;
      break;
    }
  }
  for (std::uint32_t s = 0; s < spans_.size(); ++s) {
    if (nodes_[s].what != What::kCall) continue;
    for (std::uint32_t above = nodes_[s].container; above != kNone; above = nodes_[above].container)
      nodes_[above].holds_calls = true;
  }
}

std::vector<std::vector<std::uint32_t>> SpanForest::tasks() const {
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
  std::map<std::pair<std::int64_t, std::string>, std::vector<std::uint32_t>> by_beginning;
  for (auto& [key, list] : roots) by_beginning[{spans_[list.front()].begin_ns, key}] = std::move(list);
  std::vector<std::vector<std::uint32_t>> result;
  for (auto& [key, list] : by_beginning) result.push_back(std::move(list));
  return result;
}

}  // namespace tokenyard::traces
