#pragma once
/// The smallest whole number that passes a monotone test: doubling to bracket it, bisection within.
///
/// Numbers that fail are tried first, from below: a simulation that misses its level is stopped early, one that meets
/// it runs to the end. Cost: about log2(answer) failing tests and as many passing ones at most.
///
///   fewest_meeting(100, [](std::int64_t n) { return n >= 13; });   // 13

#include <algorithm>
#include <cstdint>
#include <optional>

namespace tokenyard::analysis {

/// In [1, most]; nothing if `most` fails too. `most` itself is asked only if all below in the doubling failed.
template <typename Test>
std::optional<std::int64_t> fewest_meeting(std::int64_t most, const Test& meets) {
  if (most < 1) return {};
  std::int64_t fails = 0, probe = 1;
  while (!meets(probe)) {
    if (probe == most) return {};
    fails = probe;
    probe = std::min(probe * 2, most);
  }
  std::int64_t passes = probe;
  while (passes - fails > 1) {
    const std::int64_t middle = fails + (passes - fails) / 2;
    (meets(middle) ? passes : fails) = middle;
  }
  return passes;
}

}  // namespace tokenyard::analysis
