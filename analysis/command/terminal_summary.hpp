#pragma once
/// The summary of a run as a person reads it in a terminal: the answer in words, then what was done, how long calls and
/// tasks took, what each pool and agent did, the service level, power and money. A number that does not exist is shown
/// as "–".
///
/// One function per block; a block that has nothing to say is left out.

#include <cstdio>
#include <string>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// True on a terminal, unless NO_COLOR is set (no-color.org) or TERM is "dumb".
bool wants_colour(std::FILE* stream);

/// `summary` as `simulate` returns it, `scenario` as it was resolved; `folder` is where the results are.
std::string terminal_summary(const sim::Json& summary, const sim::Json& scenario, const std::string& folder,
                             bool colour);

}  // namespace tokenyard::analysis
