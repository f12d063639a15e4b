#include "analysis/run/pool_reading.hpp"

#include <algorithm>

namespace tokenyard::analysis {

PoolReading read_pool(platforms::Fleet& fleet, std::size_t pool) {
  PoolReading sum;
  const std::int32_t seats = fleet.pool(pool).batching.max_num_seqs;
  for (std::size_t i = 0; i < fleet.replicas(pool); ++i) {
    platforms::Replica& replica = fleet.replica(pool, i);
    if (!replica.busy() && replica.waiting() == 0) continue;
    sum.used_blocks += replica.add_reading(sum.totals);
    sum.running += replica.running();
    sum.waiting += replica.waiting();
    sum.full += replica.waiting() > 0 && replica.running() >= seats ? 1 : 0;
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

platforms::StepWork work_of_chip(const platforms::ServingTotals& from, const platforms::ServingTotals& to) {
  const auto seconds = [](sim::Int128 ticks) { return sim::FineTime(ticks).seconds(); };
  const platforms::StepTotals steps = to.all_steps() - from.all_steps();
  return {.busy_s = seconds(steps.busy_ticks),
          .waiting_s = seconds(to.waiting_ticks - from.waiting_ticks + steps.bound_ticks[platforms::Bound::kNetwork]),
          .flop = static_cast<double>(steps.flop),
          .bytes = static_cast<double>(steps.bytes),
          .padding_flop = static_cast<double>(to.padding_flop - from.padding_flop),
          .unpacked = static_cast<double>(to.unpacked - from.unpacked)};
}

std::optional<double> joules(const PoolPlan& pool, const PoolReading& from, const PoolReading& to, double span_s) {
  const std::optional<platforms::StepPower> power = pool.chip->step_power(pool.weights);
  if (!power || !pool.chip->power.held_w) return {};
  const platforms::StepWork work = work_of_chip(from.totals, to.totals);
  const double steps = power->unlimited_joules(work) -
                       1e-12 * static_cast<double>(to.totals.above_limit_pj - from.totals.above_limit_pj);
  const double between =
      *pool.chip->power.held_w * std::max(0.0, span_s * static_cast<double>(pool.ranks()) - work.busy_s);
  return (steps + between) * static_cast<double>(pool.parallelism.chips_of_rank());
}

void Snapshot::take(sim::Time now) {
  date = now;
  pools.clear();
  gaps = {};
  fleet_.settle();
  for (std::size_t p = 0; p < fleet_.pools(); ++p) {
    pools.push_back(read_pool(fleet_, p));
    gaps.merge(fleet_.tally_of(p).itl);
  }
}

}  // namespace tokenyard::analysis
