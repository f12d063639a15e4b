#include "analysis/run/pool_reading.hpp"

#include <algorithm>

namespace tokenyard::analysis {

PoolReading read_pool(platforms::Fleet& fleet, std::size_t pool) {
  PoolReading sum;
  for (std::size_t i = 0; i < fleet.replicas(pool); ++i) {
    platforms::Replica& replica = fleet.replica(pool, i);
    if (!replica.busy() && replica.waiting() == 0) continue;
    replica.settle();
    sum.totals += replica.share_of_step_in_flight();
    sum.running += replica.running();
    sum.waiting += replica.waiting();
    sum.used_blocks += replica.kv_blocks_in_use();
  }
  if (const platforms::MediaQueue* media = fleet.media(pool)) {
    sum.totals += media->share_in_progress();
    sum.running = media->running();
    sum.waiting = media->waiting();
  }
  sum.totals += fleet.tally_of(pool).totals;
  sum.blocks = static_cast<std::int64_t>(fleet.replicas(pool)) * fleet.pool(pool).kv.blocks;
  return sum;
}

std::optional<double> joules(const PoolPlan& pool, const PoolReading& from, const PoolReading& to, double span_s) {
  const platforms::Chip& chip = *pool.chip;
  const auto& p = chip.power;
  if (!p.idle_w || !p.active_w || !p.compute_w || !p.memory_w || !chip.memory_bytes_per_s) return {};
  const double peak = chip.peak_flops_per_s[*chip.compute_precision(pool.weights)].value_or(1);
  const double busy_s = sim::FineTime(to.totals.busy_ticks - from.totals.busy_ticks).seconds();
  double active = *p.active_w * busy_s + *p.compute_w * static_cast<double>(to.totals.flop - from.totals.flop) / peak +
                  *p.memory_w * static_cast<double>(to.totals.bytes - from.totals.bytes) / *chip.memory_bytes_per_s;
  if (p.tdp_w) active = std::min(active, *p.tdp_w * busy_s);
  const double idle = *p.idle_w * std::max(0.0, span_s * static_cast<double>(pool.replicas) - busy_s);
  return (active + idle) * static_cast<double>(pool.parallelism.chips());
}

void Snapshot::take(sim::Time now) {
  date = now;
  pools.clear();
  for (std::size_t p = 0; p < fleet_.pools(); ++p) pools.push_back(read_pool(fleet_, p));
}

}  // namespace tokenyard::analysis
