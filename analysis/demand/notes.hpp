#pragma once
/// What the answer to a demand rests on, and what it leaves open: marks, bands, cells, prices that nobody published,
/// how long and how often was simulated. A sentence or two each; the terminal and demand.json have the same.

#include "analysis/demand/demand.hpp"

namespace tokenyard::analysis {

std::vector<std::string> notes_of(const Demand& demand, const Scenario& scenario);

/// " *" behind a price or a power that the user assumed, " ~" behind what the catalogue marks as assumed, else nothing.
const char* mark_of_price(const Prices& prices);
const char* mark_of_power(const DemandEntry& entry);

}  // namespace tokenyard::analysis
