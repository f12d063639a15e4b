#pragma once
/// The answer to a demand as a planner reads it in a terminal: one sentence, a line per kind of chip, and what is
/// assumed.

#include <string>

#include "analysis/demand/demand.hpp"

namespace tokenyard::analysis {

std::string demand_text(const Demand& demand, const Scenario& scenario);

}  // namespace tokenyard::analysis
