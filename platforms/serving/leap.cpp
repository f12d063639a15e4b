#include "platforms/serving/leap.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Int128;
using sim::Time;

namespace {

double seconds_of(std::int64_t ticks) { return static_cast<double>(ticks) * (1 / FineTime::kTicksPerSecond); }

StepWork base_of(const StepPiece& piece) {
  std::int64_t busy = 0;
  for (const std::int64_t ticks : piece.base_ticks) busy += ticks;
  return {seconds_of(busy),
          seconds_of(piece.waiting_ticks + piece.base_ticks[Bound::kNetwork]),
          static_cast<double>(piece.base_flop),
          static_cast<double>(piece.base_bytes),
          static_cast<double>(piece.padding_flop),
          static_cast<double>(piece.unpacked)};
}

/// For each token of context.
StepWork slope_of(const StepPiece& piece) {
  return {seconds_of(piece.slope()), seconds_of(piece.slope_ticks[Bound::kNetwork]),
          static_cast<double>(piece.slope_flop), static_cast<double>(piece.slope_bytes)};
}

/// Most steps are far below their chip's limit.
constexpr double kFarBelowJ = -1e-3;

}  // namespace

void Leap::begin(FineTime start, const Batch& batch, const Pace& own, const Pace& pace, std::int64_t steps) {
  start_ = start;
  batch_ = batch;
  pace_ = pace;
  waits_ = {pace.first_ticks - own.first_ticks, pace.growth - own.growth};
  steps_ = steps;
  charged_ = 0;
  base_above_pj_ = slope_above_pj_ = 0;
  if (batch.power == nullptr) return;
  const StepWork base = base_of(batch.piece), slope = slope_of(batch.piece);
  const auto above_j = [&](const StepWork& work) {
    return batch.power->unlimited_joules(work) - batch.power->limit_w * work.busy_s;
  };
  const double base_j = above_j(base), slope_j = above_j(slope);
  const auto at = [&](Tokens context) { return base_j + slope_j * static_cast<double>(context); };
  if (std::max(at(batch.context), at(batch.context + batch.decoding * (steps - 1))) < kFarBelowJ) return;
  base_above_pj_ = batch.power->above_limit_pj(base);
  slope_above_pj_ = batch.power->above_limit_pj(slope);
}

/// Of the steps from `first_step` on; the rest is affine, so it crosses 0 once at most.
Int128 Leap::above_limit_pj(std::int64_t first_step, std::int64_t steps) const {
  Int128 first = above_pj(first_step);
  const Int128 growth = Int128{slope_above_pj_} * batch_.decoding;
  const Int128 last = first + growth * (steps - 1);
  if (first <= 0 && last <= 0) return 0;
  Int128 count = steps;
  if (first > 0 && last < 0) count = (first - 1) / -growth + 1;
  if (first < 0 && last > 0) {
    const Int128 below = -first / growth + 1;
    first += growth * below;
    count -= below;
  }
  return first * count + growth * (count * (count - 1) / 2);
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
  if (piece.padding_flop != 0) totals.padding_flop += Int128{piece.padding_flop} * sum.steps;
  if (piece.unpacked != 0) totals.unpacked += Int128{piece.unpacked} * sum.steps;
  if (base_above_pj_ != 0 || slope_above_pj_ != 0) totals.above_limit_pj += above_limit_pj(from, sum.steps);
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
  sum.padding_flop += of(piece.padding_flop);
  sum.unpacked += of(piece.unpacked);
  sum.above_limit_pj += (std::max<Int128>(above_pj(over), 0) * (share >> 31)) >> (kBits - 31);
}

}  // namespace tokenyard::platforms
