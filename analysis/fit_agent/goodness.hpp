#pragma once
/// How near a learned agent's tasks are to the recorded ones: quantiles of what both do.
///
/// The agent plays tasks (as many as were recorded, at least 2,000, at most 20,000) against servers that answer at
/// once, with the player that a simulation uses. Compared are calls per task, prompt and output tokens per call, times
/// of tools and of people per visit, their visits per task (of those that take time), and a task's duration if calls
/// took no time. What the agent does not have (branches, sub-agents, gaps) is missing from these last ones.

#include <string>
#include <vector>

#include "analysis/fit_agent/observed.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct Goodness {
  struct Row {
    std::string quantity;
    std::vector<double> recorded, played;  ///< at kQuantiles, then the mean; empty: there is none
    double recorded_count = 0, played_count = 0;
    std::vector<double> low, high;  ///< recorded, two percentiles below and above each of kQuantiles
  };
  static constexpr std::array<double, 6> kQuantiles = {0.1, 0.25, 0.5, 0.75, 0.9, 0.95};
  std::vector<Row> rows;
  std::size_t tasks = 0;                          ///< played
  double recorded_failed = 0, played_failed = 0;  ///< shares of the tasks

  /// The greatest relative difference of calls, prompts and outputs from the 10th to the 90th percentile. Numbers of
  /// calls are few and may come in threes: one within two percentiles of the recorded is equal.
  double worst() const;
};

/// The agent must be one without faults and sub-agents.
Goodness compare_played(const Observed& observed, const sim::Json& agent);

}  // namespace tokenyard::analysis
