#pragma once
/// How much of a run's work was within its service level.

#include <optional>
#include <string>
#include <vector>

#include "analysis/run/metrics.hpp"

namespace tokenyard::analysis {

/// Attainment: the share of the window's calls within the limits on calls, of agents that have such, or of its tasks
/// within those on tasks, likewise, whichever is smaller. Nothing without any limit, or without work.
struct Attainment {
  std::optional<double> all;
  std::vector<std::optional<double>> by_agent;
  /// Agents with limits of their own none of whose work came in the window: whether the level is met is open.
  std::vector<std::size_t> unjudged;
  /// Of all work and of each agent named in the level. The level is met where this is enough.
  std::optional<double> least;
};

/// `agents`: the names of the metrics' agents.
Attainment attainment_of(const Metrics& metrics, const Slo& slo, const std::vector<std::string>& agents);

}  // namespace tokenyard::analysis
