#include "platforms/cost/host_time.hpp"

#include <algorithm>

#include "platforms/cost/kernel_time.hpp"

namespace tokenyard::platforms {

using sim::FineTime;

namespace {

/// Makes every step of the piece last `whole`, up to the sum of contexts at which the kernels take longer.
void fill_up(StepPiece& piece, Tokens context, std::int64_t whole) {
  const std::int64_t base = piece.ticks(0), slope = piece.slope();
  if (base + sim::Int128{slope} * context > whole) return;  // it may be more than counts
  piece.base_ticks[Bound::kHost] += whole - base;
  piece.slope_ticks[Bound::kHost] -= slope;
  if (slope > 0) piece.context_limit = std::min<Tokens>(piece.context_limit, (whole - base) / slope);
}

}  // namespace

void HostTime::add_to(StepPiece& piece, Tokens context, double sequences, bool with_prompts) const {
  const double of_sequences = sequences * host_.sequence_s;
  const double hidden = (with_prompts ? launching_s_ : 0) + (host_.asynchronous ? of_sequences : 0);
  const double exposed =
      host_.step_s + (with_prompts ? host_.prefill_step_s : 0) + (host_.asynchronous ? 0 : of_sequences);
  if (hidden > 0) fill_up(piece, context, FineTime::ticks_in(hidden));
  piece.base_ticks[Bound::kHost] += FineTime::ticks_in(exposed);
  piece.waiting_ticks += FineTime::ticks_in(host_.step_s);
}

}  // namespace tokenyard::platforms
