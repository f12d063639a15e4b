#include "agents/work/prompts.hpp"

#include <algorithm>

namespace tokenyard::agents {

using sim::Stream;

namespace {

void open_context(std::uint64_t seed, const Walk& walk, Contexts& contexts) {
  const std::uint32_t context = walk.node().context;
  if (contexts.opened(context)) return;
  contexts.open(context);
  const Draw& opening = walk.agent().contexts[context].opening_tokens;
  if (!opening.given) return;
  Stream stream(seed, opening.stream, walk.entity(), walk.path());
  contexts.append(context, opening.of.sample_count(stream));
}

Tokens new_tokens(std::uint64_t seed, const Walk& walk) {
  const Draw& tokens = walk.node().prompt_tokens;
  if (!tokens.given) return 0;
  Stream stream = walk.stream(seed, tokens.stream);
  return tokens.of.sample_count(stream);
}

/// A branch leaves the contexts of its parent as they are.
void compact_context(std::uint64_t seed, const Walk& walk, Contexts& contexts) {
  const Node& node = walk.node();
  if (!node.compact || contexts.of_branch()) return;
  const Tokens prefix = walk.agent().contexts[node.context].role_prefix_tokens;
  const bool above = prefix + contexts.tokens(node.context) > node.compact->above;
  Stream stream = walk.stream(seed, node.compact->stream);
  if (stream.uniform() >= (above ? node.compact->p : node.compact->p_below)) return;
  Stream sizes = walk.stream(seed, node.compact->to.stream);
  contexts.replace(node.context, std::max<Tokens>(1, node.compact->to.of.sample_count(sizes) - prefix));
}

}  // namespace

void extend_context(std::uint64_t seed, const Walk& walk, Contexts& contexts) {
  const Node& node = walk.node();
  if (node.fresh) return;
  open_context(seed, walk, contexts);
  contexts.append(node.context, walk.agent().template_tokens + new_tokens(seed, walk));
  compact_context(seed, walk, contexts);
}

void write_prompt(std::uint64_t seed, const Walk& walk, Contexts& contexts, Prompt& prompt) {
  prompt.clear();
  const Node& node = walk.node();
  if (node.fresh) {
    if (node.role_prefix_tokens > 0) prompt.push_back({node.role_content, node.role_prefix_tokens});
    if (const Tokens own = new_tokens(seed, walk); own > 0) prompt.push_back({0, own});
  } else {
    write_context(walk.agent(), node.context, contexts, prompt);
  }
  if (prompt.empty()) prompt.push_back({0, 1});
}

void write_context(const Agent& agent, std::uint32_t context, Contexts& contexts, Prompt& prompt) {
  prompt.clear();
  const ContextSpec& spec = agent.contexts[context];
  if (spec.role_prefix_tokens > 0) prompt.push_back({spec.role_content, spec.role_prefix_tokens});
  contexts.put(context, prompt);
}

}  // namespace tokenyard::agents
