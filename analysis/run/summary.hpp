#pragma once
/// summary.json: the figures of a run. Keys name their units (ttft_s, output_tokens_per_s, joules, usd; others are
/// counts and shares), and analysis/schemas says which there are. What does not exist is null.

#include "analysis/run/metrics.hpp"
#include "analysis/run/sampler.hpp"
#include "sim/network/network.hpp"

namespace tokenyard::analysis {

/// Everything a finished simulation has to say.
struct Outcome {
  const Scenario& scenario;
  std::vector<std::string> agent_names;
  const Metrics& metrics;
  const Snapshot& begin;  ///< of the window
  const Snapshot& end;
  const Snapshot& last;  ///< of the run
  const Sampler& sampler;
  const sim::Network& network;
  std::uint64_t events = 0;
  bool interrupted = false;
};

/// Seconds under the names of `causes_s`.
sim::Json causes_json(const std::array<double, platforms::kCauses>& seconds);

/// `wall_s` is left null for the caller, who stops the clock.
sim::Json summarize(const Outcome& outcome);

}  // namespace tokenyard::analysis
