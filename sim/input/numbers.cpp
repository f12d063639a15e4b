#include "sim/input/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tokenyard::sim {
namespace {

constexpr bool digit(char c) { return c >= '0' && c <= '9'; }

/// Exactly `count` digits at the front of `text`, which they leave.
bool take_digits(std::string_view& text, std::size_t count, std::int64_t& out) {
  if (text.size() < count) return false;
  out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!digit(text[i])) return false;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// ".123" at the front of `text` as nanoseconds; digits beyond the ninth round to the nearest.
bool take_fraction(std::string_view& text, std::int64_t& ns) {
  ns = 0;
  if (!take(text, '.')) return true;
  std::size_t digits = 0;
  while (digits < text.size() && digit(text[digits])) {
    if (digits < 9) ns = ns * 10 + (text[digits] - '0');
    ++digits;
  }
  for (std::size_t i = digits; i < 9; ++i) ns *= 10;
  if (digits > 9 && text[9] >= '5') ++ns;
  text.remove_prefix(digits);
  return digits > 0;
}

bool leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

}  // namespace

bool read_number(std::string_view text, double& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

bool read_seconds(std::string_view text, std::int64_t& ns) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c == 'e' || c == 'E'; })) {
    double value = 0;
    if (!read_number(text, value) || !(value >= 0 && value < 9e9)) return false;
    ns = std::llround(value * 1e9);
    return true;
  }
  std::size_t whole_digits = 0;
  while (whole_digits < text.size() && digit(text[whole_digits])) ++whole_digits;
  while (whole_digits > 1 && text.front() == '0') {
    text.remove_prefix(1);
    --whole_digits;
  }
  std::int64_t whole = 0, fraction = 0;
  if (whole_digits > 10 || !take_digits(text, whole_digits, whole) || whole >= 9'000'000'000) return false;
  const bool point = !text.empty() && text.front() == '.';
  if (whole_digits == 0 && !point) return false;
  if (text == "." && whole_digits > 0) {
    text.remove_prefix(1);  // "12."
  } else if (!take_fraction(text, fraction)) {
    return false;
  }
  ns = whole * 1'000'000'000 + fraction;
  return text.empty();
}

bool read_date(std::string_view text, std::int64_t& ns) {
  std::int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
      !take_digits(text, 2, day) || !(take(text, ' ') || take(text, 'T')) || !take_digits(text, 2, hour) ||
      !take(text, ':') || !take_digits(text, 2, minute) || !take(text, ':') || !take_digits(text, 2, second) ||
      !take_fraction(text, fraction)) {
    return false;
  }
  std::int64_t offset_minutes = 0;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    const std::int64_t sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    std::int64_t hours = 0, minutes = 0;
    if (!take_digits(text, 2, hours) || !take(text, ':') || !take_digits(text, 2, minutes) || hours > 15 ||
        minutes > 59) {
      return false;
    }
    offset_minutes = sign * (hours * 60 + minutes);
  } else {
    take(text, 'Z');
  }
  static constexpr std::int64_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!text.empty() || year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 ||
      second > 60) {
    return false;
  }
  if (day > kDays[month - 1] + (month == 2 && leap(year) ? 1 : 0)) return false;
  // Days from the civil calendar, with years that begin in March (Hinnant, "chrono-compatible low-level date
  // algorithms").
  const std::int64_t y = year - (month <= 2 ? 1 : 0);
  const std::int64_t era = y / 400, of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
  ns = (days * 86400 + hour * 3600 + (minute - offset_minutes) * 60 + second) * 1'000'000'000 + fraction;
  return true;
}

}  // namespace tokenyard::sim
