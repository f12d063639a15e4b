#pragma once
/// Text as a JSON string: quoted, with what JSON forbids escaped.

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace tokenyard::traces {

inline void append_json_string(fmt::memory_buffer& buffer, std::string_view text) {
  buffer.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      buffer.push_back('\\');
      buffer.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(fmt::appender(buffer), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      buffer.push_back(c);
    }
  }
  buffer.push_back('"');
}

inline std::string json_text(std::string_view text) {
  fmt::memory_buffer buffer;
  append_json_string(buffer, text);
  return fmt::to_string(buffer);
}

}  // namespace tokenyard::traces
