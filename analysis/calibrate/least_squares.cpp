#include "analysis/calibrate/least_squares.hpp"

#include <Eigen/Core>
#include <cmath>
#include <unsupported/Eigen/LevenbergMarquardt>
#include <unsupported/Eigen/NumericalDiff>

namespace tokenyard::analysis {
namespace {

constexpr double kStep = 1e-6;  ///< square of the relative step of a difference
constexpr int kIterations = 60;

struct Residuals : Eigen::DenseFunctor<double> {
  Residuals(const std::function<void(std::span<const double>, std::span<double>)>& of, int unknowns, int rows,
            double softening)
      : DenseFunctor(unknowns, rows), function(&of), scale(softening) {}

  int operator()(const Eigen::VectorXd& x, Eigen::VectorXd& out) const {
    (*function)({x.data(), static_cast<std::size_t>(x.size())}, {out.data(), static_cast<std::size_t>(out.size())});
    for (double& r : out) {
      const double ratio = r / scale;
      r = std::copysign(scale * std::sqrt(2 * (std::sqrt(1 + ratio * ratio) - 1)), r);
    }
    return 0;
  }

  const std::function<void(std::span<const double>, std::span<double>)>* function;
  double scale;
};

}  // namespace

std::vector<double> robust_least_squares(
    const std::function<void(std::span<const double>, std::span<double>)>& residuals, std::size_t rows,
    const std::vector<double>& start, double scale) {
  const auto unknowns = static_cast<int>(start.size());
  Eigen::NumericalDiff<Residuals> functor(Residuals(residuals, unknowns, static_cast<int>(rows), scale), kStep);
  Eigen::LevenbergMarquardt<Eigen::NumericalDiff<Residuals>> solver(functor);
  solver.setMaxfev(kIterations * (static_cast<Eigen::Index>(unknowns) + 1));
  Eigen::VectorXd x = Eigen::Map<const Eigen::VectorXd>(start.data(), unknowns);
  solver.minimize(x);
  return {x.begin(), x.end()};
}

}  // namespace tokenyard::analysis
