#pragma once
/// Time of a dense matrix product, or of a group of them, on one chip.
///
/// A kernel cuts the m x n result into tiles of Tm x Tn, may split the depth k among s tiles, and runs them on the
/// chip's compute units. It takes launch + min over tile shapes and s of knee(compute, memory), with
///   compute = waves · 2 Tm Tn (k / s + depth_half) · units / (peak · e)
///   e       = compute share · Tm Tn / (Tm Tn + tile_half)
///   waves   = max(1, tiles / units), `wave` of the way to the next whole number of them
///   memory  = bytes / (bandwidth · memory share) · (1 + occupancy · (units / busy units - 1))
///             + the partial sums of a split
/// and split_s more where the parts of a split are added up. So it knows that small results leave units idle, that a
/// row too many costs a tile, and that short products never fill a pipeline. Form and figures: least squares on kernel
/// tables (analysis/calibrate); errors stand in the chips' entries. A chip of unknown units has none of the unit terms.
/// Cost: O(tile shapes · splits), about 1 us.
///
///   const GemmFigures figures = gemm_figures(chip, Precision::kFp8);   // kernel_figures.hpp
///   Gemm gate_up(figures, 2 * ffn / tp, hidden, 1.0, 1.0);             // weights and inputs of a byte
///   gate_up.at(256);                                                   // of 256 tokens
///   gate_up.at(16, 128);                                               // 128 like it, with 16 tokens each

#include <array>
#include <cstdint>

#include "platforms/cost/kernel_time.hpp"
#include "platforms/spec/gemm_kernels.hpp"

namespace tokenyard::platforms {

/// What a chip, a number format and a software stack make of a product.
struct GemmFigures : GemmKernels {
  double peak_flops_per_s = 0;
  double bytes_per_s = 0;
  double compute = 1;  ///< share of the peak of a large product
  double memory = 1;   ///< share of the bandwidth
  double launch_s = 0;
  std::int64_t units = 0;  ///< 0: unknown
  double quantise = 1;     ///< share of the bandwidth at which 16-bit inputs are brought to the format, before it
};

class Gemm {
 public:
  /// `n` columns of `k` weights of `weight_bytes` each, inputs of `input_bytes`, results in 16 bits.
  Gemm(const GemmFigures& figures, std::int64_t n, std::int64_t k, double weight_bytes, double input_bytes);

  /// `m` rows in each of `groups` products (of which `groups` may be a mean, hence no whole number).
  KernelTime at(std::int64_t m, double groups = 1) const;
  double flop(double m) const { return 2 * m * n_ * k_; }

 private:
  struct Tile {
    double rows, work;  ///< work: seconds of one tile on a unit per unit of depth
    double columns;     ///< tiles along n
  };
  static constexpr std::size_t kTiles = 12;
  GemmFigures figures_;
  double n_, k_, weight_bytes_, input_bytes_;
  std::array<Tile, kTiles> tiles_{};
};

}  // namespace tokenyard::platforms
