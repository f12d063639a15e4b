#pragma once
/// One run of a campaign, in this process: the scenario is read, simulated and reduced to the outputs the campaign
/// keeps. Nothing is written, nothing is thrown but what no run can be blamed for; a failure is a result.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/campaign/campaign.hpp"
#include "analysis/run/simulate.hpp"

namespace tokenyard::analysis {

/// Why a run has no outputs. Only `kInfeasible` is for good: the others are tried again when the campaign is resumed.
enum class RunFailure : std::uint8_t { kNone, kInfeasible, kInput, kTime, kMemory, kCrash };
inline constexpr std::array<std::string_view, 6> kRunFailureNames = {"",     "infeasible", "input",
                                                                     "time", "memory",     "crash"};

struct RunOutcome {
  RunFailure failure = RunFailure::kNone;
  std::string message;                                                 ///< of a failure
  std::vector<sim::Fault> faults;                                      ///< of one that is the input's
  std::vector<std::pair<std::string, std::optional<double>>> outputs;  ///< in the order of the campaign's list
  double wall_s = 0;
  double memory_mb = 0;  ///< the most that was resident

  bool done() const { return failure == RunFailure::kNone; }
  /// As JSON text, and back; exact.
  std::string to_text() const;
  static RunOutcome from_text(const std::string& text);
};

/// The numbers of a summary under `keys`: dotted ("latency.ttft_s.p95"); an object means every number in it, lists
/// aside; true is 1. A key that the summary lacks is absent: pools, agents and training vary with the cell.
std::vector<std::pair<std::string, std::optional<double>>> select_outputs(const sim::Json& summary,
                                                                          const std::vector<std::string>& keys);

using sim::MakeNetwork;

/// "campaign.json, cell replicas=2": the campaign's file and the run's factors, by which its faults are told.
std::string run_name(const Campaign& campaign, RunId run);
/// The scenario of a run, read; the path of its trace counts from the working folder.
Scenario read_run(const Campaign& campaign, const Catalogs& catalogs, RunId run, sim::Faults& faults);

RunOutcome run_once(const Campaign& campaign, const Catalogs& catalogs, RunId run, const MakeNetwork& make_network);

}  // namespace tokenyard::analysis
