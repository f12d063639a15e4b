#pragma once
/// Time of a layer of experts on one chip: two grouped products, with the sorting of tokens by expert before, the
/// activation between and the weighted sum after them.
///
/// Of the chip's E experts, `hit` ones are read; their rows are padded to whole tiles (gemm.hpp). Each token enters as
/// many copies as it has experts here. With experts spread over chips the kernels still sort, activate and sum the
/// copies for all experts, wherever these are: the activations of `routed` copies cross the memory. A router sends
/// tokens anywhere: of T tokens that choose k of E experts each, alike and independently, E (1 - (1 - k/E)^T) are hit.
///
/// Times the chip's table of measured over modelled (kernel_residual.hpp), but never faster than the chip's peaks
/// allow. Cost as of two products.

#include "platforms/cost/gemm.hpp"
#include "platforms/spec/kernel_residual.hpp"

namespace tokenyard::platforms {

/// Experts that `tokens` tokens hit on average when each chooses `per_token` of `experts`.
double experts_hit(double experts, double per_token, std::int64_t tokens);

class Experts {
 public:
  struct Shape {
    std::int64_t hidden = 0, ffn = 0;          ///< of one expert on this chip
    double experts = 1;                        ///< on this chip
    double weight_bytes = 2, input_bytes = 2;  ///< of one element
  };
  /// `figures.launch_s`: of the whole layer. `residual` must outlive this.
  Experts(const GemmFigures& figures, const Shape& shape, const KernelResidual& residual);

  /// `copies` rows, spread alike over `hit` experts; of `routed` copies in all.
  KernelTime at(double copies, double hit, double routed) const;
  /// Of one copy of a token.
  double flop() const { return up_.flop(1) + down_.flop(1); }

 private:
  Gemm up_, down_;
  Shape shape_;
  const KernelResidual* residual_;
  GemmFigures figures_;
  double copy_bytes_;
};

}  // namespace tokenyard::platforms
