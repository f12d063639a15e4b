#pragma once
/// Text as a reader sees it: how long it is, by which columns and boxes are sized; its parts; and how a message shows it.
///
///   characters("50 µs")             // 5, of 6 bytes
///   comma_separated("calls,tasks")  // "calls", "tasks"
///   shown_text("a\tb")              // "\"a?b\""

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::sim {

/// Whether a byte of UTF-8 begins a character: those that go on with one do not.
constexpr bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

/// Characters of UTF-8, each as wide as any other. O(bytes).
inline std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
/// Without blanks and tabs at its ends.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The items between commas, as they are; none behind a comma at the end.
std::vector<std::string_view> comma_separated(std::string_view text);

/// Input as it is shown in a message: quoted, at most 80 bytes, control characters and what is no UTF-8 as '?'.
std::string shown_text(std::string_view text);

}  // namespace tokenyard::sim
