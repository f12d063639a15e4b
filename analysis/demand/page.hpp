#pragma once
/// demand.html: how many chips, as a page that a person reads top-down: answer, kinds of chips side by side, money, pools,
/// growth, what it rests on. Self-contained, like a run's report; made from demand.json alone.
///
///   const std::string page = demand_page(to_json(demand, scenario), command);

#include <string>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

std::string demand_page(const sim::Json& demand, const std::string& command);

}  // namespace tokenyard::analysis
