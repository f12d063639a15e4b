#pragma once
/// A scenario (analysis/schemas/scenario.json), read and checked: cluster, pools, workload, service level, run controls.
///
/// Reading collects every fault with its JSON pointer. What follows from several keys (a pool's chips exist in the
/// cluster, a model fits its chips) is checked too: a fault where the user's input is wrong, sim::Infeasible where it
/// is right but cannot be had.

#include <optional>
#include <string>
#include <vector>

#include "analysis/scenario/demand_plan.hpp"
#include "analysis/scenario/pool_plan.hpp"
#include "analysis/scenario/service_level.hpp"
#include "analysis/scenario/training_plan.hpp"
#include "analysis/scenario/workload.hpp"
#include "platforms/cluster/cluster.hpp"
#include "platforms/spec/catalog.hpp"

namespace tokenyard::analysis {

struct RunControls {
  static constexpr double kMostSamples = 366 * 86400;  ///< a year of seconds, some GB of series.csv
  double duration_s = 3600;
  double warmup_s = 0;
  bool drain = true;
  double series_interval_s = 1;
};

/// What names in a scenario refer to.
struct Catalogs {
  const platforms::Catalog& platforms;
  const agents::AgentCatalog& agents;
};

struct Scenario {
  std::string name;
  std::uint64_t seed = 1;
  platforms::Cluster cluster;
  std::vector<PoolPlan> pools;
  std::vector<TrainingPlan> training;
  WorkloadPlan workload;
  Slo slo;
  RunControls run;
  DemandPlan demand;
  std::vector<std::string> warnings;
  /// What a study changed: kept alive by the scenario, where the rest belongs to the catalogue.
  std::vector<std::shared_ptr<const platforms::Chip>> own_chips;
  std::vector<std::shared_ptr<const platforms::EngineDefaults>> own_engines;

  /// Faults are collected; the result is only of use if none were. `needs_workload` is false under `replay`.
  static Scenario read(const sim::JsonFile& file, const Catalogs& catalogs, bool needs_workload, sim::Faults& faults);
};

}  // namespace tokenyard::analysis
