#pragma once
/// Simulating a scenario's file: a simulation knows places in it, but not what it is called.
///
///   const sim::Json summary = in_scenario("mine.json", [&] { return simulate(scenario, replay, options); });

#include <string>
#include <utility>
#include <vector>

#include "sim/input/faults.hpp"

namespace tokenyard::analysis {

/// What `work` returns; the places of faults and of what is not feasible are told with their file.
template <typename Work>
auto in_scenario(const std::string& file, Work work) {
  try {
    return work();
  } catch (const sim::InputError& error) {
    std::vector<sim::Fault> faults = error.faults();
    for (sim::Fault& fault : faults) {
      if (fault.file.empty() && fault.place.starts_with('/')) fault.file = file;
    }
    throw sim::InputError(std::move(faults));
  } catch (const sim::Infeasible& error) {
    throw sim::Infeasible(error.what(), error.place().empty() ? "" : file);
  }
}

}  // namespace tokenyard::analysis
