#pragma once
/// What a reader left out of a recording, and why: "plumbing spans" → 93.

#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <vector>

namespace tokenyard::agents {

struct LeftOut {
  std::string what;
  std::uint64_t count = 0;
};

/// As a run's notes tell it.
inline std::vector<std::string> in_words(const std::vector<LeftOut>& list) {
  std::vector<std::string> words;
  for (const LeftOut& l : list) words.push_back(fmt::format("left out of the trace: {} {}", l.count, l.what));
  return words;
}

}  // namespace tokenyard::agents
