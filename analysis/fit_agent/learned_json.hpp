#pragma once
/// What both forms of a learned agent write alike.

#include <string>
#include <vector>

#include "analysis/fit_agent/fitted_distribution.hpp"
#include "analysis/fit_agent/observed.hpp"

namespace tokenyard::analysis {

/// An agent without contexts, nodes and edges yet.
sim::Json agent_head(const Observed& observed, const std::string& name, const std::string& source,
                     const std::string& title, std::size_t tasks);

/// The evidence of a distribution: its family, sample and mean.
std::string measured(const FittedDistribution& fit);

/// The probabilities of what was counted: six digits each, and their sum is one.
std::vector<double> probabilities_of(const std::vector<double>& counts);

}  // namespace tokenyard::analysis
