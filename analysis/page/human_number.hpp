#pragma once
/// Numbers as a person reads them: three significant digits and the unit that suits the size.
///
/// What does not exist is "–"; a number and its unit are held together by a no-break space; a share below one never
/// reads as "100 %". The same value gives the same text on every machine.
///
///   human_number(0.0831, Unit::kSeconds)      "83.1 ms"
///   human_number(41'234, Unit::kCount)        "41.2 k"
///   human_number(0.0123, Unit::kUsd)          "$0.0123"
///   human_number(std::nullopt, Unit::kWatts)  "–"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

enum class Unit : std::uint8_t { kCount, kShare, kSeconds, kPerSecond, kBytes, kJoules, kWatts, kUsd };

std::string human_number(std::optional<double> value, Unit unit);

/// The same of a value of summary.json and its like; what is no number does not exist.
std::string duration_text(const sim::Json& seconds);
std::string share_text(const sim::Json& share);
/// A mean with the half-width of its interval, if it has one: "99.1 ±0.2 %".
std::string share_text(double mean, const std::optional<double>& half_width);
std::string quantity_text(const sim::Json& value);
/// A whole number to its last digit, whatever its size: "36,457,321".
std::string count_text(const sim::Json& count);

/// The unit of a key of summary.json (analysis/schemas), by its suffix: "ttft_s" is in seconds, "tasks_per_s" a rate,
/// "busy" a share.
Unit unit_of(std::string_view key);
/// A key of summary.json in words: "prompt_tokens_per_task" is "prompt tokens per task".
std::string words_of(std::string_view key);

/// Of things that were counted, exact below a million: "41,234", "4.14 M".
std::string counted_number(std::optional<double> count);

/// "one pool", "3 pools", "41,234 calls".
std::string counted(double count, std::string_view singular, std::string_view plural);

}  // namespace tokenyard::analysis
