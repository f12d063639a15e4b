#pragma once
/// Latent attention (MLA): its products, and what a layer takes beside them.
///
/// **Decoding.** A step counts the products with those of all its tokens; here is the rest of a layer, never faster than
/// the memory delivers the cache:
///
///   f · (products in 8 bits + kLatentKernels · launch + attention to the cache) - products
///
///   f          the chip's table of measured over modelled time of whole layers, by calls, query heads and mean context
///              (kernel_residual.hpp); a drafter's guesses that a call has checked count as so many more heads. Without
///              a table the rest is launches and attention as they are
///   products   in 8 bits whatever the weights' format, for it hardly shows (one call, 128 heads, B200: 141, 132 and
///              116 us in 16, 8 and 4 bits)
///   launch     of each short kernel around the products and the one that reads the cache: norms of the latent vectors,
///              assembly of queries and of the cache's entry, a second absorbed product, the merging of split contexts
///
/// **A prompt's** keys and values are put together for every head before attention, those of cached tokens before the
/// chunk from the cache, with one more product. Several kernels copy them in pieces of a head: a token and head take as
/// long as kAssembledBytes at full bandwidth. Attention itself takes kLatentPrefillTime of its products' time with heads
/// of 128 numbers, where exponentials weigh more. Both fitted to vLLM 0.22's modules of prompts (aiconfigurator, 16-bit
/// products, 1,024 to 40,000 tokens, 2026-11): B200 0.58 and 6.3 kB, H200 0.68 and 3.6 kB.
///
/// Tables: vLLM's MLA modules in aiconfigurator, fitted by `tokenyard calibrate` (analysis/calibrate/latent_fit.hpp).

#include <array>
#include <vector>

#include "platforms/cost/attention.hpp"
#include "platforms/cost/gemm.hpp"
#include "platforms/spec/chip.hpp"
#include "platforms/spec/model.hpp"

namespace tokenyard::platforms {

/// Two norms, queries, cache entry and merging, a second absorbed product: SGLang's and vLLM's forward passes, 2026-08.
inline constexpr double kLatentKernels = 5;
inline constexpr double kLatentPrefillTime = 0.63, kAssembledBytes = 5000;

/// Weights of `columns` outputs of `depth` inputs each.
struct WeightShape {
  std::int64_t columns = 0, depth = 0;
};
/// The products of a layer with `heads` heads on the chip: down, queries up, keys and values up, out.
std::array<WeightShape, 4> latent_products(const ModelArchitecture& model, std::int64_t heads);
/// Of one layer on a chip, without its figures' tables.
AttentionShape latent_shape(const ModelArchitecture& model, std::int64_t heads, double kv_bytes);

class LatentAttention {
 public:
  struct Shape {
    const ModelArchitecture* model = nullptr;
    Precision weights = Precision::kBf16;
    std::int64_t heads = 0;    ///< of queries, on this chip
    std::int64_t queries = 1;  ///< tokens of a call in a step that share what they read of the cache
  };
  /// `table` must outlive this; null: none. `attention`: of such layers (latent_shape).
  LatentAttention(const Chip& chip, const KernelResidual* table, const Attention& attention, const Shape& shape);

  /// Calls that decode together, and what of their layers does not depend on their contexts: all layers' products, as
  /// they are and in 8 bits.
  struct Batch {
    double calls = 0, products_s = 0, reference_s = 0;
  };
  Batch batch(double calls) const { return {calls, seconds(products_, calls), seconds(reference_, calls)}; }
  /// All layers over `context` tokens of each call, without the products.
  KernelTime decode(const Batch& batch, double context) const;
  /// As Attention's.
  std::vector<double> decode_points() const;
  /// Keys and values of `before` cached tokens, and of `tokens` after them, for the heads, in all layers.
  KernelTime unpack(double before, double tokens) const;

 private:
  using Products = std::vector<Gemm>;
  double seconds(const Products& products, double calls) const;

  Attention attention_;
  Products products_, reference_;  ///< as they are, and in 8 bits
  double heads_, queries_, bytes_per_s_, launches_s_;
  /// Of a token in a layer: of the cache's entry alone, and of the heads'.
  double read_bytes_ = 0, read_s_ = 0, assembled_bytes_ = 0, assembled_s_ = 0;
  const KernelResidual* table_;
};

}  // namespace tokenyard::platforms
