#pragma once
/// One case of a study, simulated or sized: the figures that its measures are taken from.

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "analysis/scenario/scenario.hpp"

namespace tokenyard::analysis {

/// A case with every formula replaced by its value.
struct CaseJob {
  sim::Json scenario;
  std::map<std::string, double> scale;
  bool sized = false;

  /// Names everything that the figures follow from.
  std::string key() const;
};

/// The summary of a simulation, or under `demand` what a sizing found; `chip` is the catalogue's entry of the chip of
/// the first pool. What nothing can serve has `why_not` and no figures. Throws InputError where the template is wrong.
/// On the analytic network: any number may run in threads.
sim::Json run_case(const CaseJob& job, const Catalogs& catalogs, const std::string& name);

}  // namespace tokenyard::analysis
