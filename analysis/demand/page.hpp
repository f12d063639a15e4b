#pragma once
/// demand.html: how many chips, as a page that a person reads top-down: answer, kinds of chips side by side, money, pools,
/// growth, what it rests on. Self-contained, like a run's report; it says what demand.json says.
///
///   const std::string page = demand_page(demand, scenario, command);

#include <string>

#include "analysis/demand/demand.hpp"

namespace tokenyard::analysis {

std::string demand_page(const Demand& demand, const Scenario& scenario, const std::string& command);

}  // namespace tokenyard::analysis
