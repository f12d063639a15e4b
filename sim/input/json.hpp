#pragma once
/// JSON as values, to and from text. What people write is read with json_reader.hpp, which says what is wrong with it.
///
///   const std::string text = to_text({{"name", "a"}}, 2);  // indented by two
///   parse_json(text).value()["name"];

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sim/input/json_fwd.hpp"

namespace tokenyard::sim {

/// Nothing if the text is not JSON.
std::optional<Json> parse_json(std::string_view text);
/// On one line, or indented. Bytes that are not UTF-8 (a path may be any) become U+FFFD.
std::string to_text(const Json& value, int indent = -1);

/// A number that may not exist.
Json or_null(std::optional<double> number);
/// Whole values as integers: a scenario's counts take no other.
Json integer_if_whole(double value);

/// Whether bytes from the command line are text: only such may go into a document unchanged.
bool is_utf8(std::string_view bytes);

}  // namespace tokenyard::sim
