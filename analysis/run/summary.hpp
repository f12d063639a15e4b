#pragma once
/// summary.json: the figures of a run. Keys name their units (ttft_s, output_tokens_per_s, joules, usd; others are
/// counts and shares), and analysis/schemas says which there are. What does not exist is null.

#include "analysis/run/measurement.hpp"
#include "sim/network/network.hpp"

namespace tokenyard::analysis {

/// Seconds under the names of `causes_s`.
sim::Json causes_json(const std::array<double, platforms::kCauses>& seconds);

/// Of a finished run; `interrupted`: it is a part of what was asked for. `wall_s` is left null for the caller, who
/// stops the clock.
sim::Json summarize(const Measurement& measured, const sim::Network& network, bool interrupted);

}  // namespace tokenyard::analysis
