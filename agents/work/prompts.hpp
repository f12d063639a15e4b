#pragma once
/// What a visit to a node that calls a model adds to the walk's context, and the prompt that its calls get.
///
/// A prompt is the context's shared prefix (the same content for every task of the agent), then what the task has
/// added so far, then what is new: one growing extent per walk and context. A fresh node's prompt is its own: a prefix
/// and tokens that no other call finds again. No prompt is empty.
///
/// Cost: that of the visit's draws, and O(depth of branches) for a prompt.

#include "agents/work/contexts.hpp"
#include "agents/work/walk.hpp"

namespace tokenyard::agents {

/// Before the first call of a visit: opens the context, adds what is new, and replaces a context that has become too
/// long by a summary. Nothing, if the node is fresh.
void extend_context(const Walk& walk, Contexts& contexts);

void write_prompt(const Walk& walk, Contexts& contexts, Prompt& prompt);

/// What a prompt of the context begins with, as far as it is known: its shared prefix, and what the walk has added.
void write_context(const Agent& agent, std::uint32_t context, Contexts& contexts, Prompt& prompt);

}  // namespace tokenyard::agents
