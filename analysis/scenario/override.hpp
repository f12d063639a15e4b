#pragma once
/// One value of a scenario replaced before it is read: `--set /pools/0/replicas=8`.
///
/// The pointer (RFC 6901) may name a key that is not there yet, also below objects that are not there yet, and the
/// element just behind the end of an array; never one further on. The value is JSON, or a string where it is not:
/// chip=h100-sxm.

#include <string_view>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// Keys of a pointer: what holds a value is walked by recursion, so it may be as deep as a parsed text.
inline constexpr std::size_t kMostPointerKeys = 200;

/// `assignment` is "/json/pointer=value"; what is wrong with it becomes a fault of `flag`, and `root` stays as it is.
void apply_override(sim::Json& root, std::string_view assignment, std::string_view flag, sim::Faults& faults);

}  // namespace tokenyard::analysis
