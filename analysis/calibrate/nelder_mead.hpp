#pragma once
/// The minimum of a function of a few variables without derivatives (Nelder and Mead, Computer Journal 7, 1965),
/// restarted from its result until that no longer helps. Deterministic. Cost: some hundred evaluations per variable.
///
///   std::vector<double> x = minimize([](std::span<const double> v) { return error(v); }, {1, 0.8}, {0.3, 0.3});

#include <functional>
#include <span>
#include <vector>

namespace tokenyard::analysis {

struct MinimizeOptions {
  int restarts = 3;
  int evaluations_per_variable = 80;  ///< of one start
  double tolerance = 1e-5;            ///< relative spread of the simplex's values
};

/// `steps` spans the first simplex around `start`.
std::vector<double> minimize(const std::function<double(std::span<const double>)>& function, std::vector<double> start,
                             std::span<const double> steps, const MinimizeOptions& options = {});

}  // namespace tokenyard::analysis
