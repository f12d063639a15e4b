#pragma once
/// What is wrong with a text that is no JSON, and where: simdjson, which reads the traces, does not say.
///
/// Cost: the text is parsed once more, by a slower parser that keeps nothing. So for texts that were refused.
///
///   log.refuse(json_fault(path, 3, line, simdjson::error_message(error), R"({"id": "…"})"), "faulty lines");
///   // trace.jsonl: line 3, column 17: found syntax error … in "…", allowed: {"id": "…"}

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/input/faults.hpp"

namespace tokenyard::traces {

/// The fault of a text that begins on `first_line` of the file, with the line and the column (in bytes, from 1) where it
/// ceases to be JSON. Where that cannot be said (a number too large, nesting too deep), it is the line of a text of one,
/// and `reason` says why it was refused.
sim::Fault json_fault(std::string file, std::uint64_t first_line, std::string_view text, std::string_view reason,
                      std::string allowed);

}  // namespace tokenyard::traces
