#include "analysis/calibrate/residual_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/measured/sample_statistics.hpp"

namespace tokenyard::analysis {

using platforms::KernelResidual;

std::vector<double> powers_of_two(double least, double greatest, int step) {
  std::vector<double> points{std::exp2(std::round(std::log2(least)))};
  while (points.back() < greatest / 1.5) points.push_back(std::exp2(step) * points.back());
  return points;
}

std::vector<double> powers_of_two(const std::vector<ResidualSample>& samples, std::size_t axis, int step) {
  const auto [least, greatest] = std::minmax_element(
      samples.begin(), samples.end(),
      [axis](const ResidualSample& a, const ResidualSample& b) { return a.point[axis] < b.point[axis]; });
  return powers_of_two(least->point[axis], greatest->point[axis], step);
}

KernelResidual residual_of(const std::array<std::vector<double>, 3>& axes, const std::vector<ResidualSample>& samples) {
  const KernelResidual grid(axes, {});
  std::vector<std::vector<double>> factors(grid.size());
  for (const ResidualSample& sample : samples) factors[grid.nearest(sample.point)].push_back(sample.factor);
  // Steps along the axes from one combination to another.
  const auto distance = [&](std::size_t a, std::size_t b) {
    std::size_t sum = 0;
    for (std::size_t axis = 3; axis-- > 0; a /= axes[axis].size(), b /= axes[axis].size()) {
      const std::size_t x = a % axes[axis].size(), y = b % axes[axis].size();
      sum += x > y ? x - y : y - x;
    }
    return sum;
  };
  std::vector<double> values(grid.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t best = i;
    if (factors[i].empty()) {
      std::size_t least = std::numeric_limits<std::size_t>::max();
      for (std::size_t j = 0; j < values.size(); ++j) {
        if (!factors[j].empty() && distance(i, j) < least) least = distance(i, best = j);
      }
    }
    values[i] = median_of(factors[best]);
  }
  return {axes, std::move(values)};
}

}  // namespace tokenyard::analysis
