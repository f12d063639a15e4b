#include "platforms/serving/leap.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Int128;
using sim::Time;

void Leap::begin(FineTime start, const Batch& batch, const Pace& own, const Pace& pace, std::int64_t steps) {
  start_ = start;
  batch_ = batch;
  pace_ = pace;
  waits_ = {pace.first_ticks - own.first_ticks, pace.growth - own.growth};
  steps_ = steps;
  charged_ = 0;
}

std::int64_t Leap::steps_over(const sim::Simulation& simulation, const sim::Entity& entity) const {
  const auto over = [&](std::int64_t steps) {
    return simulation.passed(end_of(steps).published(), sim::Priority::kStepEnd, entity);
  };
  // Where the sum reaches the time elapsed, by the quadratic formula: a guess, the integers decide.
  const auto elapsed = static_cast<double>((FineTime(simulation.now()) - start_).ticks());
  const auto growth = static_cast<double>(pace_.growth), linear = static_cast<double>(pace_.first_ticks) - growth / 2;
  const double guess = elapsed > 0 ? 2 * elapsed / (linear + std::sqrt(linear * linear + 2 * growth * elapsed)) : 0;
  auto steps = static_cast<std::int64_t>(std::clamp(guess, static_cast<double>(charged_), static_cast<double>(steps_)));
  while (steps < steps_ && over(steps + 1)) ++steps;
  while (steps > charged_ && !over(steps)) --steps;
  return steps;
}

std::int64_t Leap::steps_beyond(Time date) const {
  std::int64_t low = 1, high = steps_;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (end_of(middle).published() > date) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

void Leap::charge(std::int64_t to, ServingTotals& totals) {
  add(charged_, to, totals);
  charged_ = to;
}

void Leap::add(std::int64_t from, std::int64_t to, ServingTotals& totals) const {
  const StepPiece& piece = batch_.piece;
  const Sum sum{to - from, up_to(to).growths - up_to(from).growths};
  // Each is below 2^60 in any step of the piece (StepPiece::counts).
  const auto sum_of = [&](std::int64_t base, std::int64_t slope) {
    return slope == 0 ? Int128{base} * sum.steps : sum.of(base + slope * batch_.context, slope * batch_.decoding);
  };
  StepTotals& of = of_its_kind(totals);
  for (std::size_t i = 0; i < kBounds; ++i) of.bound_ticks[i] += sum_of(piece.base_ticks[i], piece.slope_ticks[i]);
  if (waits_.first_ticks != 0 || waits_.growth != 0)
    of.bound_ticks[Bound::kNetwork] += sum.of(waits_.first_ticks, waits_.growth);
  const Int128 ticks = sum.of(pace_.first_ticks, pace_.growth);
  of.busy_ticks += ticks;
  of.flop += sum_of(piece.base_flop, piece.slope_flop);
  of.bytes += sum_of(piece.base_bytes, piece.slope_bytes);
  of.steps += sum.steps;
  if (batch_.starved) totals.capacity_ticks += ticks;
  totals.waiting_ticks += Int128{piece.waiting_ticks} * sum.steps;
  totals.output_tokens += sum.steps * batch_.decoding;
}

void Leap::add_elapsed(std::int64_t over, sim::Time now, ServingTotals& sum) const {
  if (over > charged_) add(charged_, over, sum);
  if (over == steps_) return;
  const StepPiece& piece = batch_.piece;
  const Int128 whole = duration_of(over).ticks();
  const Int128 elapsed = std::clamp<Int128>((FineTime(now) - end_of(over)).ticks(), 0, whole);
  if (elapsed == 0) return;
  // One division for all: a step's ticks, FLOP and bytes are below 2^60 (StepPiece::counts).
  constexpr int kBits = 62;
  const Int128 share = (elapsed << kBits) / whole;
  const auto of = [share](std::int64_t quantity) { return (Int128{quantity} * share) >> kBits; };
  const Tokens context = batch_.context + batch_.decoding * over;
  StepTotals& steps = of_its_kind(sum);
  Int128 busy = 0;
  const auto spend = [&](Int128& of_bound, std::int64_t ticks_of_step) {
    const Int128 ticks = of(ticks_of_step);
    of_bound += ticks;
    busy += ticks;
  };
  for (std::size_t i = 0; i < kBounds; ++i)
    spend(steps.bound_ticks[i], piece.base_ticks[i] + piece.slope_ticks[i] * context);
  spend(steps.bound_ticks[Bound::kNetwork], waits_.first_ticks + waits_.growth * over);
  steps.busy_ticks += busy;
  steps.flop += of(piece.base_flop + piece.slope_flop * context);
  steps.bytes += of(piece.base_bytes + piece.slope_bytes * context);
  if (batch_.starved) sum.capacity_ticks += busy;
  sum.waiting_ticks += of(piece.waiting_ticks);
}

}  // namespace tokenyard::platforms
