#pragma once
/// What the options --seed and --set change in a scenario before it is read.
///
///   ScenarioChanges changes;
///   changes.add_to(*sub);
///   changes.apply(file.value(), faults);

#include <CLI/CLI.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/command/option_checks.hpp"
#include "analysis/scenario/override.hpp"

namespace tokenyard::analysis {

struct ScenarioChanges {
  std::optional<std::uint64_t> seed;
  std::vector<std::string> set;

  /// `group`: the heading in the help; empty: none of their own.
  void add_to(CLI::App& sub, const std::string& group = {}) {
    CLI::Option* options[] = {sub.add_option("--seed", seed, "replaces the scenario's seed")
                                  ->check(whole_number("--seed", 0, kMostSeed))
                                  ->option_text("N"),
                              sub.add_option("--set", set, "replaces one value of the scenario (repeatable)")
                                  ->option_text("/json/pointer=value")
                                  ->expected(1)
                                  ->take_all()};
    if (group.empty()) return;
    for (CLI::Option* option : options) option->group(group);
  }
  void apply(sim::Json& scenario, sim::Faults& faults) const {
    if (seed && scenario.is_object()) scenario["seed"] = *seed;
    for (const std::string& assignment : set) apply_override(scenario, assignment, "--set", faults);
  }
};

}  // namespace tokenyard::analysis
