#pragma once
/// JSON for a number that may not exist.

#include <nlohmann/json.hpp>
#include <optional>

namespace tokenyard::sim {

inline nlohmann::ordered_json or_null(std::optional<double> number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
}

}  // namespace tokenyard::sim
