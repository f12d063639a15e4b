#pragma once
/// The units that a study's inputs and formulas name: "share", "s", "USD", "USD/h", "W", "J", "bytes", "/s", "times";
/// of any other, numbers are counts.

#include <string>

#include "analysis/page/human_number.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// How numbers of a study's unit read, on an axis say.
Unit unit_for(const std::string& unit);

/// A value with its unit: "41.2 k chips", "$3.10/h", "2.4 ×"; "–" for null.
std::string shown_with_unit(const sim::Json& value, const std::string& unit);

}  // namespace tokenyard::analysis
