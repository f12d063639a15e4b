#pragma once
/// bottleneck.html: what holds the tasks back and what fixing it buys, as a page that a person reads top-down: answer,
/// ranking, where the time goes. Self-contained, like a run's report; made from bottleneck.json alone.
///
///   const std::string page = bottleneck_page(to_json(study), command);

#include <string>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

std::string bottleneck_page(const sim::Json& study, const std::string& command);

/// The bands of durations, of all tasks and, where there are several, of each agent's: "sales, slowest".
struct ShownBand {
  std::string name;
  const sim::Json& band;
};
std::vector<ShownBand> shown_bands(const sim::Json& study);

/// The first steps by their share of critical paths, and the first with slack.
std::vector<sim::Json> shown_steps(const sim::Json& study, std::size_t by_share, std::size_t with_slack);

}  // namespace tokenyard::analysis
