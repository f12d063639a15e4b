#pragma once
/// bottleneck.html: what holds the tasks back and what fixing it buys, as a page that a person reads top-down: answer,
/// ranking, where the time goes. Self-contained, like a run's report.
///
///   const std::string page = bottleneck_page(study, command);

#include <string>

#include "analysis/bottleneck/what_if.hpp"

namespace tokenyard::analysis {

std::string bottleneck_page(const WhatIf& study, const std::string& command);

}  // namespace tokenyard::analysis
