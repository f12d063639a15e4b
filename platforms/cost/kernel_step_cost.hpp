#pragma once
/// Step cost composed of kernel models (gemm.hpp, attention.hpp, experts.hpp, collective.hpp) and the engine's host
/// time.
///
/// A step of T tokens passes every layer of a chip: projections, attention, dense block or experts, the small kernels
/// between them (norms, rotation, activation, quantisation: their activations cross the memory), two all-reduces under
/// tensor parallelism, exchanges of tokens among experts under data-parallel attention; then the output matrix for the
/// calls that make a token. With pp stages and as many micro-batches, a step passes every layer once with T / pp
/// tokens, pp times; what attention takes for all calls' contexts is likewise a pp-th for each. The tokens are those of
/// a data-parallel rank, but for experts, which have those of all ranks.
/// - Sliding-window layers are charged their whole window per decoding call; linear layers read and write their state.
/// - A product in 8 or 4 bits has its inputs quantised by a kernel of their own, at a share of the bandwidth that is
///   the format's (efficiency/gemm_formats).
/// - A step of pure decoding is filled up to the next captured graph (captured_graph.hpp); where programs take one
///   shape, every step to the next bucket (spec/token_buckets.hpp). An engine that has compiled a single shape computes
///   all of it, whatever is there (compiled_shape.hpp).
/// - With speculative decoding a decoding call has as many tokens in a step as the model checks; what else that takes
///   is the concern of speculative_step_cost.hpp.
/// - The engine's time comes on top or hides them (host_time.hpp).
///
/// Attention over the cache is a line in the sum of contexts between the points of the chip's table (attention.hpp):
/// the piece. It is kept per batch size, as is the rest of pure decoding, and of the dense part per token count (in
/// eights: tensor cores take rows in eights); not thread safe.

#include <optional>
#include <vector>

#include "platforms/cost/attention.hpp"
#include "platforms/cost/collective.hpp"
#include "platforms/cost/experts.hpp"
#include "platforms/cost/host_time.hpp"
#include "platforms/cost/latent_attention.hpp"
#include "platforms/cost/replica_spec.hpp"
#include "platforms/cost/sparse_attention.hpp"

namespace tokenyard::platforms {

/// Of attention and of the output matrix.
Precision attention_precision(const ReplicaSpec& spec);

class KernelStepCost final : public StepCost {
 public:
  /// `missing_numbers(spec)` must be empty.
  explicit KernelStepCost(const ReplicaSpec& spec);
  using StepCost::piece;
  StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                  const OtherRanks& others) const override;
  bool minds_skew() const override;
  /// Ticks that a step of calls with unequal contexts takes beyond one whose contexts share the units evenly.
  std::int64_t longest_alone(const DecodingCalls& decoding, bool beside_prompts) const;

 private:
  struct Product {
    Gemm gemm;
    double count;  ///< layers that have it
  };
  void add_product(double layers, const Gemm& gemm);
  void add_products(double layers, std::int64_t n, std::int64_t k);
  void add_pointwise();
  void add_attention();
  /// On this chip; `width`: numbers of one.
  struct Heads {
    std::int64_t queries, kv, width;
  };
  void add_grouped(AttentionShape& shape, const Heads& on_chip, std::int64_t projected);
  void add_latent(AttentionShape& shape, std::int64_t heads);
  void add_dense();
  void add_experts();
  /// Tokens that a step of pure decoding computes on the fullest rank, for so many that it has.
  std::int64_t decoding_places(std::int64_t tokens) const;
  /// In which so many tokens pass the stages, one after the other.
  double micro_batches(double tokens) const { return std::clamp(tokens, 1.0, stages_); }
  const KernelTime& token_time(std::int64_t tokens) const;
  KernelTime compute_token_time(std::int64_t tokens) const;
  const KernelTime& experts_time(std::int64_t tokens) const;
  KernelTime compute_experts_time(std::int64_t everyone) const;
  const KernelTime& head_time(std::int64_t rows) const;
  StepPiece kernels(std::int32_t decoding, std::span<const PrefillChunk> chunks, const OtherRanks& others) const;
  StepPiece compute_kernels(std::int32_t decoding, std::span<const PrefillChunk> chunks,
                            const OtherRanks& others) const;
  struct DecodeAttention {
    double skew_weight = 0;
    double longest_s = 0, longest_beside_prompts_s = 0;  ///< alone, of each token of the skew
    std::vector<StepPiece> stretches;                    ///< ascending in their limits
  };
  const DecodeAttention& of_size(std::int32_t calls) const;
  StepPiece decode_attention(const DecodingCalls& decoding) const;
  std::vector<StepPiece> decode_stretches(double calls, const Attention::Places& places) const;
  StepPiece compiled_attention(std::int32_t calls) const;
  /// What a chunk of a prompt takes in attention, and its arithmetic, per chip.
  struct PromptAttention {
    KernelTime time;
    double flop = 0;
  };
  PromptAttention prompt_attention(double tokens, double computed, double before) const;

  ReplicaSpec spec_;
  GemmFigures gemm_;
  double stages_ = 1;  ///< and micro-batches that share the tokens: pp
  std::vector<Product> products_;
  std::optional<Experts> experts_;
  Gemm head_;
  std::optional<Attention> full_;          ///< of no layers where a model has none
  std::optional<Attention> sliding_;       ///< where a model has such layers
  std::optional<LatentAttention> latent_;  ///< in place of the full layers' decoding
  std::optional<SparseAttention> sparse_;  ///< of what the full layers attend to
  Collective tensor_, exchange_;
  HostTime host_;
  double pointwise_bytes_ = 0, pointwise_kernels_ = 0;  ///< of one token; of one step
  double quantised_bytes_ = 0, quantise_s_ = 0;         ///< of one token
  double token_flop_ = 0;   ///< of one token of the rank, without attention and experts, per chip
  double expert_flop_ = 0;  ///< of one token of any rank, per chip
  mutable std::vector<std::optional<KernelTime>> token_cache_, experts_cache_, head_cache_;
  mutable std::vector<std::optional<StepPiece>> decode_cache_;  ///< but for attention to the cache
  mutable std::vector<DecodeAttention> decode_attention_;       ///< by batch size
};

}  // namespace tokenyard::platforms
