#pragma once
/// One value of a scenario replaced before it is read: `--set /pools/0/replicas=8`.
///
/// The pointer is one that sets (json_pointer.hpp). The value is JSON, or a string where it is not: chip=h100-sxm.

#include <string_view>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// `assignment` is "/json/pointer=value"; what is wrong with it becomes a fault of `flag`, and `root` stays as it is.
void apply_override(sim::Json& root, std::string_view assignment, std::string_view flag, sim::Faults& faults);

}  // namespace tokenyard::analysis
