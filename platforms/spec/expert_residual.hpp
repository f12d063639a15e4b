#pragma once
/// Measured over modelled time of a layer of experts: what no smooth form says.
///
/// Whether a kernel was tuned for a shape decides more than any law. The factor is a table over the rows per expert on
/// the chip (copies of tokens / experts there), the width of an expert on the chip and the experts there; linear
/// between points on the axes' logarithms, constant outside. Fitted by `tokenyard calibrate`
/// (analysis/calibrate/moe_fit.hpp).
///
/// In a chip's entry: {"rows_per_expert": [1, 8, …], "ffn": […], "experts": […], "value": [factors, the last axis
/// fastest], "source": …}. Cost of a look-up: O(points of the axes).

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

class ExpertResidual {
 public:
  using Point = std::array<double, 3>;  ///< rows per expert, ffn, experts
  static constexpr std::array<const char*, 3> kAxes = {"rows_per_expert", "ffn", "experts"};

  ExpertResidual() = default;
  /// `factors`: one for each combination of the axes' points, the last axis fastest.
  ExpertResidual(std::array<std::vector<double>, 3> axes, std::vector<double> factors)
      : axes_(std::move(axes)), factors_(std::move(factors)) {}

  bool empty() const { return factors_.empty(); }
  /// 1 if empty.
  double at(const Point& point) const;
  /// Index of the combination of the axes' points nearest to `point`.
  std::size_t nearest(const Point& point) const;
  std::size_t size() const { return axes_[0].size() * axes_[1].size() * axes_[2].size(); }

  /// Faults go to the reader's list.
  static ExpertResidual read(sim::ObjectReader& reader);
  void write(sim::Json& entry) const;

 private:
  std::array<std::vector<double>, 3> axes_;
  std::vector<double> factors_;
};

}  // namespace tokenyard::platforms
