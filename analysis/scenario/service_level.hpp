#pragma once
/// The service level of a scenario (`slo`): limits on calls and tasks, and the share of the work that must be within them.
///
///   "slo": {"ttft_s": 2, "tpot_s": 0.05, "attainment": 0.95,
///           "agents": {"voice": {"ttft_s": 0.4}, "reports": {"ttft_s": null, "task_s": 3600}}}
///
/// An agent named under `agents` has limits of its own: what it leaves out holds for it as for all, null lifts it. The
/// level is met where that share of all work is within its limits, and of the work of each agent that is named.

#include <optional>
#include <string>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// In seconds; what is absent is not limited.
struct SloLimits {
  std::optional<double> ttft_s, tpot_s, e2e_s;  ///< of a call
  std::optional<double> task_s;

  bool on_calls() const { return ttft_s || tpot_s || e2e_s; }
  bool on_tasks() const { return task_s.has_value(); }
  bool any() const { return on_calls() || on_tasks(); }
};

struct Slo {
  struct OfAgent {
    std::string name;
    SloLimits limits;
  };
  SloLimits limits;  ///< of all agents without their own
  std::vector<OfAgent> agents;
  double attainment = 0.95;

  static Slo read(sim::ObjectReader& reader);
  /// Null if the agent has none of its own.
  const SloLimits* own(const std::string& agent) const;
  const SloLimits& of(const std::string& agent) const { return own(agent) != nullptr ? *own(agent) : limits; }
  /// Whether anything of any agent is limited.
  bool on_calls() const;
  bool on_tasks() const;
  bool has_limits() const { return on_calls() || on_tasks(); }
  /// A fault for each agent under `agents` that is none of `known`.
  void check_agents(const std::vector<std::string>& known, const std::string& file, sim::Faults& faults) const;
};

}  // namespace tokenyard::analysis
