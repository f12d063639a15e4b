#pragma once
/// What a seed may be, of a scenario and of whatever holds or changes one: a whole number that JSON holds exactly.

#include <nlohmann/json.hpp>

#include "sim/input/json.hpp"

namespace tokenyard::analysis {

inline constexpr std::uint64_t kLargestSeed = std::uint64_t{1} << 53;
inline constexpr const char* kSeedAllowed = "a whole number from 0 to 9007199254740992";

inline bool is_seed(const sim::Json& value) {
  return value.is_number_integer() && value.get<double>() >= 0 &&
         value.get<double>() <= static_cast<double>(kLargestSeed);
}

}  // namespace tokenyard::analysis
