#include "analysis/calibrate/nelder_mead.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("Nelder and Mead find the bottom of Rosenbrock's valley") {
  const double steps[] = {0.5, 0.5};
  const auto x = minimize(
      [](std::span<const double> v) {
        return 100 * (v[1] - v[0] * v[0]) * (v[1] - v[0] * v[0]) + (1 - v[0]) * (1 - v[0]);
      },
      {-1.2, 1}, steps, {.restarts = 4, .evaluations_per_variable = 200, .tolerance = 1e-12});
  CHECK(x[0] == Approx(1).margin(1e-3));
  CHECK(x[1] == Approx(1).margin(1e-3));
}
