#pragma once
/// A scenario's pools and training jobs as the platforms' floor takes them: where they stand on the cluster, and with
/// which options. Throws sim::Infeasible for what does not fit there.

#include <memory>
#include <vector>

#include "analysis/scenario/scenario.hpp"
#include "platforms/cluster/placement.hpp"
#include "platforms/serving/fleet.hpp"
#include "platforms/training/training_job.hpp"

namespace tokenyard::analysis {

/// The pools' replicas on the cluster's chips, and the workers of training jobs on those that are left. The groups of
/// the placement are the scenario's pools, then its jobs.
platforms::Placement place(const Scenario& scenario);

/// In the order of the scenario's pools. `stepwise`: every step is an event of its own. Throws sim::Infeasible if a
/// step with all that it may hold takes longer than can be counted.
std::vector<platforms::PoolOptions> pool_options(const Scenario& scenario, const platforms::Placement& placement,
                                                 bool stepwise);

/// In the order of the scenario's jobs; none is started.
std::vector<std::unique_ptr<platforms::TrainingJob>> training_jobs(const Scenario& scenario,
                                                                   const platforms::Placement& placement,
                                                                   sim::Simulation& simulation, sim::Network& network);

/// Whether anything can go over the network: without traffic all networks are alike.
bool moves_bytes(const Scenario& scenario);

}  // namespace tokenyard::analysis
