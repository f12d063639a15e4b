#include "analysis/run/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace tokenyard::analysis {

using sim::FineTime;
using sim::Time;

namespace {
constexpr double kMostOfTail = 4e6;  // samples after the last arrival: 46 days of seconds, some 400 MB of series.csv
}  // namespace

Sampler::Sampler(sim::Simulation& simulation, platforms::Fleet& fleet, const Scenario& scenario,
                 std::function<bool()> done)
    : simulation_(simulation),
      fleet_(fleet),
      scenario_(scenario),
      done_(std::move(done)),
      interval_(Time::seconds(scenario.run.series_interval_s)),
      last_date_(Time::seconds(scenario.run.series_interval_s * RunControls::kMostSamples)),
      last_(scenario.pools.size()),
      meters_(scenario.pools.size()),
      kv_sum_(scenario.pools.size()),
      full_sum_(scenario.pools.size()) {
  simulation_.schedule(interval_, sim::Priority::kObserve, entity_, *this);
}

void Sampler::on_event(Time now, std::uint64_t) {
  if (now > last_date_) {
    throw sim::Infeasible(fmt::format(
        "The run goes on after {:g} s, and has been sampled more often than is of use. Give the distribution "
        "of what takes so long a \"max\", a slow link (fabric, wan) more bytes_per_s, or run.series_interval_s a "
        "larger "
        "value.",
        now.seconds()));
  }
  const double span_s = interval_.seconds();
  for (std::uint32_t p = 0; p < last_.size(); ++p) {
    const PoolReading reading = read_pool(fleet_, p);
    const PoolPlan& pool = scenario_.pools[p];
    const auto rise = [&](auto platforms::ServingTotals::*sum) {
      return static_cast<double>(reading.totals.*sum - last_[p].totals.*sum);
    };
    traces::SeriesRow row{now, p, reading.running, reading.waiting};
    row.kv_utilization = reading.blocks > 0
                             ? static_cast<double>(reading.used_blocks) / static_cast<double>(reading.blocks)
                             : std::numeric_limits<double>::quiet_NaN();
    row.busy = FineTime(reading.totals.busy_ticks() - last_[p].totals.busy_ticks()).seconds() /
               (span_s * static_cast<double>(pool.ranks()));
    row.output_tokens_per_s = rise(&platforms::ServingTotals::output_tokens) / span_s;
    row.batch_tokens_per_s = row.output_tokens_per_s + rise(&platforms::ServingTotals::prefill_tokens) / span_s;
    const auto energy = joules(pool, last_[p], reading, span_s);
    if (energy) row.power_w = *energy / span_s;
    for (const Sink& sink : sinks_) sink(row);
    if (in_window_) {
      kv_sum_[p] += row.kv_utilization;
      full_sum_[p] += static_cast<double>(reading.full) / static_cast<double>(pool.ranks());
      const bool since_last = now - metered_ == interval_;  // else since the window began
      meter(p, reading, since_last ? energy : joules(pool, meters_[p].read, reading, (now - metered_).seconds()));
    }
    last_[p] = reading;
  }
  samples_ += in_window_ ? 1 : 0;
  metered_ = now;
  if (!done_()) simulation_.schedule(now + interval_, sim::Priority::kObserve, entity_, *this);
}

void Sampler::meter(std::size_t pool, const PoolReading& reading, const std::optional<double>& energy) {
  Meter& m = meters_[pool];
  if (!energy) m.joules.reset();
  if (m.joules) *m.joules += *energy;
  m.read = reading;
}

void Sampler::begin_window() {
  for (std::size_t p = 0; p < meters_.size(); ++p) meters_[p] = {read_pool(fleet_, p), 0};
  std::fill(kv_sum_.begin(), kv_sum_.end(), 0);
  std::fill(full_sum_.begin(), full_sum_.end(), 0);
  samples_ = 0;
  metered_ = simulation_.now();
  in_window_ = true;
}

void Sampler::end_window() {
  if (!in_window_) return;
  const double span_s = (simulation_.now() - metered_).seconds();
  for (std::size_t p = 0; p < meters_.size(); ++p) {
    const PoolReading reading = read_pool(fleet_, p);
    meter(p, reading, joules(scenario_.pools[p], meters_[p].read, reading, span_s));
  }
  in_window_ = false;
  last_date_ = std::min(last_date_, simulation_.now() + Time::seconds(interval_.seconds() * kMostOfTail));
}

std::optional<double> Sampler::mean_kv(std::size_t pool) const {
  if (samples_ == 0 || std::isnan(kv_sum_[pool])) return {};
  return kv_sum_[pool] / static_cast<double>(samples_);
}

std::optional<double> Sampler::mean_full(std::size_t pool) const {
  if (samples_ == 0 || scenario_.pools[pool].media != nullptr) return {};
  return full_sum_[pool] / static_cast<double>(samples_);
}

}  // namespace tokenyard::analysis
