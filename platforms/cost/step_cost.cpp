#include "platforms/cost/step_cost.hpp"

#include <algorithm>
#include <vector>

namespace tokenyard::platforms {

void StepPiece::move_by(Tokens tokens) {
  wait_by(tokens);
  base_flop += slope_flop * tokens;
  base_bytes += slope_bytes * tokens;
}

void StepPiece::wait_by(Tokens tokens) {
  for (std::size_t i = 0; i < kBounds; ++i) base_ticks[i] += slope_ticks[i] * tokens;
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
    base_ticks[i] += other.base_ticks[i];
    slope_ticks[i] += other.slope_ticks[i];
  }
  waiting_ticks += other.waiting_ticks;
  base_flop += other.base_flop;
  slope_flop += other.slope_flop;
  base_bytes += other.base_bytes;
  slope_bytes += other.slope_bytes;
  context_limit = std::min(context_limit, other.context_limit);
  return *this;
}

double tokens_at_pace_of_busiest(std::span<const PrefillChunk> chunks, std::int64_t ranks) {
  Tokens total = 0;
  for (const PrefillChunk& chunk : chunks) total += chunk.tokens;
  if (ranks == 1 || chunks.empty()) return static_cast<double>(total);
  std::vector<Tokens> lengths, load(static_cast<std::size_t>(ranks));
  for (const PrefillChunk& chunk : chunks) lengths.push_back(chunk.tokens);
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  for (const Tokens length : lengths) *std::min_element(load.begin(), load.end()) += length;
  return static_cast<double>(ranks * *std::max_element(load.begin(), load.end()));
}

}  // namespace tokenyard::platforms
