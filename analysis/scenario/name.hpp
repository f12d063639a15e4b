#pragma once
/// The name that a scenario, a pool or a workload entry gives itself: it stands in tables, file names and messages.

#include <algorithm>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// The value of "name": not empty, and without control characters.
inline std::string read_name(sim::ObjectReader& reader, const std::string& fallback) {
  std::string name = reader.string("name", fallback);
  const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (reader.has("name") && (name.empty() || control)) {
    if (reader.raw("name")->is_string())
      reader.fault("name", sim::shown(*reader.raw("name")),
                   "a name: at least one character, and no control characters");
    name = fallback;
  }
  return name;
}

}  // namespace tokenyard::analysis
