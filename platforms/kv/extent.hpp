#pragma once
/// What contexts are made of: stretches of tokens that stand for their contents.
///
/// Two contexts share a prefix as far as their extents agree in content, and where they differ in length, up to the
/// shorter. Content 0 is nobody else's: only its own call finds it again, after a preemption.
///
/// A context that grows is *one* extent {X, n}: a call whose output has the content of its prompt's last extent goes on
/// with it. After prompt {R, 3600}, {X, 200} and 80 tokens of output, prompt {R, 3600}, {X, 330} finds the full blocks
/// of its first 3600 + 200 + 79 tokens: the last token of an output is made but never computed.

#include <cstdint>
#include <span>

#include "platforms/spec/tokens.hpp"

namespace tokenyard::platforms {

/// A stretch of a context.
struct Extent {
  std::uint64_t content = 0;
  Tokens tokens = 0;
};

inline Tokens tokens_of(std::span<const Extent> context) {
  Tokens sum = 0;
  for (const Extent& extent : context) sum += extent.tokens;
  return sum;
}

/// Contents with the top bit are shared prefixes: every task of an agent begins with the same.
constexpr std::uint64_t shared_prefix_content(std::uint64_t hash) { return hash | std::uint64_t{1} << 63; }
constexpr bool is_shared_prefix(std::uint64_t content) { return content >> 63 != 0; }

/// How many calls ahead a task is of its next one that begins with a shared prefix: 1, if it is the very next.
struct NextUse {
  Extent prefix;
  std::uint32_t calls = 0;
};

}  // namespace tokenyard::platforms
