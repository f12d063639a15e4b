#pragma once
/// ObjectReader::choice among the names of an enumeration, which stand in the order of its enumerators.
///
///   const Router router = enum_choice<Router>(reader, "router", kRouterNames, "least-loaded");

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "sim/input/json_reader.hpp"

namespace tokenyard::sim {

template <typename Enum, std::size_t count>
Enum enum_choice(ObjectReader& reader, std::string_view key, const std::array<std::string_view, count>& names,
                 const std::optional<std::string>& fallback = {}) {
  const std::string chosen = reader.choice(key, {names.begin(), names.end()}, fallback);
  return static_cast<Enum>(std::find(names.begin(), names.end(), chosen) - names.begin());
}

}  // namespace tokenyard::sim
