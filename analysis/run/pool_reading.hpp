#pragma once
/// What a pool has done up to an instant, as integer sums over its replicas' data-parallel ranks: differences of two
/// readings are exact.
/// Times in ticks (sim/core/time.hpp), work in FLOP and bytes, KV in blocks.

#include <optional>
#include <vector>

#include "analysis/scenario/scenario.hpp"
#include "platforms/serving/fleet.hpp"

namespace tokenyard::analysis {

struct PoolReading {
  platforms::ServingTotals totals;
  std::int64_t running = 0, waiting = 0, used_blocks = 0, blocks = 0;  ///< a media pool has no blocks
  std::int64_t full = 0;  ///< ranks with calls that wait while as many run as max_num_seqs lets
};

/// As of now. O(busy ranks), and a look at each idle one.
PoolReading read_pool(platforms::Fleet& fleet, std::size_t pool);

/// What each chip of a rank did between two readings of its totals; summed over the ranks, if the totals are.
platforms::StepWork work_of_chip(const platforms::ServingTotals& from, const platforms::ServingTotals& to);

/// Joules of a pool's chips between two readings `span_s` apart: held_w, and what the work between them adds, never
/// above TDP while busy. Nothing if the catalogue lacks a coefficient.
std::optional<double> joules(const PoolPlan& pool, const PoolReading& from, const PoolReading& to, double span_s);

/// All pools at one instant.
class Snapshot {
 public:
  explicit Snapshot(platforms::Fleet& fleet) : fleet_(fleet) {}
  void take(sim::Time now);
  bool taken() const { return !pools.empty(); }

  std::vector<PoolReading> pools;
  sim::QuantileSketch gaps;  ///< between tokens of calls, of all pools: since the warm-up, or the beginning
  sim::Time date;

 private:
  platforms::Fleet& fleet_;
};

}  // namespace tokenyard::analysis
