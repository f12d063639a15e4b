#pragma once
/// Step cost composed of kernel models (gemm.hpp, cache_attention.hpp, experts.hpp, collective.hpp) and the engine's
/// host time.
///
/// A step of T tokens passes every layer of a chip: projections, attention, dense block or experts, the small kernels
/// between them (norms, rotation, activation, quantisation: their activations cross the memory), two all-reduces under
/// tensor parallelism, exchanges of tokens among experts under data-parallel attention; then the output matrix for the
/// calls that make a token. With pp stages and as many micro-batches, a step passes every layer once with T / pp
/// tokens, pp times. The tokens are those of a data-parallel rank, but for experts, which have those of all ranks.
/// - A product in 8 or 4 bits has its inputs quantised by a kernel of their own, at a share of the bandwidth that is
///   the format's (efficiency/gemm_formats).
/// - The engine fills steps up (spec/step_shape.hpp): what is filled in is computed like the rest.
/// - With speculative decoding a decoding call has as many tokens in a step as the model checks; what else that takes
///   is the concern of speculative_step_cost.hpp.
/// - The engine's time comes on top or hides them (host_time.hpp).
///
/// Attention over the cache is the piece; the rest does not grow with contexts. It is kept per batch size of pure
/// decoding, and of the dense part per token count (in eights: tensor cores take rows in eights); not thread safe.

#include <optional>
#include <vector>

#include "platforms/cost/cache_attention.hpp"
#include "platforms/cost/collective.hpp"
#include "platforms/cost/experts.hpp"
#include "platforms/cost/host_time.hpp"
#include "platforms/cost/replica_spec.hpp"

namespace tokenyard::platforms {

class KernelStepCost final : public StepCost {
 public:
  /// `missing_numbers(spec)` must be empty.
  explicit KernelStepCost(const ReplicaSpec& spec);
  using StepCost::piece;
  StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                  const OtherRanks& others) const override;
  bool minds_skew() const override { return attention_.minds_skew(); }
  /// As CacheAttention's.
  std::int64_t longest_alone(const DecodingCalls& decoding, bool beside_prompts) const {
    return attention_.longest_alone(decoding, beside_prompts);
  }

 private:
  struct Product {
    Gemm gemm;
    double count;  ///< layers that have it
  };
  void add_product(double layers, const Gemm& gemm);
  void add_products(double layers, std::int64_t n, std::int64_t k);
  void add_pointwise();
  void add_projections();
  /// On this chip; `width`: numbers of one.
  struct Heads {
    std::int64_t queries, kv, width;
  };
  void add_grouped(std::int64_t layers, const Heads& on_chip, std::int64_t projected);
  void add_latent(std::int64_t heads);
  void add_dense();
  void add_experts();
  const KernelTime& token_time(std::int64_t tokens) const;
  KernelTime compute_token_time(std::int64_t tokens) const;
  const KernelTime& experts_time(std::int64_t tokens) const;
  KernelTime compute_experts_time(std::int64_t everyone) const;
  const KernelTime& head_time(std::int64_t rows) const;
  StepPiece kernels(std::int32_t decoding, std::span<const PrefillChunk> chunks, const OtherRanks& others) const;
  StepPiece compute_kernels(std::int32_t decoding, std::span<const PrefillChunk> chunks,
                            const OtherRanks& others) const;

  ReplicaSpec spec_;
  GemmFigures gemm_;
  double stages_ = 1;  ///< and micro-batches that share the tokens: pp
  std::vector<Product> products_;
  std::optional<Experts> experts_;
  Gemm head_;
  CacheAttention attention_;
  Collective tensor_, exchange_;
  HostTime host_;
  double pointwise_bytes_ = 0, pointwise_kernels_ = 0;  ///< of one token; of one step
  double quantised_bytes_ = 0, quantise_s_ = 0;         ///< of one token
  double token_flop_ = 0;   ///< of one token of the rank, without attention and experts, per chip
  double expert_flop_ = 0;  ///< of one token of any rank, per chip
  mutable std::vector<std::optional<KernelTime>> token_cache_, experts_cache_, head_cache_;
  mutable std::vector<std::optional<StepPiece>> decode_cache_;  ///< but for attention to the cache
};

}  // namespace tokenyard::platforms
