#pragma once
/// What of bottleneck.json (to_json of what_if.hpp) the page and the terminal show.

#include <string>
#include <vector>

#include "sim/input/json_fwd.hpp"

namespace tokenyard::analysis {

/// The bands of durations, of all tasks and, where there are several, of each agent's: "sales, slowest".
struct ShownBand {
  std::string name;
  const sim::Json& band;
};
std::vector<ShownBand> shown_bands(const sim::Json& json);

/// The first steps by their share of critical paths, and the first with slack.
std::vector<sim::Json> shown_steps(const sim::Json& json, std::size_t by_share, std::size_t with_slack);

}  // namespace tokenyard::analysis
