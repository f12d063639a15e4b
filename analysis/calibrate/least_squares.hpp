#pragma once
/// Least squares that outliers do not bend (Levenberg and Marquardt's method, by Eigen): the minimum over x of
/// sum rho(r_i(x)) with rho(r) = 2 s^2 (sqrt(1 + (r / s)^2) - 1), which is r^2 up to about `scale` s and grows like |r|
/// beyond it. Derivatives by differences. Deterministic. Cost: some hundred evaluations of all residuals.
///
///   robust_least_squares([&](std::span<const double> x, std::span<double> r) { … }, rows, {0, 1}, 0.05);

#include <functional>
#include <span>
#include <vector>

namespace tokenyard::analysis {

/// `residuals` writes `rows` of them, at least as many as x has elements.
std::vector<double> robust_least_squares(
    const std::function<void(std::span<const double> x, std::span<double> residuals)>& residuals, std::size_t rows,
    const std::vector<double>& start, double scale);

}  // namespace tokenyard::analysis
