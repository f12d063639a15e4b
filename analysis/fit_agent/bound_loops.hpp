#pragma once
/// Bounds for an agent's loops that go by probability alone: played long enough, each would end, but no task may be
/// without a last step.

#include <cstdint>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// Gives the likeliest-to-be-rare edge of every loop without a count `"max": most`. `edges` as an agent file has them.
/// O(edges) for each loop.
void bound_loops(sim::Json& edges, std::int64_t most);

}  // namespace tokenyard::analysis
