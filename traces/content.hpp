#pragma once
/// Contents of extents, made from whatever names them in a trace: equal names give equal contents, other names others.

#include <cstdint>

namespace tokenyard::traces {

/// A bijection of 64 bits that looks random: SplitMix64's finalizer.
constexpr std::uint64_t scatter(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// The content of an id within a scope (0: the whole trace); never 0, which would mean "not shared".
constexpr std::uint64_t content_of(std::uint64_t id, std::uint64_t scope = 0) {
  const std::uint64_t content = scatter(id + 0x9E3779B97F4A7C15U * (scope + 1));
  return content != 0 ? content : 0x9E3779B97F4A7C15U;
}

}  // namespace tokenyard::traces
