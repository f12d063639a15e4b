#include "traces/readers/fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "sim/core/time.hpp"

namespace tokenyard::traces {
namespace {

constexpr bool blank(char c) { return c == ' ' || c == '\t'; }
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

/// The bytes of the UTF-8 character at the front of `text`; 0 if there is none (RFC 3629, section 4).
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

/// In lower case, without what joins words.
std::string letters_of(std::string_view key) {
  std::string letters;
  for (const char c : key) {
    if (c != '_' && c != '-') letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return letters;
}

bool leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool read_number(std::string_view text, double& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

bool split_csv(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && blank(line[at])) ++at;
    if (at < line.size() && line[at] == '"') {
      std::size_t close = at + 1;
      while (true) {
        close = line.find('"', close);
        if (close == std::string_view::npos) return false;
        if (close + 1 >= line.size() || line[close + 1] != '"') break;
        close += 2;
      }
      fields.push_back(line.substr(at + 1, close - at - 1));
      at = close + 1;
      while (at < line.size() && blank(line[at])) ++at;
      if (at < line.size() && line[at] != ',') return false;
    } else {
      const std::size_t comma = std::min(line.find(',', at), line.size());
      fields.push_back(trimmed(line.substr(at, comma - at)));
      at = comma;
    }
    if (at == line.size()) return true;
    ++at;
  }
}

bool read_tokens(double value, platforms::Tokens& tokens) {
  if (!(value >= 1 && value <= static_cast<double>(kMaxTokens)) || value != std::floor(value)) return false;
  tokens = static_cast<platforms::Tokens>(value);
  return true;
}

bool read_tokens(std::string_view text, platforms::Tokens& tokens) {
  if (text.size() <= 10 && std::all_of(text.begin(), text.end(), digit)) {
    tokens = 0;
    for (const char c : text) tokens = tokens * 10 + (c - '0');
    return tokens >= 1 && tokens <= kMaxTokens;
  }
  double value = 0;
  return read_number(text, value) && read_tokens(value, tokens);
}

bool read_seconds(std::string_view text, std::int64_t& ns) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c == 'e' || c == 'E'; })) {
    double value = 0;
    if (!read_number(text, value) || !(value >= 0 && value < 9e9)) return false;
    ns = sim::Time::seconds(value).ns();
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

std::string shown_text(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string shown = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character(text.substr(at));
    if (at + std::max<std::size_t>(length, 1) > kMost) return shown + "…\"";
    if (length == 0 || static_cast<unsigned char>(text[at]) < 0x20 || text[at] == 0x7F) {
      shown += '?';
      ++at;
    } else {
      shown += text.substr(at, length);
      at += length;
    }
  }
  return shown + '"';
}

bool mistyped(std::string_view key, std::string_view name) {
  constexpr std::size_t kTelling = 5;
  const std::string a = letters_of(key), b = letters_of(name);
  const std::size_t shorter = std::min(a.size(), b.size());
  if (shorter < kTelling || a == b + 's') return false;
  std::size_t front = 0, back = 0;  // what both begin and end with
  while (front < shorter && a[front] == b[front]) ++front;
  while (back < shorter - front && a[a.size() - 1 - back] == b[b.size() - 1 - back]) ++back;
  const std::size_t of_a = a.size() - front - back, of_b = b.size() - front - back;
  const bool swapped = of_a == 2 && of_b == 2 && a[front] == b[front + 1] && a[front + 1] == b[front];
  return swapped || std::max(of_a, of_b) <= 1;
}

std::string allowed_instead_of(std::string_view name) {
  return fmt::format("keys that look less like \"{}\" (did you mean \"{}\"?)", name, name);
}

}  // namespace tokenyard::traces
