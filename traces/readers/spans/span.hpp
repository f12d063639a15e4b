#pragma once
/// OpenTelemetry spans as far as agents need them, whatever format they came in.
///
/// Attributes have many names: OpenTelemetry's GenAI conventions of all generations, OpenInference's, frameworks' own.
/// `set_attribute` and `token_count` know them; what they do not know is ignored.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::traces {

struct Span {
  std::string trace, id, parent;  ///< lower-case hex
  std::string name;
  std::int64_t begin_ns = 0, end_ns = 0;
  bool failed = false;
  std::string place;  ///< where it stands in the file, for messages

  std::string operation, open_inference_kind;
  std::string model, agent, tool, conversation;
  std::string pool;                                                        ///< of a simulated agent's call
  std::int64_t input_tokens = -1, output_tokens = -1, cached_tokens = -1;  ///< -1: not said
  std::vector<std::string> links;                                          ///< traces and ids of spans that it follows
  std::string graph_node, graph_parent;  ///< a node of its agent's graph, and the one that led to it
  std::string step_kind, step_cause;     ///< of a simulated agent's span (writers/otlp.hpp)
};

void set_attribute(Span& span, std::string_view key, std::string_view text);
/// The count of tokens that an attribute of that name says; null if it says none.
std::int64_t* token_count(Span& span, std::string_view key);

}  // namespace tokenyard::traces
