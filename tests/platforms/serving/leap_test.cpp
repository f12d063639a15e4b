/// Leaps: sums over steps are those of the steps one by one.

#include "platforms/serving/leap.hpp"

#include <catch2/catch.hpp>

using namespace tokenyard;
using namespace tokenyard::platforms;
using sim::FineTime;
using sim::Int128;

namespace {

constexpr std::int32_t kCalls = 10;

/// 1 ms and 10 ns for each token of context; by memory traffic alone.
Leap::Batch batch_of(const StepPower& power, Tokens context, std::int64_t base_bytes, std::int64_t bytes_per_token) {
  Leap::Batch batch{.decoding = kCalls, .context = context, .power = &power};
  batch.piece.base_ticks[Bound::kBandwidth] = FineTime::ticks_in(1e-3);
  batch.piece.slope_ticks[Bound::kBandwidth] = FineTime::ticks_in(1e-8);
  batch.piece.base_bytes = base_bytes;
  batch.piece.slope_bytes = bytes_per_token;
  return batch;
}

ServingTotals charged(const Leap::Batch& batch, std::int64_t steps) {
  Leap leap;
  const Leap::Pace pace = Leap::pace_of(batch);
  leap.begin(FineTime{}, batch, pace, pace, steps);
  ServingTotals totals;
  leap.charge(steps, totals);
  return totals;
}

}  // namespace

TEST_CASE("What steps draw above the chip's limit is the same in one leap as step by step") {
  // 100 W and 1 uJ a byte: at most 500 W, so 400 kB in a millisecond.
  const StepPower power{.active_w = 100, .waiting_w = 100, .byte_j = 1e-6, .limit_w = 500};
  constexpr Tokens kContext = 5000;
  constexpr std::int64_t kSteps = 400;
  struct Case {
    std::int64_t base_bytes, bytes_per_token;
  };
  // Never above, always above, from somewhere on, up to somewhere.
  for (const auto& [base, slope] : {Case{100'000, 1}, Case{600'000, 4}, Case{364'000, 10}, Case{428'000, 0}}) {
    const Int128 together = charged(batch_of(power, kContext, base, slope), kSteps).above_limit_pj;
    Int128 apart = 0;
    double by_hand = 0;
    for (std::int64_t i = 0; i < kSteps; ++i) {
      const Tokens context = kContext + i * kCalls;
      const ServingTotals step = charged(batch_of(power, context, base, slope), 1);
      apart += step.above_limit_pj;
      const double seconds = FineTime(step.busy_ticks()).seconds();
      const double joules = 100 * seconds + 1e-6 * static_cast<double>(step.all_steps().bytes);
      by_hand += std::max(0.0, joules - 500 * seconds);
    }
    INFO(base << " bytes and " << slope << " a token");
    CHECK(together == apart);
    CHECK(static_cast<double>(together) * 1e-12 == Approx(by_hand).margin(1e-7));
    CHECK((together > 0) == (base != 100'000));
  }
}
