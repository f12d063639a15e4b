#pragma once
/// The checks that concern an agent's graph as a whole: agent.hpp states what they guarantee.

#include "agents/graph/agent.hpp"

namespace tokenyard::agents {

/// Of an agent whose parts were read without faults.
void validate(const Agent& agent, sim::Faults& faults);

}  // namespace tokenyard::agents
