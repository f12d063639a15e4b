#pragma once
/// Shares and rates of the summary.

#include "sim/input/json.hpp"

namespace tokenyard::analysis {

/// Null where there is no whole.
inline sim::Json ratio(double part, double whole) { return whole > 0 ? sim::Json(part / whole) : sim::Json(nullptr); }
inline sim::Json ratio(std::uint64_t part, std::uint64_t whole) {
  return ratio(static_cast<double>(part), static_cast<double>(whole));
}

}  // namespace tokenyard::analysis
