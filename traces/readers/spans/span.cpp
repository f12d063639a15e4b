#include "traces/readers/spans/span.hpp"

#include <array>

namespace tokenyard::traces {
namespace {

struct TextAlias {
  std::string_view key;
  std::string Span::*field;
  bool wins;  ///< over another name of the same thing
};
constexpr std::array kTexts = {
    TextAlias{"gen_ai.operation.name", &Span::operation, true},
    TextAlias{"openinference.span.kind", &Span::open_inference_kind, true},
    TextAlias{"gen_ai.response.model", &Span::model, true},
    TextAlias{"gen_ai.request.model", &Span::model, false},
    TextAlias{"llm.model_name", &Span::model, false},
    TextAlias{"gen_ai.agent.name", &Span::agent, true},
    TextAlias{"agent.name", &Span::agent, false},
    TextAlias{"gen_ai.workflow.name", &Span::agent, false},
    TextAlias{"gen_ai.tool.name", &Span::tool, true},
    TextAlias{"tool.name", &Span::tool, false},
    TextAlias{"gen_ai.conversation.id", &Span::conversation, true},
    TextAlias{"session.id", &Span::conversation, false},
    TextAlias{"graph.node.id", &Span::graph_node, true},
    TextAlias{"graph.node.parent_id", &Span::graph_parent, true},
    TextAlias{"tokenyard.pool", &Span::pool, true},
    TextAlias{"tokenyard.step.kind", &Span::step_kind, true},
    TextAlias{"tokenyard.step.cause", &Span::step_cause, true},
};

struct CountAlias {
  std::string_view key;
  std::int64_t Span::*field;
};
constexpr std::array kCounts = {
    CountAlias{"gen_ai.usage.input_tokens", &Span::input_tokens},
    CountAlias{"gen_ai.usage.prompt_tokens", &Span::input_tokens},
    CountAlias{"llm.token_count.prompt", &Span::input_tokens},
    CountAlias{"gen_ai.usage.output_tokens", &Span::output_tokens},
    CountAlias{"gen_ai.usage.completion_tokens", &Span::output_tokens},
    CountAlias{"llm.token_count.completion", &Span::output_tokens},
    CountAlias{"gen_ai.usage.cache_read.input_tokens", &Span::cached_tokens},
    CountAlias{"gen_ai.usage.cache_read_input_tokens", &Span::cached_tokens},
    CountAlias{"llm.token_count.prompt_details.cache_read", &Span::cached_tokens},
};

}  // namespace

void set_attribute(Span& span, std::string_view key, std::string_view text) {
  if (key == "error.type") span.failed = true;
  for (const TextAlias& alias : kTexts) {
    if (alias.key == key && (alias.wins || (span.*alias.field).empty())) span.*alias.field = text;
  }
}

std::int64_t* token_count(Span& span, std::string_view key) {
  for (const CountAlias& alias : kCounts) {
    if (alias.key == key) return &(span.*alias.field);
  }
  return nullptr;
}

}  // namespace tokenyard::traces
