#include "analysis/calibrate/fit_error.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace tokenyard::analysis {
namespace {

/// Linear between the order statistics.
double quantile_of(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (position - static_cast<double>(low)) * (values[high] - values[low]);
}

}  // namespace

void FitError::add(double modelled, double measured) {
  ratios_.push_back(modelled / measured);
  errors_.push_back(std::abs(modelled / measured - 1));
}

double FitError::mean() const {
  return errors_.empty() ? 0
                         : std::accumulate(errors_.begin(), errors_.end(), 0.0) / static_cast<double>(errors_.size());
}
double FitError::quantile(double q) const { return quantile_of(errors_, q); }
double FitError::bias() const { return quantile_of(ratios_, 0.5); }

std::string FitError::summary() const {
  return fmt::format("{:.1f} / {:.1f} / {:.1f} % (mean / median / P95 of {})", 100 * mean(), 100 * median(),
                     100 * quantile(0.95), rows());
}

}  // namespace tokenyard::analysis
