#pragma once
/// What replicas have done, in integers: two runs of the same work agree exactly, and differences of two readings are
/// exact.

#include "platforms/cost/step_cost.hpp"
#include "platforms/kv/kv_tiers.hpp"
#include "sim/statistics/quantile_sketch.hpp"

namespace tokenyard::platforms {

/// Time, by what bounds it, and work of steps.
struct StepTotals {
  sim::Int128 busy_ticks = 0;
  sim::EnumArray<Bound, sim::Int128> bound_ticks{};
  sim::Int128 flop = 0;   ///< per chip
  sim::Int128 bytes = 0;  ///< per chip
  std::int64_t steps = 0;

  StepTotals& operator+=(const StepTotals& other) {
    busy_ticks += other.busy_ticks;
    for (std::size_t b = 0; b < kBounds; ++b) bound_ticks[b] += other.bound_ticks[b];
    flop += other.flop;
    bytes += other.bytes;
    steps += other.steps;
    return *this;
  }
  StepTotals operator+(const StepTotals& other) const { return StepTotals(*this) += other; }
  bool operator==(const StepTotals&) const = default;
  StepTotals operator-(const StepTotals& other) const {
    StepTotals rest = *this;
    rest.busy_ticks -= other.busy_ticks;
    for (std::size_t b = 0; b < kBounds; ++b) rest.bound_ticks[b] -= other.bound_ticks[b];
    rest.flop -= other.flop;
    rest.bytes -= other.bytes;
    rest.steps -= other.steps;
    return rest;
  }
};

/// Of all steps, and what came of them.
struct ServingTotals {
  StepTotals with_prompts;         ///< steps that computed prompts, whatever decoded in them
  StepTotals without_prompts;      ///< steps that only decoded; of a media pool all
  sim::Int128 capacity_ticks = 0;  ///< of the busy time: calls waited for KV memory
  sim::Int128 waiting_ticks = 0;   ///< of the busy time: the chips waited for the host
  sim::Int128 padding_flop = 0;    ///< per chip, of rows that hold no token
  sim::Int128 unpacked = 0;        ///< per chip, weights brought to another format
  sim::Int128 above_limit_pj = 0;  ///< per chip: what steps would have drawn beyond its limit
  Tokens prefill_tokens = 0;
  Tokens output_tokens = 0;
  Tokens prompt_tokens = 0;      ///< of calls admitted for the first time
  Tokens cached_tokens = 0;      ///< of those, in HBM or a tier
  KvTierTokens tier_tokens{};    ///< of those, in each tier
  KvTierTokens loaded_tokens{};  ///< from each tier, after preemptions too
  KvTierTokens stored_tokens{};  ///< to each tier
  std::int64_t preemptions = 0;

  StepTotals all_steps() const { return with_prompts + without_prompts; }
  sim::Int128 busy_ticks() const { return with_prompts.busy_ticks + without_prompts.busy_ticks; }
  ServingTotals& operator+=(const ServingTotals& other) {
    with_prompts += other.with_prompts;
    without_prompts += other.without_prompts;
    capacity_ticks += other.capacity_ticks;
    waiting_ticks += other.waiting_ticks;
    padding_flop += other.padding_flop;
    unpacked += other.unpacked;
    above_limit_pj += other.above_limit_pj;
    prefill_tokens += other.prefill_tokens;
    output_tokens += other.output_tokens;
    prompt_tokens += other.prompt_tokens;
    cached_tokens += other.cached_tokens;
    for (std::size_t t = 0; t < kKvTierKinds; ++t) {
      tier_tokens[t] += other.tier_tokens[t];
      loaded_tokens[t] += other.loaded_tokens[t];
      stored_tokens[t] += other.stored_tokens[t];
    }
    preemptions += other.preemptions;
    return *this;
  }
};

/// What the replicas of a pool have done together, each up to when it was settled.
struct PoolTally {
  ServingTotals totals;
  sim::QuantileSketch itl;  ///< inter-token latency: between the tokens of calls
};

}  // namespace tokenyard::platforms
