#include "platforms/cost/step_cost.hpp"

#include <algorithm>
#include <vector>

namespace tokenyard::platforms {

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
