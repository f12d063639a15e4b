#pragma once
/// A scenario's file as a command takes it: with what its options change.
///
///   sim::Faults faults;
///   OpenedScenario opened = open_scenario(a.scenario, catalogs.view(), a.changes, faults);
///   faults.throw_if_any();
///   in_scenario(a.scenario, [&] { return simulate_workload(opened.scenario, options); });

#include <functional>
#include <string>

#include "analysis/command/scenario_changes.hpp"
#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

struct OpenedScenario {
  sim::JsonFile file;  ///< as changed
  Scenario scenario;   ///< the path of its trace counts from the working folder
};

using ChangeScenario = std::function<void(sim::Json& document, sim::Faults& faults)>;

/// Throws where the file cannot be read, with the faults there were before; those of what it says are added, and the
/// result is only of use if none were. `needs_workload` is false under `replay`.
OpenedScenario open_scenario(const std::string& path, const Catalogs& catalogs, const ChangeScenario& change,
                             sim::Faults& faults, bool needs_workload = true);
OpenedScenario open_scenario(const std::string& path, const Catalogs& catalogs, const ScenarioChanges& changes,
                             sim::Faults& faults, bool needs_workload = true);

}  // namespace tokenyard::analysis
