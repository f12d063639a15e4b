#pragma once
/// Values of summary.json and its like. Files outlive versions: a key that is missing or of another type reads as "not
/// there", never as an error.
///
///   number_at(summary, {"latency", "ttft_s", "p95"});

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

using JsonPath = std::initializer_list<std::string_view>;

/// The value under keys within keys; null where there is none.
const sim::Json& value_at(const sim::Json& json, JsonPath keys);
/// The value of a dotted key, null where there is none; names that hold dots themselves (a pool "llama-3.1") are found,
/// too.
const sim::Json* find_key(const sim::Json& json, std::string_view key);
std::optional<double> number_at(const sim::Json& json, JsonPath keys);
/// Empty if there is no text there.
std::string text_at(const sim::Json& json, JsonPath keys);

}  // namespace tokenyard::analysis
