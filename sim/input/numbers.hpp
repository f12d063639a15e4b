#pragma once
/// Numbers, durations and dates of text, read exactly: times to whole nanoseconds, without doubles.
///
///   std::int64_t ns = 0;
///   read_date("2023-11-16 18:15:46.6805900", ns) && read_seconds("0.25", ns);

#include <cstdint>
#include <string_view>

namespace tokenyard::sim {

/// A finite number that is all of the text: no blanks, no sign +, no unit after it.
bool read_number(std::string_view text, double& number);

/// Seconds as decimal text ("0.25", "1e3"), at least 0 and below 9e9, to the nearest nanosecond.
bool read_seconds(std::string_view text, std::int64_t& ns);

/// "2023-11-16 18:15:46.6805900": years 1970 to 2199, a blank or T, 0 to 9 fractional digits, and nothing, Z or ±hh:mm.
/// Nanoseconds since 1970 in UTC (a date without a zone is taken as UTC).
bool read_date(std::string_view text, std::int64_t& ns);

}  // namespace tokenyard::sim
