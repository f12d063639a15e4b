#pragma once
/// The answer to a demand as a planner reads it in a terminal: a line per kind of chip, what is assumed, and one
/// sentence.

#include <string>

#include "analysis/demand/demand.hpp"

namespace tokenyard::analysis {

std::string demand_text(const Demand& demand, const Scenario& scenario);

}  // namespace tokenyard::analysis
