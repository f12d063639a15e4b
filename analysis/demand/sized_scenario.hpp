#pragma once
/// A scenario with the size that was found for it: to be run, searched for bottlenecks and changed as any other.
///
///   if (const auto json = sized_scenario(document, scenario, entry)) folder.write("h100-sxm.json", json->dump(2));

#include <nlohmann/json.hpp>
#include <optional>

#include "analysis/demand/demand.hpp"

namespace tokenyard::analysis {

/// `document`: what `scenario` was read from. Its pools on the entry's chip, each in the way and with the replicas found,
/// on as many equal nodes of one site as hold them, simulated for as long as the search did. Nothing where no size was
/// found, where it is of another rate than the scenario's, whose tools and people grow with it, or of several cells, and
/// where the cluster is one of the catalogue.
std::optional<sim::Json> sized_scenario(sim::Json document, const Scenario& scenario, const DemandEntry& entry);

}  // namespace tokenyard::analysis
