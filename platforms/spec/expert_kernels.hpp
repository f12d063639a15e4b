#pragma once
/// What a software stack's kernels make of a layer of experts in one number format: the figures of
/// platforms/cost/experts.hpp, where the formula is. Fitted by `tokenyard calibrate`
/// (analysis/calibrate/expert_fit.hpp).
///
/// In a chip's entry: {"value": {"compute": 0.53, "memory": 0.86, …}, "residual": {"rows_per_expert": […], …},
/// "source": …}; figures left out are those of the defaults: vLLM 0.22 in 16 bits on H200, fitted to aiconfigurator's
/// table (2026-11), which chips without tables take, too.

#include <array>
#include <nlohmann/json_fwd.hpp>

#include "platforms/spec/kernel_residual.hpp"

namespace tokenyard::platforms {

struct ExpertKernels {
  double compute = 0.534, memory = 0.856;                        ///< shares of the chip's peak and bandwidth
  double tile_half = 1460, depth_half = 1.4, occupancy = 0.053;  ///< as those of a product: gemm.hpp
  double launch_s = 2.39e-5;                                     ///< of the layer: all its kernels
  double expert_s = 2.4e-8;                                      ///< of each expert, hit or not
  double copy_ffn = 6.27;      ///< 16-bit numbers moved for a copy of a token, per element of an expert's width
  double copy_hidden = 2.97;   ///< … per element of the model's width
  double token_hidden = 5.09;  ///< … for a token, per element of the model's width
  double elsewhere = 0.883;    ///< share of that and of expert_s which copies and experts on other chips take
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
