#include "traces/readers/near_keys.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace tokenyard::traces {
namespace {

/// In lower case, without what joins words.
std::string letters_of(std::string_view key) {
  std::string letters;
  for (const char c : key) {
    if (c != '_' && c != '-') letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return letters;
}

}  // namespace

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
