#pragma once
/// What a software stack's kernels make of a layer of experts in one number format: the figures of
/// platforms/cost/experts.hpp, where the formula is. Fitted by `tokenyard calibrate`
/// (analysis/calibrate/expert_fit.hpp).
///
/// In a chip's entry: {"value": {"compute": 0.53, "memory": 0.86, …}, "residual": {"rows_per_expert": […], …},
/// "source": …}; figures left out are the defaults, which chips without tables take, too: those of H200 in 16
/// bits on vLLM 0.22, as its entry has them with their source.

#include <array>

#include "platforms/spec/kernel_residual.hpp"

namespace tokenyard::platforms {

struct ExpertKernels {
  double compute = 0.535, memory = 0.857;                           ///< shares of the chip's peak and bandwidth
  double tile_half = 1450, depth_half = 0.868, occupancy = 0.0501;  ///< as those of a product: gemm.hpp
  double launch_s = 2.43e-5;                                        ///< of the layer: all its kernels
  double expert_s = 2.32e-8;                                        ///< of each expert, hit or not
  double copy_ffn = 6.44;      ///< 16-bit numbers moved for a copy of a token, per element of an expert's width
  double copy_hidden = 3;      ///< … per element of the model's width
  double token_hidden = 5.02;  ///< … for a token, per element of the model's width
  double elsewhere = 0.87;     ///< share of that and of expert_s which copies and experts on other chips take
  double unaligned = 2.74;     ///< how much longer products take whose width is no multiple of 16
  KernelResidual residual;

  /// All but the residual, by the names they have in an entry.
  struct Figure {
    const char* key;
    double ExpertKernels::*value;
    sim::NumberRule rule;  ///< its fallback is not used
  };
  static const std::array<Figure, 12> kFigures;

  /// Faults go to the reader's list.
  static ExpertKernels read(sim::ObjectReader& reader);
  sim::Json to_json() const;
};

}  // namespace tokenyard::platforms
