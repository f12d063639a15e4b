#pragma once
/// The limits of a service level in words.

#include <string>

#include "analysis/scenario/service_level.hpp"

namespace tokenyard::analysis {

/// "TTFT ≤ 2 s, TPOT ≤ 50 ms, call ≤ 20 s, task ≤ 30 min": those that there are. Plain text.
std::string limits_text(const SloLimits& limits);

}  // namespace tokenyard::analysis
