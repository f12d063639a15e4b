#pragma once
/// bottleneck.html: what holds the tasks back and what fixing it buys, as a page that a person reads top-down: answer,
/// ranking, where the time goes. Self-contained, like a run's report.
///
///   const std::string page = bottleneck_page(study, command);

#include <string>

#include "analysis/bottleneck/what_if.hpp"

namespace tokenyard::analysis {

std::string bottleneck_page(const WhatIf& study, const std::string& command);

// Parts of bottleneck.json (to_json of what_if.hpp), which the terminal shows, too.

/// The bands of durations, of all tasks and, where there are several, of each agent's: "sales, slowest".
struct ShownBand {
  std::string name;
  const sim::Json& band;
};
std::vector<ShownBand> shown_bands(const sim::Json& json);

/// The first steps by their share of critical paths, and the first with slack.
std::vector<sim::Json> shown_steps(const sim::Json& json, std::size_t by_share, std::size_t with_slack);

}  // namespace tokenyard::analysis
