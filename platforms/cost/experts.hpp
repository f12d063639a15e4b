#pragma once
/// Time of a layer of experts on one chip: two grouped products, and what goes on around them.
///
///   time   = [up + down] · (1 + unaligned, where the width f is no multiple of 16)
///            + moved / (bandwidth · memory share) + launch + expert_s · (e + elsewhere · (E - e))
///   moved  = 2 bytes · [(c + elsewhere · (C - c)) · (copy_ffn · f + copy_hidden · h) + token_hidden · h · T]
/// up and down are grouped products (gemm.hpp) over the experts that are hit, their rows padded to whole tiles. Before
/// them the kernels sort the C = k T copies of T tokens by expert and bring each token to the experts' format, between
/// them they activate, after them they sum. With experts spread over chips, e of E on this one with c copies, they go
/// through the lists and buffers of all, wherever these are (vLLM's fused_moe does: `elsewhere` near 1; kernels that
/// skip them: near 0). Widths f that are no multiple of 16 are loaded number by number.
/// A router prefers some experts to others, and which is the text's doing. With a popularity p that is distributed as
/// Beta(1, E/k - 1) about its mean k/E, the mean of (1 - p)^T is (E/k - 1) / (E/k - 1 + T), so that T tokens that
/// choose k of E experts each hit
///   E T / (T + E/k - 1)
/// of 128, of which each token chooses 8, 0.52 where k T = E (0.64 if all were alike) and 0.91 where k T = 9 E. The
/// first parameter, 1, is chosen: of 1/2, 3/4, 1, 2, 4 and alike, serving points of random text and ML.ENERGY's joules
/// would have it at 3/4, conversations on Qwen3-30B-A3B between 1 and 4 (docs/fidelity.md).
///
/// Times the table of measured over modelled (kernel_residual.hpp), but never faster than the chip's peaks allow. Form
/// and figures: least squares on kernel tables (analysis/calibrate/expert_fit.hpp). Cost as of two products.

#include "platforms/cost/gemm.hpp"
#include "platforms/spec/expert_kernels.hpp"
#include "platforms/spec/padded_experts.hpp"

namespace tokenyard::platforms {

/// Experts that `tokens` tokens hit on average when each chooses `per_token` of `experts`. O(1).
double experts_hit(double experts, double per_token, std::int64_t tokens);

/// What a chip, a number format and a software stack make of a layer.
struct ExpertFigures {
  double peak_flops_per_s = 0;
  double bytes_per_s = 0;
  std::int64_t units = 0;  ///< 0: unknown
  const ExpertKernels* kernels = nullptr;
};

class Experts {
 public:
  struct Shape {
    std::int64_t hidden = 0, ffn = 0;          ///< of one expert on this chip
    double experts = 1, all_experts = 1;       ///< on this chip; of the layer
    double per_token = 1;                      ///< that each token chooses
    double weight_bytes = 2, input_bytes = 2;  ///< of one element
  };
  /// `figures.kernels` must outlive this.
  Experts(const ExpertFigures& figures, const Shape& shape);

  /// `copies` rows, spread alike over `hit` experts, of the copies of `tokens` tokens in all.
  KernelTime at(double copies, double hit, double tokens) const;
  /// Of blocks that no token fills.
  KernelTime padding(const PaddedExperts& padded) const;
  /// Of one copy of a token.
  double flop() const { return up_.flop(1) + down_.flop(1); }

 private:
  ExpertFigures figures_;
  Shape shape_;
  Gemm up_, down_;
  double products_ = 1;  ///< of their time
};

}  // namespace tokenyard::platforms
