#include "analysis/calibrate/least_squares.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("Robust least squares find a line in spite of outliers") {
  const auto residuals = [](std::span<const double> x, std::span<double> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double at = 0.1 * static_cast<double>(i);
      const double measured = 2 + 3 * at + (i % 10 == 0 ? 50 : 0);
      out[i] = x[0] + x[1] * at - measured;
    }
  };
  const std::vector<double> line = robust_least_squares(residuals, 101, {0, 0}, 0.01);
  CHECK(line[0] == Approx(2).margin(0.01));
  CHECK(line[1] == Approx(3).margin(0.01));
}

TEST_CASE("Robust least squares find the bottom of a curved valley") {
  // Rosenbrock's function: its minimum is at (1, 1).
  const auto residuals = [](std::span<const double> x, std::span<double> out) {
    out[0] = 10 * (x[1] - x[0] * x[0]);
    out[1] = 1 - x[0];
  };
  const std::vector<double> bottom = robust_least_squares(residuals, 2, {-1.2, 1}, 100);
  CHECK(bottom[0] == Approx(1).margin(1e-3));
  CHECK(bottom[1] == Approx(1).margin(1e-3));
}
