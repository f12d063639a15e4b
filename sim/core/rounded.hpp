#pragma once

#include <cstdint>

namespace tokenyard::sim {

/// The nearest integer, halves away from zero, of a number below 2^63 in size: what std::llround gives, which is a call
/// into the library, and steps round several numbers each.
constexpr std::int64_t rounded(double number) {
  const auto whole = static_cast<std::int64_t>(number);
  const double rest = number - static_cast<double>(whole);
  return whole + (rest >= 0.5) - (rest <= -0.5);
}

}  // namespace tokenyard::sim
