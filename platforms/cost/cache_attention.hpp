#pragma once
/// Attention of all layers of a model on one chip of a replica: what calls that decode take over their cache, and what
/// prompts take, without the projections (kernel_step_cost.hpp).
///
/// Over the cache it is a line in the sum of contexts between the points of the chip's table (attention.hpp): a stretch,
/// handed out as an affine piece.
/// - Full-attention layers grow with the contexts, those of latent vectors (latent_attention.hpp) with kernels of their
///   own; where queries choose among the tokens (sparse_attention.hpp) they grow up to what is chosen.
/// - Sliding-window layers are charged their whole window per decoding call; linear layers read and write their state.
/// - Where an engine has compiled one shape (spec/step_shape.hpp), time and traffic are those of all its places.
///
/// With pp stages and as many micro-batches, each micro-batch passes all stages with its part of the calls: time is that
/// of all layers, traffic and arithmetic are those of a stage's chip. Stretches are kept per batch size; not thread safe.
///
///   CacheAttention attention(spec);                          // `missing_numbers(spec)` must be empty
///   attention.decode({.calls = 8, .context = 32768}).ticks(32768);

#include <algorithm>
#include <optional>
#include <vector>

#include "platforms/cost/attention.hpp"
#include "platforms/cost/latent_attention.hpp"
#include "platforms/cost/replica_spec.hpp"
#include "platforms/cost/sparse_attention.hpp"

namespace tokenyard::platforms {

/// Of attention and of the output matrix.
Precision attention_precision(const ReplicaSpec& spec);

class CacheAttention {
 public:
  explicit CacheAttention(const ReplicaSpec& spec);

  bool minds_skew() const { return !spec_.step_shape.compiled && full_.minds_skew(); }
  /// Of the calls that decode in a step.
  StepPiece decode(const DecodingCalls& decoding) const;
  /// Ticks that a step of calls with unequal contexts takes beyond one whose contexts share the units evenly.
  std::int64_t longest_alone(const DecodingCalls& decoding, bool beside_prompts) const;
  struct Prompt {
    KernelTime time;
    double flop = 0;
  };
  /// Of a chunk of `tokens` after `before`, which is filled up to `computed`.
  Prompt prompt(double tokens, double computed, double before) const;

 private:
  struct Batch {
    double skew_weight = 0;
    double longest_s = 0, longest_beside_prompts_s = 0;  ///< alone, of each token of the skew
    std::vector<StepPiece> stretches;                    ///< ascending in their limits
  };
  const Batch& of_size(std::int32_t calls) const;
  StepPiece compiled_piece(std::int32_t calls) const;

  std::vector<StepPiece> stretches(double calls, const Attention::Places& places) const;
  /// What does not grow with the contexts: layers with windows, which are full, and with states.
  struct Bounded {
    KernelTime time;
    double flop = 0;
  };
  Bounded bounded(double calls) const;
  /// Contexts of a call between which the full-attention layers are as good as a line.
  std::vector<double> decode_points() const;
  /// Of the full-attention layers while each of `calls` decodes over `context` tokens.
  KernelTime full_time(double calls, const LatentAttention::Batch& latent, double context) const;
  /// Traffic and arithmetic of the full-attention layers on a stretch, and what a token more of context adds.
  struct Work {
    double base_bytes = 0, base_flop = 0, slope_bytes = 0, slope_flop = 0;
  };
  /// `chooses`: contexts hold more than is attended to, `attended` tokens of each.
  Work work(double calls, bool chooses, double attended) const;

  /// In which the tokens pass the stages, one after the other.
  double micro_batches(double tokens) const { return std::clamp(tokens, 1.0, stages_); }
  /// Where queries choose, no two of a call share what they read: each is as a call of its own.
  double choosing_queries() const { return sparse_ ? static_cast<double>(spec_.speculation.queries()) : 1; }

  ReplicaSpec spec_;
  GemmFigures gemm_;
  double stages_;                          ///< and micro-batches that share the tokens: pp
  Attention full_;                         ///< of no layers where a model has none
  std::optional<Attention> sliding_;       ///< where a model has such layers
  std::optional<LatentAttention> latent_;  ///< in place of the full layers' decoding
  std::optional<SparseAttention> sparse_;  ///< of what the full layers attend to
  mutable std::vector<Batch> batches_;     ///< by their calls
};

}  // namespace tokenyard::platforms
