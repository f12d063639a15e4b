#pragma once
/// The distribution of a sample, as an agent file writes it: a family where one fits, else the sample's own quantiles.
///
/// A family is taken if its greatest difference from the sample's cumulative distribution is below what a sample of
/// this size differs by from its own law (Kolmogorov, 1 %: 1.63 / sqrt(n)). Counts, the first that fits of: constant,
/// Poisson, geometric, negative binomial (by moments), else every value with its weight. Sizes and times, the nearest
/// of: constant, lognormal, gamma (by the moments of the logarithm and of the sample), else up to 64 means of equal
/// shares, which keep the mean.
///
/// Cost: O(n log n).

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct FittedDistribution {
  sim::Json dist;         ///< DIST
  std::string family;     ///< "poisson", "lognormal", "empirical", …
  std::size_t n = 0;      ///< of the sample
  double mean = 0;        ///< of the sample
  double half_width = 0;  ///< of the mean, at 95 %
};

/// Whole numbers, not negative. Geometric counts begin at 1: for samples without a zero.
FittedDistribution fit_counts(std::vector<double> sample);
/// Not negative.
FittedDistribution fit_sizes(std::vector<double> sample);

/// The half-width of a probability's 95 % interval (Wilson).
double probability_half_width(double p, double n);

}  // namespace tokenyard::analysis
