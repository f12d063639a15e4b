#include "analysis/run/summary_notes.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "analysis/run/track_record.hpp"
#include "analysis/run/validity.hpp"

namespace tokenyard::analysis {
namespace {

using Notes = std::vector<std::string>;

void add(const std::string& text, Notes& notes) {
  if (!text.empty() && std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
}

/// Nothing else is rejected: a call that its pool could not hold even alone.
void note_rejections(const Measurement& measured, Notes& notes) {
  const StatusCounts& calls = measured.metrics().calls;
  const std::uint64_t rejected = calls[platforms::CallStatus::kRejected];
  if (rejected == 0) return;
  std::string limits;
  for (const PoolPlan& pool : measured.scenario().pools) {
    if (pool.model == nullptr) continue;
    const platforms::BatchingOptions& batching = pool.batching;
    limits += fmt::format("{}{} in {}{}", limits.empty() ? "" : ", ", batching.max_model_len, pool.name,
                          batching.chunked_prefill ? ""
                                                   : fmt::format(", where a prompt has to fit into one step of {} "
                                                                 "(max_num_batched_tokens, without chunked prefill)",
                                                                 batching.max_num_batched_tokens));
  }
  add(fmt::format(
          "{} of {} calls were rejected: their prompts and answers are longer than max_model_len ({}) or than "
          "all of a replica's KV; a larger engine/max_model_len lets them in as far as the model's max_context goes, "
          "and more memory for a replica (parallelism/tp, engine/gpu_memory_utilization) holds more KV",
          rejected, calls.total(), limits),
      notes);
}

/// Where tasks take as long as what is measured, or pile up, rates of the window are not those of the long run.
void note_window(const Measurement& measured, Notes& notes) {
  constexpr double kFewMore = 0.08, kChance = 3;
  const Metrics& metrics = measured.metrics();
  const auto came = static_cast<double>(metrics.arrived_tasks);
  const double left = came - static_cast<double>(metrics.ended_tasks);
  if (left <= std::max(kFewMore * came, kChance * std::sqrt(came))) return;
  add(fmt::format("in the {:g} s that are measured {} tasks came and {} ended: they pile up, or take long; latencies, "
                  "throughput and cost per task are of this time, and a longer duration_s and warmup_s show the long "
                  "run",
                  measured.window_s(), metrics.arrived_tasks, metrics.ended_tasks),
      notes);
}

/// All together may be within the level though one of the agents is not.
void note_agents(const Measurement& measured, const Attainment& attainment, Notes& notes) {
  const std::vector<std::string>& agents = measured.agents();
  for (const std::size_t i : attainment.unjudged) {
    add(fmt::format("none of {}'s work came in the measured time: whether the service level is met is open", agents[i]),
        notes);
  }
  const Slo& slo = measured.scenario().slo;
  if (agents.size() < 2 || !attainment.all || *attainment.all < slo.attainment) return;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const std::optional<double>& own = attainment.by_agent[i];
    if (!own || *own >= slo.attainment) continue;
    add(fmt::format("{:.1f} % of all work is within the service level, but only {:.1f} % of {}'s{}",
                    100 * *attainment.all, 100 * *own, agents[i],
                    slo.own(agents[i]) != nullptr ? "" : ", which counts by itself where it is named in slo/agents"),
        notes);
  }
}

/// Neither memory nor the chips hold such a pool back: an engine's setting does.
void note_seats(const PoolPlan& plan, const Sampler& sampler, std::size_t pool, Notes& notes) {
  constexpr double kNoticeable = 0.05;
  const std::optional<double> full = sampler.mean_full(pool);
  if (!full || *full < kNoticeable) return;
  const std::optional<double> kv = sampler.mean_kv(pool);
  add(fmt::format("{}: in {:.0f} % of the time calls waited while all {} seats of their replica were taken: a larger "
                  "engine/max_num_seqs lets more run side by side, as far as there is memory for their KV{}",
                  plan.name, 100 * *full, plan.batching.max_num_seqs,
                  kv ? fmt::format(" ({:.0f} % of it was in use)", 100 * *kv) : ""),
      notes);
}

/// More transfers at once than the network simulates well.
void note_crowd(const sim::Network& network, Notes& notes) {
  if (network.peak_in_flight() <= network.cheap_flows()) return;
  add(fmt::format(
          "{} transfers were in flight at once over SimGrid, which simulates up to {} well and takes the longer "
          "the more there are: --network analytic is faster; if there were ever more of them, the network "
          "carries less than is sent, and a faster one (fabric/bytes_per_s) or less to move helps",
          network.peak_in_flight(), network.cheap_flows()),
      notes);
}

/// Where the catalogue does not know enough of a pool's chip for its energy or cost.
void note_unknown(const PoolPlan& plan, bool energy_known, Notes& notes) {
  if (!energy_known) {
    add(fmt::format("energy is unknown: the catalogue has not all of power/active_w, compute_w and memory_w for {}",
                    plan.chip->name),
        notes);
  }
  if (!plan.usd_per_chip_hour) {
    add(fmt::format("cost is unknown: the catalogue has no price for {}; set the pool's usd_per_chip_hour",
                    plan.chip->name),
        notes);
  }
}

}  // namespace

SummaryNotes summary_notes(const Measurement& measured, const Attainment& attainment, const sim::Network& network) {
  const Scenario& scenario = measured.scenario();
  SummaryNotes said{.notes = scenario.warnings};
  note_rejections(measured, said.notes);
  note_window(measured, said.notes);
  note_agents(measured, attainment, said.notes);
  note_crowd(network, said.notes);
  for (std::size_t p = 0; p < scenario.pools.size(); ++p) {
    const PoolPlan& plan = scenario.pools[p];
    note_seats(plan, measured.sampler(), p, said.notes);
    note_unknown(plan, measured.sampler().joules_of(p).has_value(), said.notes);
    const TrackRecord record = track_record(plan);
    add(validity_note(plan), said.validity);
    add(record.warning, said.validity);
    add(record.checked, said.checked);
  }
  return said;
}

}  // namespace tokenyard::analysis
