#pragma once
/// How far a model is from what was measured: |modelled / measured - 1| over the rows.
///
///   FitError error;
///   error.add(modelled, measured);
///   error.summary();              // "6.1 / 4.3 / 18.0 % (mean / median / P95 of 5421)"

#include <string>
#include <vector>

namespace tokenyard::analysis {

/// A median above this is far off: the simulator is not to be trusted there, and says so.
inline constexpr double kFarOffMedian = 0.2;

class FitError {
 public:
  void add(double modelled, double measured);
  void add(const FitError& rows);
  std::size_t rows() const { return errors_.size(); }
  double mean() const;
  double quantile(double q) const;
  double median() const { return quantile(0.5); }
  /// Median of modelled / measured: above 1 means too slow.
  double bias() const;
  std::string summary() const;

 private:
  std::vector<double> errors_, ratios_;
};

}  // namespace tokenyard::analysis
