#pragma once
/// Mean and quantiles of a sample held whole, in the unit of the sample. For measured tables of some thousand rows;
/// streams of calls go into sim/statistics/quantile_sketch.hpp.

#include <span>
#include <utility>
#include <vector>

namespace tokenyard::analysis {

/// 0 of an empty sample; so the others.
double mean_of(const std::vector<double>& values);
/// Linear between the order statistics.
double quantile_of(std::vector<double> values, double q);
/// Of one that is sorted.
double quantile_of_sorted(std::span<const double> sorted, double q);
inline double median_of(std::vector<double> values) { return quantile_of(std::move(values), 0.5); }

/// Rounded to so many significant digits.
double in_digits(double value, int digits);

}  // namespace tokenyard::analysis
