#pragma once
/// The `workload` of a scenario: agents at work, plain requests, or a recorded trace.
///
///   {"agents": [{"agent": "customer-service", "rate_per_s": 2, "arrivals": {"process": "gamma", "cv": 2},
///                "pools": {"default": "main", "small": "guards"}, "services": {"human-agents": {"capacity": 12}}}]}
///   {"requests": {"rate_per_s": 10, "prompt_tokens": DIST, "output_tokens": DIST, "pool": "main"}}
///   {"trace": {"path": "trace.csv", "format": "azure", "pool": "main", "speed": 2}}
///
/// A role of media nodes goes to a media pool: to the only one, or as `pools` says. `budget_usd` of an entry is in
/// place of its agent's. An entry without `rate_per_s` has a `closed_loop`. Requests are an agent of one step, and may
/// stand beside agents.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agents/graph/agent_catalog.hpp"
#include "agents/work/workload_entry.hpp"

namespace tokenyard::analysis {

struct TraceWorkload {
  std::string path;
  std::string format;
  double speed = 1;  ///< recorded arrivals are divided by it
  /// A relative path counts from the scenario's folder; an absolute one stays.
  std::filesystem::path path_beside(const std::filesystem::path& scenario) const {
    return scenario.parent_path() / path;
  }
};

struct WorkloadPlan {
  std::vector<agents::WorkloadEntry> entries;
  std::optional<TraceWorkload> trace;
  std::uint32_t trace_pool = 0;  ///< also where `replay` sends its requests

  /// Of its entries.
  std::vector<std::string> agents() const;
};

/// A pool as the workload sees it.
struct PoolName {
  std::string name;
  bool takes_calls = true;  ///< of language models: a decode pool takes none
  bool media = false;       ///< makes pictures
};

WorkloadPlan read_workload(sim::ObjectReader& reader, const agents::AgentCatalog& catalog,
                           const std::vector<PoolName>& pools);

}  // namespace tokenyard::analysis
