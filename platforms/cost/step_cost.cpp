#include "platforms/cost/step_cost.hpp"

#include <algorithm>

namespace tokenyard::platforms {
namespace {

/// Adds as far as what is added counts: `counts` tells that it was cut.
void add(std::int64_t& to, sim::Int128 more) {
  to = static_cast<std::int64_t>(std::clamp<sim::Int128>(to + more, -sim::kMostCounted, sim::kMostCounted));
}

}  // namespace

void StepPiece::move_by(Tokens tokens) {
  wait_by(tokens);
  add(base_flop, sim::Int128{slope_flop} * tokens);
  add(base_bytes, sim::Int128{slope_bytes} * tokens);
}

void StepPiece::wait_by(Tokens tokens) {
  for (std::size_t i = 0; i < kBounds; ++i) add(base_ticks[i], sim::Int128{slope_ticks[i]} * tokens);
  if (context_limit != std::numeric_limits<Tokens>::max()) context_limit -= tokens;
}

bool StepPiece::counts(Tokens context) const {
  sim::Int128 total = 0;
  for (std::size_t i = 0; i < kBounds; ++i) total += base_ticks[i] + sim::Int128{slope_ticks[i]} * context;
  const auto below = [](sim::Int128 sum) { return sum < sim::kMostCounted / 2; };  // a part may be a little less than 0
  return below(total) && below(base_flop + sim::Int128{slope_flop} * context) &&
         below(base_bytes + sim::Int128{slope_bytes} * context);
}

StepPiece& StepPiece::operator+=(const StepPiece& other) {
  for (std::size_t i = 0; i < kBounds; ++i) {
    add(base_ticks[i], other.base_ticks[i]);
    add(slope_ticks[i], other.slope_ticks[i]);
  }
  add(waiting_ticks, other.waiting_ticks);
  add(base_flop, other.base_flop);
  add(slope_flop, other.slope_flop);
  add(base_bytes, other.base_bytes);
  add(slope_bytes, other.slope_bytes);
  add(padding_flop, other.padding_flop);
  add(unpacked, other.unpacked);
  context_limit = std::min(context_limit, other.context_limit);
  return *this;
}

}  // namespace tokenyard::platforms
