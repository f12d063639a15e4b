#pragma once
/// Whether a name of the user's may become that of a file.
///
///   names_a_file("../x")  // false

#include <algorithm>
#include <string_view>

namespace tokenyard::sim {

/// In whatever folder: neither a path nor hidden, without control characters. O(bytes).
inline bool names_a_file(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::none_of(text.begin(), text.end(), [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

}  // namespace tokenyard::sim
