#pragma once
/// Numbers as a person reads them: three significant digits, a unit that fits, "–" for what does not exist.

#include <string>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

/// "85.1 ms", "2.43 s", "12.3 min", "3.4 h".
std::string duration_text(const sim::Json& seconds);
/// "12,345": a whole number in groups of three.
std::string count_text(const sim::Json& count);
/// "97.2 %".
std::string share_text(const sim::Json& share);
/// "97 %".
std::string percent_text(const sim::Json& share);
/// "0.123", "1,230", "45.1 k": three significant digits, with the prefix k, M, G, T.
std::string quantity_text(const sim::Json& value);

}  // namespace tokenyard::analysis
