#pragma once
/// Time of attention over the KV cache on one chip, for all layers of a kind at once. The formulas are those of a layer.
///
/// **Decoding** reads the cache:
///
///   launch + f · (max(1, tiles / units) · tile_s + Σ context · bytes / (bandwidth · share))
///
///   tiles   the cached heads of all calls. Each is work for one unit and takes it `tile_s` beside its bytes (a kernel's
///           start and end, the first keys); no kernel takes less than one tile
///   bytes   of one cached token
///   f       the chip's table of measured over modelled time, by calls, cached heads and mean context
///           (kernel_residual.hpp)
///
/// Never faster than the share of the bandwidth: kernels measured in a loop find a small cache in the chip's L2, where
/// a server's weights have been since. With many query heads to a cached vector (MLA: latent_attention.hpp) arithmetic
/// may be the longer side instead. More cached heads than the table has are like as many more calls: H200's and B200's
/// rows of 16 to 64 heads are those of 8 heads and 2 to 8 times the calls within 3.6 and 0.9 %.
///
/// **Unequal contexts** take no longer where a kernel cuts all caches into equal pieces. Two kinds of kernels do not:
///
/// - Some give each call of a batch as many units as the next, and a captured graph's empty places theirs
///   (TensorRT-LLM's for Blackwell). All wait for the longest context while the tiles fit on the units; in w waves of
///   tiles a w-th of that wait is left. The calls then take as long as s equal ones with, in all,
///
///     S + α (s L - S) tokens of context,   α = σ min(1, units / tiles of s places)
///
///     S, L    the sum of the contexts, and the longest
///     s       places of the graph that holds the calls (spec/step_shape.hpp)
///     σ       `decode_skew`: 1 for such kernels, 0 for others
///
/// - FlashAttention-2 divides contexts only where query heads share a cached one, nothing else is computed and a
///   captured graph's places have fewer than 1.6 tiles for each unit (`decode_split_below`; 0.8 of the two that a unit
///   holds: num_splits_heuristic in its flash_api.cpp). Elsewhere the longest goes on when the others are done:
///
///     decode_key_s · (L - S / n) / (1 + w / 8)
///
///     n       calls
///     w       waves of tiles, two to a unit; with more of them the longest has come further by then (8: chosen on the
///             same tables). A tile is a cached head of a call, beside prompts a query head
///
///   Where each query head has a cached one of its own, no kernel takes less than a tile and all keys of a context, each
///   `decode_key_s` whatever the model, and the table is another.
///
/// **A prompt's chunk** of c tokens after b is divided into tiles of so many queries of a head, or, where kernels pack
/// them, of all heads that share a cached one (FlashAttention-3 does with prompts of different lengths, -2 and those
/// for Blackwell do not):
///
///   launch + f · max(longest, Σ tile / units + wait · longest)          0 ≤ wait ≤ 1 on what was measured
///
///   tile      `tile_s` to begin and end it, and its queries' products with all keys up to its last at a share of the
///             peak. A unit takes one at a time
///   longest   the tile with most keys. Tiles handed to units as they come free end at most one longest tile after they
///             would if divided evenly (Graham, 1969), and never before the longest tile ends
///   f         the chip's table by heads and length; a chunk after cached tokens counts as the whole prompt of as many
///             pairs
///
/// Queries, keys, values and results cross the memory once, beside that (`knee`).
///
/// **Before it**, the chunk's keys and values are written to the cache: vLLM's kernel gives each token a block of as
/// many threads as a token's key has numbers on this chip, up to 512 (csrc/cache_kernels.cu, reshape_and_cache_flash),
/// whatever there is to write. A unit holds four of the largest; each is held for `write_s`. A block of more threads
/// also takes longer, as the 5/4th power of them does: fitted to the tables of A100, H100 and GB300, which time both
/// kernels as one.
///
/// Form and figures as for gemm.hpp.

#include <optional>
#include <vector>

#include "platforms/cost/kernel_time.hpp"
#include "platforms/spec/attention_kernels.hpp"
#include "platforms/spec/kernel_residual.hpp"

namespace tokenyard::platforms {

/// Of the layers of one kind on one chip of a replica; per layer.
struct AttentionShape {
  double layers = 0;
  double query_heads = 0;        ///< on this chip
  double kv_heads = 1;           ///< cached, on this chip
  double heads_per_kv_head = 1;  ///< of prompts
  double query_key_dim = 0;
  double value_dim = 0;
  double cached_bytes = 0;  ///< of one token, on this chip
  double decode_flop = 0;   ///< of one cached token and one query token, on this chip
  double prefill_time = 1;  ///< of a tile's products, beside those of 128 numbers a head: latent_attention.hpp
};

struct AttentionFigures : AttentionKernels {
  double peak_flops_per_s = 0;
  double bytes_per_s = 0;
  double prefill = 1;                 ///< share of the peak
  std::optional<double> write_s = 0;  ///< none: nothing is written
  double decode = 1;                  ///< share of the bandwidth
  double launch_s = 0;
  // Must outlive all; null: none.
  const KernelResidual *prefill_residual = nullptr, *decode_residual = nullptr;
  const KernelResidual* undivided_residual = nullptr;  ///< of heads whose contexts are never divided
  std::int64_t units = 0;                              ///< 0: unknown
};

/// Contexts of a call between which a time with this table is as good as a line: 0, the table's, one beyond.
std::vector<double> contexts_of(const KernelResidual& decode_table);

class Attention {
 public:
  Attention(const AttentionFigures& figures, const AttentionShape& shape);

  /// One query token of each of `calls` calls over `context` tokens each.
  KernelTime decode(double calls, double context) const;
  /// Places in a batch, and how many tokens there are in them as far as time goes: stretch · (context + skew · weight).
  struct Places {
    double calls = 0, stretch = 1, weight = 0;
  };
  Places places(double calls) const;
  /// Whether calls with unequal contexts take longer than with equal ones.
  bool minds_skew() const { return figures_.decode_skew > 0 || figures_.decode_key_s > 0; }
  /// Seconds for which the longest context goes on when the others are done, of each token of their skew
  /// (DecodingCalls).
  double longest_alone(double calls, bool beside_prompts) const;
  /// Contexts of a call between which `decode` is as good as a line; beyond the last it is one. At least two.
  std::vector<double> decode_points() const;
  /// A chunk of `tokens` that attend to `before` tokens and to those of the chunk before them.
  KernelTime prefill(double tokens, double before) const;
  /// Writing the keys and values of a chunk to the cache; part of `prefill`.
  KernelTime write(double tokens) const;
  double prefill_flop(double tokens, double before) const;

  const AttentionShape& shape() const { return shape_; }

 private:
  /// Contexts are divided under no circumstances: decode_key_s is known, and no cached head is shared.
  bool undivided() const { return figures_.decode_key_s > 0 && shape_.query_heads <= shape_.kv_heads; }
  /// Of the longest context, a head's.
  double key_s() const { return figures_.decode_key_s * (shape_.query_key_dim + shape_.value_dim) / 256; }
  const KernelResidual* decode_table() const {
    return undivided() ? figures_.undivided_residual : figures_.decode_residual;
  }

  AttentionFigures figures_;
  AttentionShape shape_;
  /// Of a prompt, as the shape and the figures have it; per token where it says so.
  struct Tiles {
    double heads = 0, layers = 0;
    double tokens = 1;                       ///< of a tile
    double of_units = 0;                     ///< tiles that each unit takes, of one a head
    double key_s = 0, begin_s = 0;           ///< of a tile: per key, and besides
    double token_bytes = 0;                  ///< read and written, per token
    double write_s = 0, write_bytes = 0;     ///< to the cache, per token
    std::vector<double> factor_at, factors;  ///< log2 of tokens; of measured over modelled time
    double factor(double of_tokens) const;
  } tiles_;
};

}  // namespace tokenyard::platforms
