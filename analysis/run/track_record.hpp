#pragma once
/// How far off this simulator was where a pool's model was measured as it served: what docs/fidelity.md found, as far
/// as it bears on one pool.
///
/// The figures are in the binary (track_record.json beside this file), as `./dev validate` writes them. They hold for
/// the catalogue's own entries.

#include <string>

#include "analysis/scenario/pool_plan.hpp"

namespace tokenyard::analysis {

struct TrackRecord {
  /// "qwen3-32b on h100-sxm: times per output token were 1.5 % off, times to first token 13 % (medians of 90 points
  /// measured with vllm in bf16)", or of output tokens a second, or what is known of other models on the chip. Empty
  /// for media, and where the chip, the model or the engine is a user's.
  std::string checked;
  /// "…: do not trust its step times", where the median is above kFarOffMedian. Else empty.
  std::string warning;
};

TrackRecord track_record(const PoolPlan& pool);

}  // namespace tokenyard::analysis
