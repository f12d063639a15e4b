#pragma once
/// JSON for a number that may not exist, or that may be whole.

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

namespace tokenyard::sim {

inline nlohmann::ordered_json or_null(std::optional<double> number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
}

/// Whole values as integers: a scenario's counts take no other.
inline nlohmann::ordered_json integer_if_whole(double value) {
  if (value == std::floor(value) && std::fabs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

}  // namespace tokenyard::sim
