#pragma once
/// Fields of a CSV row and the numbers in them, read exactly: dates and times to whole nanoseconds, without doubles.
///
///   std::vector<std::string_view> fields;
///   split_csv("2023-11-16 18:15:46.6805900,374,44", fields);
///   read_date(fields[0], ns) && read_tokens(fields[1], tokens);

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platforms/spec/tokens.hpp"
#include "sim/random/distribution.hpp"

namespace tokenyard::traces {

/// Without blanks and tabs at its ends.
std::string_view trimmed(std::string_view text);
/// A finite number that is all of the text: no blanks, no sign +, no unit after it.
bool read_number(std::string_view text, double& number);

/// Fills `fields` with views into `line`, without blanks around them and without the quotes of a quoted field (a
/// doubled quote inside stays doubled). False if a quote is not closed or text follows one.
bool split_csv(std::string_view line, std::vector<std::string_view>& fields);

inline constexpr platforms::Tokens kMaxTokens = sim::kMostTokens;
/// A whole number from 1 to `kMaxTokens`; "374", "374.0" and "3.74e2" are one number.
bool read_tokens(std::string_view text, platforms::Tokens& tokens);
/// The same for a number already read as a double.
bool read_tokens(double value, platforms::Tokens& tokens);

/// Seconds as decimal text ("0.25", "1e3"), at least 0 and below 9e9, to the nearest nanosecond.
bool read_seconds(std::string_view text, std::int64_t& ns);

/// "2023-11-16 18:15:46.6805900": years 1970 to 2199, a blank or T, 0 to 9 fractional digits, and nothing, Z or ±hh:mm.
/// Nanoseconds since 1970 in UTC (a date without a zone is taken as UTC).
bool read_date(std::string_view text, std::int64_t& ns);

/// Input as it is shown in a message: quoted, at most 80 bytes, control characters and what is no UTF-8 as '?'.
std::string shown_text(std::string_view text);

/// Whether a key of somebody's format is likely to be `name` mistyped: the same but for case, "-" and "_", and for one
/// letter more, less or another, or two swapped. Never its plural, and never words of fewer than five letters, which
/// have many neighbours ("mode", "model").
bool mistyped(std::string_view key, std::string_view name);
/// What is allowed in the place of a key that is `name` mistyped, for messages.
std::string allowed_instead_of(std::string_view name);

}  // namespace tokenyard::traces
