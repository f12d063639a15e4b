#pragma once
/// Sparse attention (DSA: DeepSeek-V3.2, arXiv 2512.02556; GLM-5): an indexer scores the context, attention goes to the
/// k best tokens. What it takes beside the products of its weights, which all tokens pay for, in every layer that has an
/// indexer, for pairs of a query and a token of its context:
///   score   max(2 · heads · width · pairs / (8-bit peak · kScoreShare), (keys + 4 · pairs bytes) / bandwidth)
///   choose  8 · pairs bytes / bandwidth, and while decoding kChooseS + kChooseTokenS · context of a call, where that is
///           more than k
///   launches of kIndexKernels
/// Tensor parallelism does not divide it: every chip scores for all heads (TensorRT-LLM's tech blog 15, SGLang 15025).
///
/// Attention itself gathers the latent vectors that each query has chosen, and no two queries share one: prompts are
/// computed as decoding is, with the absorbed products and
///   2 · max(heads, kLeastHeads) · (2 · rank + rotated) · Σ min(context, k) / (peak · kChosenShare)
/// per layer: kernels take whole tiles of query heads, however few a chip has. Short prompts, which have nothing to
/// choose from, are computed densely (SGLang and TensorRT-LLM do so up to k tokens). Decoding takes what
/// latent_attention.hpp says of min(context, k) tokens, where each token of a call, drafted or not, counts as a call of
/// its own; and no less than the same arithmetic at kChosenShareDecoding.
///
/// No table of these kernels is in aiconfigurator's public data, so nothing here is fitted: shares are of public
/// benchmarks (below), and a pool with such a model says so (`validity`).

#include "platforms/cost/attention.hpp"
#include "platforms/spec/chip.hpp"
#include "platforms/spec/model.hpp"

namespace tokenyard::platforms {

/// FlashMLA's README (2026-09): prompts 640 of 989 TFLOP/s on H800, 1,450 of 2,250 on B200.
inline constexpr double kChosenShare = 0.645;
/// Likewise, decoding with latent vectors in 8 bits: 410 of 989 TFLOP/s on H800. (Its 350 on B200 are of a kernel that
/// the README calls not yet optimised.)
inline constexpr double kChosenShareDecoding = 0.415;
/// Query heads of a tile: FlashMLA on Hopper, and on Blackwell since it has a kernel of 64.
inline constexpr double kLeastHeads = 64;
/// IndexCache (arXiv 2603.12201): without three indexers in four a model of 30 B parameters reads 200,000 tokens in 10.7 s
/// instead of 19.5 on H100, so all take 11.7 s, of which reading the scores takes 2.5. If they are GLM-4.7-Flash's 47
/// layers with GLM's 32 heads of 128 numbers, 42 % of the peak.
inline constexpr double kScoreShare = 0.42;
/// On B200 7 us for 4,096 tokens and 22 for 128,000 (vLLM pull 37421).
inline constexpr double kChooseS = 7e-6, kChooseTokenS = 1.2e-10;
/// Norm, rotation and quantisation of queries and key, cache entry, scores, choice, addresses of the chosen: assumed.
inline constexpr double kIndexKernels = 6;

class SparseAttention {
 public:
  /// `heads`: of attention on this chip. `attention`: the precision of its arithmetic. `queries`: tokens of a call that
  /// decode in a step.
  SparseAttention(const Chip& chip, const ModelArchitecture& model, Precision attention, double heads,
                  std::int64_t queries);

  double top_k() const { return top_k_; }
  /// Seconds that attention of all layers takes at least while each of `calls` decodes over `chosen` tokens.
  double least_to_attend(double calls, double chosen) const;
  /// Scoring and choosing in all layers while each of `calls` decodes over `context` tokens.
  KernelTime choose(double calls, double context) const;
  /// Arithmetic of scoring one token of context for a decoding call.
  double score_flop() const { return queries_ * score_flop_; }

  /// Whether a chunk of a prompt has something to choose from.
  bool chooses(double tokens, double before) const { return before + tokens > top_k_; }
  /// All layers for a chunk of `tokens` after `before`: scoring, choosing, and attention to the chosen.
  KernelTime prefill(double tokens, double before) const;
  double prefill_flop(double tokens, double before) const;

 private:
  /// Pairs of a chunk's tokens with their contexts, and with what they choose of them.
  struct Pairs {
    double all, chosen;
  };
  Pairs pairs(double tokens, double before) const;
  /// Without launches.
  KernelTime score(double pairs, double keys) const;

  double top_k_, queries_;
  double score_flop_, score_s_;    ///< of a pair, in all layers with an indexer
  double key_bytes_;               ///< likewise, of a token of context
  double attend_flop_, attend_s_;  ///< of a chosen token, in all layers
  double index_layers_, bytes_per_s_, launches_s_;
};

}  // namespace tokenyard::platforms
