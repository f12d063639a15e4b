#include "agents/work/prompts.hpp"

#include <algorithm>

namespace tokenyard::agents {

using sim::Stream;

namespace {

void open_context(const Walk& walk, Contexts& contexts) {
  const std::uint32_t context = walk.node().context;
  if (contexts.opened(context)) return;
  contexts.open(context);
  const Draw& opening = walk.agent().contexts[context].opening_tokens;
  if (!opening.given) return;
  Stream stream(walk.seed(), opening.stream, walk.entity(), walk.path());
  contexts.append(context, opening.of.sample_count(stream));
}

Tokens new_tokens(const Walk& walk) {
  const Draw& tokens = walk.node().prompt_tokens;
  if (!tokens.given) return 0;
  Stream stream = walk.stream(tokens.stream);
  return tokens.of.sample_count(stream);
}

/// A branch leaves the contexts of its parent as they are.
void compact_context(const Walk& walk, Contexts& contexts) {
  const Node& node = walk.node();
  if (!node.compact || contexts.of_branch()) return;
  const Tokens prefix = walk.agent().contexts[node.context].shared_prefix.tokens;
  const bool above = prefix + contexts.tokens(node.context) > node.compact->above;
  Stream stream = walk.stream(node.compact->stream);
  if (stream.uniform() >= (above ? node.compact->p : node.compact->p_below)) return;
  Stream sizes = walk.stream(node.compact->to.stream);
  contexts.replace(node.context, std::max<Tokens>(1, node.compact->to.of.sample_count(sizes) - prefix));
}

}  // namespace

void extend_context(const Walk& walk, Contexts& contexts) {
  const Node& node = walk.node();
  if (node.fresh) return;
  open_context(walk, contexts);
  contexts.append(node.context, walk.agent().template_tokens + new_tokens(walk));
  compact_context(walk, contexts);
}

void write_prompt(const Walk& walk, Contexts& contexts, Prompt& prompt) {
  prompt.clear();
  const Node& node = walk.node();
  if (node.fresh) {
    if (node.shared_prefix.tokens > 0) prompt.push_back(node.shared_prefix);
    if (const Tokens own = new_tokens(walk); own > 0) prompt.push_back({0, own});
  } else {
    write_context(walk.agent(), node.context, contexts, prompt);
  }
  if (prompt.empty()) prompt.push_back({0, 1});
}

void write_context(const Agent& agent, std::uint32_t context, Contexts& contexts, Prompt& prompt) {
  prompt.clear();
  const platforms::Extent& prefix = agent.contexts[context].shared_prefix;
  if (prefix.tokens > 0) prompt.push_back(prefix);
  contexts.put(context, prompt);
}

}  // namespace tokenyard::agents
