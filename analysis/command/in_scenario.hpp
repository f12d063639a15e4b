#pragma once
/// Simulating a scenario's file: a simulation knows places in it, but not what it is called.
///
///   const sim::Json summary = in_scenario("mine.json", [&] { return simulate(scenario, replay, options); });

#include <string>

#include "sim/input/faults.hpp"

namespace tokenyard::analysis {

/// What `work` returns; the place of what is not feasible is told with its file.
template <typename Work>
auto in_scenario(const std::string& file, Work work) {
  try {
    return work();
  } catch (const sim::Infeasible& error) {
    const std::string what = error.what();
    const bool place = what.starts_with("/pools/") || what.starts_with("/training/");
    throw sim::Infeasible(place ? file + ": " + what : what);
  }
}

}  // namespace tokenyard::analysis
