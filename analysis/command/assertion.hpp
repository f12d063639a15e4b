#pragma once
/// What `--assert` demands of a run's summary.
///
///   p95 ttft_s < 2            a statistic of a latency: mean, p50, p90, p95, p99 or max
///   slo.attainment >= 0.95    any number of summary.json by its keys
///   pools.main.busy < 0.9     names are those of the scenario, or of the agents that are replayed
///
/// Operators: < <= > >= == !=. A value that is null, there being no sample, fails every demand.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct Assertion {
  std::string text;  ///< as it was given
  std::string key;   ///< "latency.ttft_s.p95"
  std::string sign;  ///< "<"
  double bound = 0;

  /// What is wrong becomes a fault of "--assert", with the nearest name; the result is then of no use. Keys are checked
  /// against the schema of the summary, so that a typing error is found before the run.
  static Assertion parse(std::string_view text, sim::Faults& faults);

  /// What the parts of a scenario are called, by their key in a summary: "pools", "agents", "training".
  using Names = std::map<std::string, std::vector<std::string>>;
  /// Adds a fault if the key goes through a name that the scenario does not have, or cannot be below it.
  void check_names(const Names& names, sim::Faults& faults) const;

  /// "true", or why not: the value is null, or is not there at all, or does not fulfil the demand.
  struct Verdict {
    bool holds = false;
    std::string reason;  ///< "p95 ttft_s < 2 is false: it is 2.31"; empty if it holds
  };
  Verdict judge(const sim::Json& summary) const;
};

}  // namespace tokenyard::analysis
