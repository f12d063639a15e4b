#pragma once
/// Scenarios simulated within the test's process.

#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/run/simulate.hpp"
#include "tests/support/public_data.hpp"
#include "tests/support/scratch_folder.hpp"
#include "traces/readers/trace_reader.hpp"

namespace tokenyard::analysis {

/// Of a run.
class ResultFolder : public ScratchFolder {
 public:
  using ScratchFolder::ScratchFolder;
  std::string read(const std::string& file) const {
    REQUIRE(std::filesystem::exists(path / file));
    return whole_file(path / file);
  }
};

struct InProcess {
  std::set<std::string> write = {};
  bool stepwise = false;
};

/// A scenario from its JSON; `agents` are further ones, each a JSON text.
inline Scenario read_scenario(const std::string& text, bool needs_workload = true,
                              const std::vector<std::string>& agents = {}) {
  static std::deque<platforms::Catalog> platform_catalogs;  // scenarios point into them
  static std::deque<agents::AgentCatalog> agent_catalogs;
  sim::Faults faults;
  if (platform_catalogs.empty()) platform_catalogs.push_back(platforms::Catalog::load(faults));
  std::vector<agents::AgentCatalog::Source> sources;
  for (const std::string& agent : agents) sources.push_back({"agent", agent});
  agent_catalogs.push_back(sources.empty() ? agents::AgentCatalog::load(faults)
                                           : agents::AgentCatalog::of(sources, faults));
  const sim::JsonFile file = sim::JsonFile::parse(text, "scenario", faults);
  Scenario scenario = Scenario::read(file, {platform_catalogs.front(), agent_catalogs.back()}, needs_workload, faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return scenario;
}

/// Simulates a scenario's JSON, or a trace on it, and returns the summary.
inline sim::Json simulate_text(const std::string& text, const ResultFolder& folder, const InProcess& how = {},
                               const Replay& replay = {}) {
  SimulateOptions options;
  options.out = folder.path;
  options.write = how.write;
  options.stepwise = how.stepwise;
  options.resolved = "{}";
  return simulate(read_scenario(text, !replay), replay, options);
}

inline std::string llama_70b_on_h100(int replicas, const std::string& engine = "{}") {
  return R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 8, "chips_per_node": 8}]}]},
             "pools": [{"model": "llama-3.1-70b", "chip": "h100-sxm", "parallelism": {"tp": 4},
                        "precision": {"weights": "fp8", "kv": "fp8"}, "engine": )" +
         engine + R"(, "replicas": )" + std::to_string(replicas) + "}]}";
}

}  // namespace tokenyard::analysis
