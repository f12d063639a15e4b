#pragma once
/// Step cost from rooflines with fitted efficiencies (evidence: kernel fits of 2026-08, see the chips' catalogue entries).
///
/// A kernel of F FLOP over B bytes takes launch + max(F / (peak · e_c), B / (bandwidth · e_m)); its time is booked to
/// the side that wins, its launch to the host. Per layer and chip, with T tokens in the step:
/// - projections and dense blocks: four GEMMs, F = 2 T · weights / tp, B = weights + activations;
/// - experts: E (1 - (1 - k/E)^T) of them are read, F = 2 T k · weights of one expert, over tp · dp chips;
/// - decode attention: B = KV bytes of the contexts, plus the half-size of its efficiency curve once per layer, which makes
///   bytes / (bandwidth · e · bytes / (bytes + half)) affine in the contexts;
/// - prefill attention of c tokens after b: F = 4 · heads · head_dim · c (b + (c + 1) / 2);
/// - the output matrix, for the calls that make a token;
/// - two all-reduces over tp chips, alpha + 2 (n - 1) / n · bytes / bandwidth; expert exchange over dp; hops between stages;
///   what leaves a node pays for it (node_span.hpp).
/// The engine adds host.step_s + n · host.sequence_s and scales kernel time by host.kernel_scale, never below what the
/// chip's peaks allow. With pp stages and as many micro-batches, a step passes every layer once with T / pp tokens, pp times.
/// Sliding-window layers are charged their whole window per decoding call.
///
/// Pieces of pure decoding are kept per batch size and of the dense part per token count; not thread safe.

#include <optional>
#include <vector>

#include "platforms/cost/node_span.hpp"
#include "platforms/cost/step_cost.hpp"
#include "platforms/spec/chip.hpp"
#include "platforms/spec/engine.hpp"
#include "platforms/spec/model.hpp"

namespace tokenyard::platforms {

struct Parallelism {
  std::int64_t tp = 1, pp = 1, dp = 1, ep = 1;
  std::int64_t chips() const { return tp * pp * dp; }
};

struct ReplicaSpec {
  const Chip* chip = nullptr;
  const ModelArchitecture* model = nullptr;
  Parallelism parallelism;
  Precision weights = Precision::kBf16;
  Precision kv = Precision::kBf16;
  EngineDefaults::Host host;
  NodeSpan span;  ///< how the replica lies on nodes
};

/// What the spec lacks for timing: catalogue keys ("chip h100-sxm: peak_flops_per_s/fp4"). Empty: it can be timed.
std::vector<std::string> missing_numbers(const ReplicaSpec& spec);

/// KV tokens that fit beside the weights on each chip: (memory · utilization - weights - reserve) / bytes per token. Not
/// positive if the weights alone do not fit.
double kv_capacity_tokens(const ReplicaSpec& spec, double memory_utilization, double reserved_bytes);
/// KV bytes of one token on the chip of the replica that holds most.
double kv_bytes_per_token_per_chip(const ReplicaSpec& spec);
double weight_bytes_per_chip(const ReplicaSpec& spec);

class Roofline final : public StepCost {
 public:
  /// `missing_numbers(spec)` must be empty.
  explicit Roofline(const ReplicaSpec& spec);
  StepPiece piece(std::int32_t decoding, std::span<const PrefillChunk> chunks) const override;

 private:
  struct Kernel {
    double flop = 0, bytes = 0;
    double compute_efficiency = 1, memory_efficiency = 1;
    double peak = 0;
    double launches = 1;
  };
  /// Seconds by bound, and work; before conversion to ticks.
  struct Work {
    std::array<double, kBounds> seconds{};
    double flop = 0, bytes = 0;
    Work& operator+=(const Work& other);
  };
  void add(Work& work, const Kernel& kernel) const;
  Work token_work(std::int64_t tokens) const;
  Work head_work(std::int64_t rows) const;
  StepPiece decode_piece(std::int32_t decoding) const;
  static void book(StepPiece& piece, const Work& work);

  ReplicaSpec spec_;
  Precision compute_ = Precision::kBf16;
  double launch_s_ = 0;
  mutable std::vector<std::optional<Work>> token_cache_;
  mutable std::vector<std::optional<StepPiece>> decode_cache_;
};

}  // namespace tokenyard::platforms
