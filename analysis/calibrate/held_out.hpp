#pragma once
/// Which measured configurations a fit holds out, to be judged on what it has not seen: one in five.
///
/// A hash of the configuration decides, so that neither the order of the rows nor the other rows matter. The mixing and
/// the shift are part of what was fitted: with others, other rows are held out, and every figure moves a little.
///
///   bool held_out(const Sample& s) { return one_in_five(s.batch * kGoldenRatio, 31); }

#include <cstdint>

namespace tokenyard::analysis {

/// 2^64 over the golden ratio: spreads small numbers over all 64 bits (Knuth's multiplicative hashing).
inline constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ULL;

/// `configuration`: its numbers, spread over 64 bits; `shift`: how far the upper of them are folded down.
constexpr bool one_in_five(std::uint64_t configuration, int shift) {
  std::uint64_t hash = configuration ^ (configuration >> shift);
  hash *= 0xbf58476d1ce4e5b9ULL;  // of SplitMix64
  return (hash >> 32) % 5 == 0;
}

}  // namespace tokenyard::analysis
