#pragma once
/// One scenario, simulated: builds the cluster, plays the workload, measures, and writes the result folder, if one is
/// wanted. No globals: with the analytic network, any number of simulations may run in threads of one process.

#include <filesystem>
#include <functional>
#include <memory>
#include <set>

#include "agents/record/recorded_task_player.hpp"
#include "agents/record/request_source.hpp"
#include "analysis/scenario/scenario.hpp"
#include "platforms/serving/fleet.hpp"
#include "sim/network/network.hpp"
#include "traces/writers/tables.hpp"

namespace tokenyard::analysis {

class Metrics;

struct SimulateOptions {
  std::filesystem::path out;    ///< the result folder, made if missing; empty: nothing is written
  std::set<std::string> write;  ///< of "calls", "tasks", "series", "perfetto", "otlp", "record"
  bool stepwise = false;
  bool report = true;  ///< report.html, too
  /// Makes the network that carries traffic; null: the analytic one. SimGrid's comes from the executable, the only one
  /// to link it.
  sim::MakeNetwork make_network;
  /// Adds observers of the caller's own.
  std::function<void(platforms::Fleet&, agents::Workload&, const traces::Names&)> watch;
  /// Called now and then with the simulated time; false interrupts: what was done is kept and marked partial.
  std::function<bool(sim::Time, const sim::Network&)> progress;
  /// Called as often with what was measured so far, and at the end; false ends a run that can tell nothing new, marked
  /// partial.
  std::function<bool(const Metrics&)> undecided;
  // For the manifest.
  std::string version, command, network;
  std::vector<std::pair<std::string, std::string>> inputs;  ///< path and sha256
  std::string resolved;                                     ///< the scenario as JSON text
};

/// What is played in place of the scenario's own workload: the requests of a trace, or recorded tasks. Not owned.
struct Replay {
  Replay() = default;
  Replay(agents::RequestSource* source)
      : requests(source) {}  // NOLINT(google-explicit-constructor): a plain trace is a replay
  explicit operator bool() const { return requests != nullptr || tasks != nullptr; }

  agents::RequestSource* requests = nullptr;
  agents::RecordedTaskSource* tasks = nullptr;
  agents::ReplayPlan plan;           ///< of tasks
  std::vector<std::uint32_t> pools;  ///< of tasks: by recorded model (agents::ModelPools)
};

/// The agents in a run's results; a trace of requests is one, "requests".
std::vector<std::string> agent_names(const Scenario& scenario, const Replay& replay);

/// Returns the summary as written to summary.json.
sim::Json simulate(const Scenario& scenario, const Replay& replay, const SimulateOptions& options);

}  // namespace tokenyard::analysis
