#pragma once
/// Steps in a row that differ only by growing contexts: step i takes first + i * growth ticks, and k steps cost the sum
/// of an arithmetic sequence, in integers.
///
/// Of data-parallel ranks the slowest sets the pace (lockstep.hpp). What the others wait for it, in the exchange of
/// tokens among experts, is booked as bound by the network.

#include <limits>

#include "platforms/serving/serving_totals.hpp"
#include "platforms/spec/step_power.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::platforms {

class Leap {
 public:
  struct Batch {
    StepPiece piece;
    std::int32_t decoding = 0;
    Tokens context = 0;                      ///< sum over the decoding calls, in the first step
    bool starved = false;                    ///< calls wait for KV memory
    bool prompts = false;                    ///< some are computed in it, by whichever rank
    std::int64_t ticks_without_prompts = 0;  ///< of decoding calls beside prompts: their step alone
    const StepPower* power = nullptr;        ///< of the chip; null: unknown, or without a limit
  };
  /// How long step i takes.
  struct Pace {
    std::int64_t first_ticks = 0, growth = 0;
    sim::FineTime at(std::int64_t step) const {
      return sim::FineTime(sim::Int128{first_ticks} + sim::Int128{growth} * step);
    }
    /// How many steps, from the first, it does not take less than `other`, which takes no more in the first.
    std::int64_t steps_ahead_of(const Pace& other) const {
      if (other.growth <= growth) return std::numeric_limits<std::int64_t>::max();
      return (first_ticks - other.first_ticks) / (other.growth - growth) + 1;
    }
  };
  static Pace pace_of(const Batch& batch) {
    return {batch.piece.ticks(batch.context), batch.piece.slope() * batch.decoding};
  }

  /// `pace`: the batch's own or a slower one.
  void begin(sim::FineTime start, const Batch& batch, const Pace& own, const Pace& pace, std::int64_t steps);
  /// Lets the leap end after fewer steps than it was to have.
  void cut(std::int64_t steps) { steps_ = steps; }
  void stop() { steps_ = 0; }

  bool going() const { return steps_ > 0; }
  std::int64_t steps() const { return steps_; }
  /// Of the steps, those that were charged.
  std::int64_t charged() const { return charged_; }
  sim::FineTime duration_of(std::int64_t step) const { return pace_.at(step); }
  /// What each step takes more than the one before.
  sim::FineTime growth() const { return sim::FineTime(sim::Int128{pace_.growth}); }
  sim::FineTime end_of(std::int64_t steps) const { return start_ + sim::FineTime(ticks_of(steps)); }
  /// The most steps that are over by now, for an entity whose steps end with an event each. O(1).
  std::int64_t steps_over(const sim::Simulation& simulation, const sim::Entity& entity) const;
  /// The fewest steps of which the last ends after `date`; all, if none does. O(log steps).
  std::int64_t steps_beyond(sim::Time date) const;
  /// Books what the steps up to `to` cost, from where the last charge ended.
  void charge(std::int64_t to, ServingTotals& totals);
  /// Adds what is not charged of the first `over` steps, and the elapsed share, by time, of the step after them.
  void add_elapsed(std::int64_t over, sim::Time now, ServingTotals& sum) const;

 private:
  void add(std::int64_t from, std::int64_t to, ServingTotals& totals) const;
  StepTotals& of_its_kind(ServingTotals& totals) const {
    return batch_.prompts ? totals.with_prompts : totals.without_prompts;
  }
  /// What is `first` in the first step and grows by as much in each, summed over them.
  struct Sum {
    std::int64_t steps, growths;
    sim::Int128 of(std::int64_t first, std::int64_t growth) const {
      return sim::Int128{first} * steps + sim::Int128{growth} * growths;
    }
  };
  /// What step `step` would draw above the chip's limit; negative: below.
  sim::Int128 above_pj(std::int64_t step) const {
    return base_above_pj_ + sim::Int128{slope_above_pj_} * (batch_.context + batch_.decoding * step);
  }
  sim::Int128 above_limit_pj(std::int64_t first_step, std::int64_t steps) const;
  static Sum up_to(std::int64_t steps) { return {steps, steps * (steps - 1) / 2}; }
  sim::Int128 ticks_of(std::int64_t steps) const { return up_to(steps).of(pace_.first_ticks, pace_.growth); }

  sim::FineTime start_;
  Pace pace_;
  Pace waits_;  ///< for slower ranks, of that
  std::int64_t steps_ = 0, charged_ = 0;
  std::int64_t base_above_pj_ = 0, slope_above_pj_ = 0;  ///< of a step above the chip's limit, by the sum of contexts
  Batch batch_;
};

}  // namespace tokenyard::platforms
