#pragma once
/// Makes a table of measured over modelled time (platforms/spec/kernel_residual.hpp) from samples: at each combination
/// of the axes' points the median of the samples nearest to it; one without samples takes the nearest that has some.

#include <vector>

#include "platforms/spec/kernel_residual.hpp"

namespace tokenyard::analysis {

struct ResidualSample {
  platforms::KernelResidual::Point point;
  double factor = 1;
};

/// `samples`: at least one.
platforms::KernelResidual residual_of(const std::array<std::vector<double>, 3>& axes,
                                      const std::vector<ResidualSample>& samples);

/// Every `step`-th from `least` to `greatest`, rounded to powers of two, both included.
std::vector<double> powers_of_two(double least, double greatest, int step = 1);
/// Those of an axis of the samples.
std::vector<double> powers_of_two(const std::vector<ResidualSample>& samples, std::size_t axis, int step = 1);

}  // namespace tokenyard::analysis
