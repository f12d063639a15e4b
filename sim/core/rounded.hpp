#pragma once
/// Numbers made whole, the same on every machine: `rounded` where they are known to be small, `counted` where a user's
/// may not be.

#include <cstdint>

namespace tokenyard::sim {

/// The nearest integer, halves away from zero, of a number below 2^63 in size: what std::llround gives, which is a call
/// into the library, and steps round several numbers each.
constexpr std::int64_t rounded(double number) {
  const auto whole = static_cast<std::int64_t>(number);
  const double rest = number - static_cast<double>(whole);
  return whole + (rest >= 0.5) - (rest <= -0.5);
}

/// What several of may be added without overflow: 2^60.
inline constexpr std::int64_t kMostCounted = std::int64_t{1} << 60;

/// The same of any number, but for ±kMostCounted at most; no number counts as too large.
constexpr std::int64_t counted(double number) {
  constexpr auto kMost = static_cast<double>(kMostCounted);
  const double below = number < kMost ? number : kMost;
  return rounded(below > -kMost ? below : -kMost);
}

}  // namespace tokenyard::sim
