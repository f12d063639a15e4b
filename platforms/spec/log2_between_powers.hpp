#pragma once
/// The axis on which the catalogue's tables are interpolated.

#include <cmath>

namespace tokenyard::platforms {

/// log2 of x > 0, linear between powers of two: exact at them, and the same on every machine.
inline double log2_between_powers(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  return exponent + 2 * mantissa - 2;
}

/// How far x is on its way from `low` to `high` on that axis: 0 at `low`, 1 at `high`.
inline double log2_share(double x, double low, double high) {
  const double from = log2_between_powers(low);
  return (log2_between_powers(x) - from) / (log2_between_powers(high) - from);
}

}  // namespace tokenyard::platforms
