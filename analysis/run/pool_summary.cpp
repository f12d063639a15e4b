#include "analysis/run/pool_summary.hpp"

#include "analysis/run/ratio.hpp"
#include "analysis/run/validity.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Bound;
using platforms::ServingTotals;
using platforms::StepTotals;
using sim::Json;
using sim::or_null;

double seconds(sim::Int128 ticks) { return sim::FineTime(ticks).seconds(); }
double bound_s(const StepTotals& steps, Bound bound) {
  return seconds(steps.bound_ticks[static_cast<std::size_t>(bound)]);
}
double peak_flops_per_s(const PoolPlan& plan) {
  return plan.chip->peak_flops_per_s[*plan.chip->compute_precision(plan.weights)].value_or(0);
}
double bytes_per_s(const PoolPlan& plan) { return plan.chip->memory_bytes_per_s.value_or(0); }

/// What the time of a pool's ranks went to.
Json bound_json(const StepTotals& steps, double capacity_s, double rank_s) {
  const double busy_s = seconds(steps.busy_ticks);
  // Time in which calls waited for KV memory counts as capacity, whatever the steps were bound by.
  const double rest = busy_s > 0 ? 1 - capacity_s / busy_s : 0;
  const auto bound = [&](Bound which) { return ratio(bound_s(steps, which) * rest, rank_s); };
  return {{"compute", bound(Bound::kCompute)},     {"bandwidth", bound(Bound::kBandwidth)},
          {"capacity", ratio(capacity_s, rank_s)}, {"network", bound(Bound::kNetwork)},
          {"host", bound(Bound::kHost)},           {"idle", ratio(rank_s - busy_s, rank_s)}};
}

/// Where the steps of a phase stand under the chip's roofline; `all_s`: the time of both phases.
Json phase_json(const PoolPlan& plan, const StepTotals& steps, double all_s) {
  const double busy_s = seconds(steps.busy_ticks);
  const auto flop = static_cast<double>(steps.flop), bytes = static_cast<double>(steps.bytes);
  const auto bound = [&](Bound which) { return ratio(bound_s(steps, which), busy_s); };
  return {{"steps", steps.steps},
          {"time", ratio(busy_s, all_s)},
          {"mfu", ratio(flop, peak_flops_per_s(plan) * busy_s)},
          {"mbu", ratio(bytes, bytes_per_s(plan) * busy_s)},
          {"flop_per_byte", ratio(flop, bytes)},
          {"bound",
           {{"compute", bound(Bound::kCompute)},
            {"bandwidth", bound(Bound::kBandwidth)},
            {"network", bound(Bound::kNetwork)},
            {"host", bound(Bound::kHost)}}}};
}

/// Prefill: the steps that computed prompts; decode: those that did not.
Json roofline_json(const PoolPlan& plan, const ServingTotals& from, const ServingTotals& to) {
  const StepTotals prefill = to.with_prompts - from.with_prompts;
  const StepTotals decode = to.without_prompts - from.without_prompts;
  const double all_s = seconds(prefill.busy_ticks + decode.busy_ticks);
  return {{"ridge_flop_per_byte", ratio(peak_flops_per_s(plan), bytes_per_s(plan))},
          {"prefill", phase_json(plan, prefill, all_s)},
          {"decode", phase_json(plan, decode, all_s)}};
}

/// Where prompts were found; what moved. HBM's share and the tiers' sum up to the pool's prefix_hit_rate.
Json tiers_json(const PoolPlan& plan, const ServingTotals& from, const ServingTotals& to) {
  const auto prompt = static_cast<double>(to.prompt_tokens - from.prompt_tokens);
  const double bytes = plan.rank_kv_bytes_per_token();
  platforms::Tokens in_hbm = to.cached_tokens - from.cached_tokens;
  Json json = {{"hbm", {}}};  // first
  for (const KvTierPlan& tier : plan.kv_tiers) {
    const auto t = static_cast<std::size_t>(tier.kind);
    const platforms::Tokens found = to.tier_tokens[t] - from.tier_tokens[t];
    in_hbm -= found;
    json[std::string(platforms::kKvTierNames[t])] = {
        {"hit_rate", ratio(static_cast<double>(found), prompt)},
        {"bytes_loaded", bytes * static_cast<double>(to.loaded_tokens[t] - from.loaded_tokens[t])},
        {"bytes_stored", bytes * static_cast<double>(to.stored_tokens[t] - from.stored_tokens[t])}};
  }
  json["hbm"] = {{"hit_rate", ratio(static_cast<double>(in_hbm), prompt)}};
  return json;
}

}  // namespace

Json pool_summary(const PoolPlan& plan, const PoolReading& from, const PoolReading& to, double window_s,
                  std::optional<double> mean_kv, std::optional<double> mean_full) {
  const ServingTotals &a = from.totals, &b = to.totals;
  const double rank_s = window_s * static_cast<double>(plan.ranks());
  const StepTotals steps = b.all_steps() - a.all_steps();
  Json json = {{"chip", plan.chip->name},
               {"model", plan.model_name()},
               {"replicas", plan.replicas},
               {"chips", plan.chips()},
               {"busy", ratio(seconds(steps.busy_ticks), rank_s)},
               {"mfu", ratio(static_cast<double>(steps.flop), peak_flops_per_s(plan) * rank_s)},
               {"mbu", plan.media != nullptr ? Json(nullptr)
                                             : ratio(static_cast<double>(steps.bytes), bytes_per_s(plan) * rank_s)},
               {"step_time_uncertainty", or_null(step_time_uncertainty(plan))},
               {"kv_utilization", or_null(mean_kv)},
               {"seats_full", or_null(mean_full)},
               {"prefix_hit_rate", ratio(static_cast<double>(b.cached_tokens - a.cached_tokens),
                                         static_cast<double>(b.prompt_tokens - a.prompt_tokens))},
               {"bound", bound_json(steps, seconds(b.capacity_ticks - a.capacity_ticks), rank_s)}};
  if (plan.media == nullptr) json["roofline"] = roofline_json(plan, a, b);
  if (!plan.kv_tiers.empty()) json["kv_tiers"] = tiers_json(plan, a, b);
  return json;
}

}  // namespace tokenyard::analysis
