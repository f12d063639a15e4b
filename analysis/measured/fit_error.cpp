#include "analysis/measured/fit_error.hpp"

#include <cmath>
#include <fmt/format.h>

#include "analysis/measured/sample_statistics.hpp"

namespace tokenyard::analysis {

void FitError::add(double modelled, double measured) {
  ratios_.push_back(modelled / measured);
  errors_.push_back(std::abs(modelled / measured - 1));
}

void FitError::add(const FitError& rows) {
  errors_.insert(errors_.end(), rows.errors_.begin(), rows.errors_.end());
  ratios_.insert(ratios_.end(), rows.ratios_.begin(), rows.ratios_.end());
}

double FitError::mean() const { return mean_of(errors_); }
double FitError::quantile(double q) const { return quantile_of(errors_, q); }
double FitError::bias() const { return median_of(ratios_); }

std::string FitError::summary() const {
  if (rows() == 0) return "an unknown error (of 0)";
  return fmt::format("{:.1f} / {:.1f} / {:.1f} % (mean / median / P95 of {})", 100 * mean(), 100 * median(),
                     100 * quantile(0.95), rows());
}

}  // namespace tokenyard::analysis
