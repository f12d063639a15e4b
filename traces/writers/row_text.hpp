#pragma once
/// Text of table rows and timelines, fast: integers and times go straight into the file's buffer.
///
/// Invariants: times are printed from whole nanoseconds, never through a double; `Time::never()` is an empty field.
/// Cost: 2 to 5 ns a field (fmt's integers, two digits at a time).
///
///   RowText row(file.buffer());
///   row.integer(7).comma().seconds(t).comma().text(name).end();

#include <concepts>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "sim/core/time.hpp"

namespace tokenyard::traces {

/// A CSV field: quoted if it holds a comma, a quote, the end of a line, or blanks at its ends, which readers cut off.
inline std::string csv_field(std::string_view text) {
  const bool plain = text.find_first_of(",\"\n\r") == std::string_view::npos &&
                     (text.empty() || (text.front() != ' ' && text.back() != ' '));
  if (plain) return std::string(text);
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

class RowText {
 public:
  explicit RowText(fmt::memory_buffer& buffer) : buffer_(buffer) {}

  template <std::integral Integer>
  RowText& integer(Integer value) {
    const fmt::format_int digits(value);
    return text({digits.data(), digits.size()});
  }
  RowText& text(std::string_view value) {
    buffer_.append(value.data(), value.data() + value.size());
    return *this;
  }
  RowText& comma() {
    buffer_.push_back(',');
    return *this;
  }
  RowText& end() {
    buffer_.push_back('\n');
    return *this;
  }

  /// "12.000000345"; nothing for a time that never came.
  RowText& seconds(sim::Time time) {
    if (time == sim::Time::never()) return *this;
    const std::uint64_t ns = magnitude(time);
    integer(ns / 1'000'000'000);
    return fraction<9>(static_cast<std::uint32_t>(ns % 1'000'000'000));
  }
  /// "12000000.345", as the Chrome Trace Event format wants it.
  RowText& microseconds(sim::Time time) {
    const std::uint64_t ns = magnitude(time);
    integer(ns / 1'000);
    return fraction<3>(static_cast<std::uint32_t>(ns % 1'000));
  }

 private:
  std::uint64_t magnitude(sim::Time time) {
    if (time >= sim::Time()) return static_cast<std::uint64_t>(time.ns());
    buffer_.push_back('-');
    return std::uint64_t{0} - static_cast<std::uint64_t>(time.ns());
  }
  template <std::size_t Digits>
  RowText& fraction(std::uint32_t value) {
    char digits[Digits + 1];
    digits[0] = '.';
    for (std::size_t i = Digits; i > 0; --i) {
      digits[i] = static_cast<char>('0' + value % 10);
      value /= 10;
    }
    return text({digits, sizeof digits});
  }

  fmt::memory_buffer& buffer_;
};

}  // namespace tokenyard::traces
