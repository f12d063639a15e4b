#pragma once
/// Measured over modelled time of a kernel: what no smooth form says.
///
/// Whether a kernel was tuned for a shape, and how it shares a small one among the units, decides more than any law.
/// The factor is a table over three axes; linear between points on the axes' logarithms, constant outside. Fitted by
/// `tokenyard calibrate` (analysis/calibrate/residual_fit.hpp).
///
/// In a chip's entry: {"rows_per_expert": [1, 8, …], "ffn": […], "experts": […], "value": [factors, the last axis
/// fastest], "source": …}. Cost of a look-up: O(log of the axes' points).

#include <array>
#include <span>
#include <vector>

#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

/// Names of a table's axes.
using ResidualAxes = std::array<const char*, 3>;
/// Layers of experts: copies of tokens for each expert on the chip, the width of an expert there, the experts there.
inline constexpr ResidualAxes kExpertAxes = {"rows_per_expert", "ffn", "experts"};
/// Decoding over the KV cache: calls, cached heads on the chip, tokens of context of a call.
inline constexpr ResidualAxes kDecodeAxes = {"calls", "kv_heads", "context"};
/// A layer of latent attention while decoding: calls, query heads on the chip, tokens of context of a call.
inline constexpr ResidualAxes kLatentAxes = {"calls", "heads", "context"};
/// Attention of prompts: query heads on the chip (of all prompts of a kernel), how many share a cached head, tokens.
inline constexpr ResidualAxes kPrefillAxes = {"heads", "heads_per_kv_head", "tokens"};

class KernelResidual {
 public:
  using Point = std::array<double, 3>;

  KernelResidual() = default;
  /// `factors`: one for each combination of the axes' points, the last axis fastest.
  KernelResidual(std::array<std::vector<double>, 3> axes, std::vector<double> factors)
      : axes_(std::move(axes)), factors_(std::move(factors)) {}

  bool empty() const { return factors_.empty(); }
  /// 1 if empty.
  double at(const Point& point) const;
  /// Index of the combination of the axes' points nearest to `point`.
  std::size_t nearest(const Point& point) const;
  std::size_t size() const { return axes_[0].size() * axes_[1].size() * axes_[2].size(); }
  std::span<const double> points(std::size_t axis) const { return axes_[axis]; }

  /// Faults go to the reader's list.
  static KernelResidual read(sim::ObjectReader& reader, const ResidualAxes& names);
  void write(sim::Json& entry, const ResidualAxes& names) const;

 private:
  std::array<std::vector<double>, 3> axes_;
  std::vector<double> factors_;
};

}  // namespace tokenyard::platforms
