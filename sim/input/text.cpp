#include "sim/input/text.hpp"

namespace tokenyard::sim {
namespace {

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
    if (begins_character(static_cast<char>(byte(i)))) return 0;
  }
  return length;
}

}  // namespace

std::vector<std::string_view> comma_separated(std::string_view text) {
  std::vector<std::string_view> items;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    items.push_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
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

}  // namespace tokenyard::sim
