#pragma once
/// Time of attention over the KV cache on one chip, for all layers of a kind at once.
///
/// Decoding reads the cache: per layer launch + bytes of (Σ context + calls · pad) / (bandwidth · share): affine in the
/// sum of contexts, as leaping wants it. `pad` is what each call costs beyond its context (whole tiles of KV, a
/// kernel's start and end). With many query heads to a cached vector (MLA) arithmetic may be the longer side instead,
/// unless the share was measured for as many heads and has it in it.
/// A prompt's chunk of c tokens after b multiplies c (b + (c + 1) / 2) pairs of queries and keys, at a share of the
/// peak, in blocks of 64 queries of a head; the units that finish first wait for the last: `tail` blocks' time.
///
/// Form and figures as for gemm.hpp.

#include "platforms/cost/kernel_time.hpp"

namespace tokenyard::platforms {

/// Of the layers of one kind on one chip of a replica; per layer.
struct AttentionShape {
  double layers = 0;
  double query_heads = 0;  ///< on this chip
  double query_key_dim = 0;
  double value_dim = 0;
  double cached_bytes = 0;  ///< of one token, on this chip
  double decode_flop = 0;   ///< of one cached token and one query token, on this chip
};

struct AttentionFigures {
  double peak_flops_per_s = 0;
  double bytes_per_s = 0;
  double prefill = 1;                   ///< share of the peak
  double prefill_tail = 0;              ///< blocks
  double decode = 1;                    ///< share of the bandwidth
  bool decode_with_arithmetic = false;  ///< `decode` was measured with whatever bounds it
  double decode_pad_tokens = 0;
  double launch_s = 0;
  std::int64_t units = 0;  ///< 0: unknown
};

class Attention {
 public:
  Attention(const AttentionFigures& figures, const AttentionShape& shape) : figures_(figures), shape_(shape) {}

  /// One query token of each of `calls` calls over nothing yet; `per_token()` more for every token of context.
  KernelTime decode(double calls) const;
  KernelTime per_token() const;
  /// A chunk of `tokens` that attend to `before` tokens and to those of the chunk before them.
  KernelTime prefill(double tokens, double before) const;
  double prefill_flop(double tokens, double before) const;

  const AttentionShape& shape() const { return shape_; }

 private:
  AttentionFigures figures_;
  AttentionShape shape_;
};

}  // namespace tokenyard::platforms
