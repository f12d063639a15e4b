#pragma once
/// How long a text is to a reader: what columns and boxes are sized by.
///
///   characters("50 µs")   // 5, of 6 bytes

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tokenyard::sim {

/// Characters of UTF-8, each as wide as any other: all bytes but those that go on with one. O(bytes).
inline std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace tokenyard::sim
