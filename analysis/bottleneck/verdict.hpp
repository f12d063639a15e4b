#pragma once
/// What a what-if study found, in sentences.

#include <string>

#include "analysis/bottleneck/what_if.hpp"

namespace tokenyard::analysis {

/// What holds the tasks back, what would help against a level that is missed, and what else the slowest suffer from; or
/// that nothing was measured. `study` is complete but for this.
std::string verdict_of(const WhatIf& study, const Scenario& scenario);

}  // namespace tokenyard::analysis
