#pragma once
/// Time of a layer of experts on one chip: two grouped products, with the sorting of tokens by expert before, the
/// activation between and the weighted sum after them.
///
/// Of the chip's E experts, `hit` ones are read; their rows are padded to whole tiles (gemm.hpp). Each token enters as
/// many copies as it has experts here, and every copy's activations cross the memory. A router sends tokens anywhere:
/// of T tokens that choose k of E experts each, alike and independently, E (1 - (1 - k/E)^T) are hit.
///
/// Form and figures: least squares on tables of fused MoE kernels (analysis/calibrate/moe_fit.hpp); errors stand in the
/// chips' entries. Cost as of two products.

#include "platforms/cost/gemm.hpp"

namespace tokenyard::platforms {

/// Experts that `tokens` tokens hit on average when each chooses `per_token` of `experts`.
double experts_hit(double experts, double per_token, std::int64_t tokens);

class Experts {
 public:
  /// `ffn`: of one expert on this chip. `figures.launch_s`: of the whole layer.
  Experts(const GemmFigures& figures, std::int64_t hidden, std::int64_t ffn, double weight_bytes, double input_bytes);

  /// `copies` rows, spread alike over `hit` experts.
  KernelTime at(double copies, double hit) const;
  /// Of one copy of a token.
  double flop() const { return up_.flop(1) + down_.flop(1); }

 private:
  Gemm up_, down_;
  double copy_bytes_, bytes_per_s_, launch_s_;
};

}  // namespace tokenyard::platforms
