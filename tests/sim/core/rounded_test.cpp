#include "sim/core/rounded.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using tokenyard::sim::rounded;

TEST_CASE("Rounding is llround, next to halves and far from zero as well") {
  for (double number :
       {0.0, 0.49999999999999994, 0.5, 1.5, 2.5, 4503599627370495.5, 4503599627370497.0, 9e18, 1e-300}) {
    for (const double neighbour : {std::nextafter(number, -1e19), number, std::nextafter(number, 1e19)}) {
      CHECK(rounded(neighbour) == std::llround(neighbour));
      CHECK(rounded(-neighbour) == std::llround(-neighbour));
    }
  }
}
