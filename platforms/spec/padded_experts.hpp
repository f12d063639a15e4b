#pragma once
/// Some kernels of experts make room for the tokens that could come instead of those that do, since a captured graph
/// cannot know: every expert of a chip gets a block of rows, whether tokens chose it or not, and what no token fills
/// passes through the products like the rest. In a step of few tokens that is most of the work.
///
///   time = rows · e · flop of a row / (share · peak)   for the e experts of a layer on this chip, in every step
///
/// vLLM's grouped products by DeepGEMM: fused_moe/deep_gemm_utils.py, compute_aligned_M, blocks of 128 rows. Since pull
/// 26197 (0.11.1) it takes them on Hopper for decoding, too, where experts have fp8 weights in blocks; since pull 29346
/// (0.12) not where each is divided among 8 chips; later versions prefer other kernels there (fused_moe/oracle/fp8.py).

namespace tokenyard::platforms {

struct PaddedExperts {
  double rows = 0;   ///< of each expert; 0: none
  double share = 1;  ///< of the chip's peak FLOP/s at which they pass

  explicit operator bool() const { return rows > 0; }
  /// Of a layer with so many experts on the chip, one row of which takes `flop`.
  double seconds(double experts, double flop, double peak_flops_per_s) const {
    return rows * experts * flop / (share * peak_flops_per_s);
  }
};

}  // namespace tokenyard::platforms
