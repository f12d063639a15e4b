#include "analysis/command/open_scenario.hpp"

namespace tokenyard::analysis {

OpenedScenario open_scenario(const std::string& path, const Catalogs& catalogs, const ChangeScenario& change,
                             sim::Faults& faults, bool needs_workload) {
  OpenedScenario opened{sim::JsonFile::load(path, faults), {}};
  faults.throw_if_any();
  change(opened.file.value(), faults);
  opened.scenario = Scenario::read(opened.file, catalogs, needs_workload, faults);
  if (auto& trace = opened.scenario.workload.trace) trace->path = trace->path_beside(path).string();
  return opened;
}

OpenedScenario open_scenario(const std::string& path, const Catalogs& catalogs, const ScenarioChanges& changes,
                             sim::Faults& faults, bool needs_workload) {
  return open_scenario(
      path, catalogs, [&](sim::Json& document, sim::Faults& of_changes) { changes.apply(document, of_changes); },
      faults, needs_workload);
}

}  // namespace tokenyard::analysis
