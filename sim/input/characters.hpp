#pragma once
/// How long a text is to a reader, which columns and boxes are sized by; and whether a file may bear it as its name.
///
///   characters("50 µs")   // 5, of 6 bytes
///   names_a_file("../x")  // false

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tokenyard::sim {

/// Characters of UTF-8, each as wide as any other: all bytes but those that go on with one. O(bytes).
inline std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// In whatever folder: neither a path nor hidden, without control characters. O(bytes).
inline bool names_a_file(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::none_of(text.begin(), text.end(), [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

}  // namespace tokenyard::sim
