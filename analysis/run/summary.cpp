#include "analysis/run/summary.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "analysis/run/track_record.hpp"
#include "analysis/run/validity.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::or_null;
using sim::QuantileSketch;

Json ratio(double part, double whole) { return whole > 0 ? Json(part / whole) : Json(nullptr); }
Json ratio(std::uint64_t part, std::uint64_t whole) {
  return ratio(static_cast<double>(part), static_cast<double>(whole));
}
double seconds(sim::Int128 ticks) { return sim::FineTime(ticks).seconds(); }

Json statistics(const QuantileSketch& sketch) {
  return {{"mean", or_null(sketch.mean_s())},        {"p50", or_null(sketch.quantile_s(0.5))},
          {"p90", or_null(sketch.quantile_s(0.9))},  {"p95", or_null(sketch.quantile_s(0.95))},
          {"p99", or_null(sketch.quantile_s(0.99))}, {"max", or_null(sketch.max_s())}};
}

/// The distribution as points (share, seconds), denser towards the tail.
Json curve(const QuantileSketch& sketch) {
  Json points = Json::array();
  if (sketch.count() == 0) return points;
  const auto add = [&](double q) { points.push_back({q, *sketch.quantile_s(q)}); };
  for (int i = 0; i < 48; ++i) add(i / 50.0);
  for (const double q : {0.96, 0.97, 0.98, 0.985, 0.99, 0.9925, 0.995, 0.9975, 0.999, 1.0}) add(q);
  return points;
}

Json causes_json(const platforms::CauseTimes& causes) {
  std::array<double, platforms::kCauses> seconds;
  for (std::size_t i = 0; i < platforms::kCauses; ++i) seconds[i] = causes.by_cause[i].seconds();
  return analysis::causes_json(seconds);
}

class Summary {
 public:
  explicit Summary(const Outcome& outcome)
      : o_(outcome),
        scenario_(outcome.scenario),
        m_(outcome.metrics),
        ttft_(m_.all(&Metrics::Agent::ttft)),
        tpot_(m_.all(&Metrics::Agent::tpot)),
        e2e_(m_.all(&Metrics::Agent::e2e)),
        task_(m_.all(&Metrics::Agent::task)),
        window_s_((outcome.end.date - outcome.begin.date).seconds()) {}

  Json make() {
    for (const std::string& warning : scenario_.warnings) notes_.push_back(warning);
    note_rejections();
    note_window();
    note_agents();
    note_crowd();
    const Json pools = pools_json();
    Json json = {
        {"schema", "tokenyard.summary/1"},
        {"name", scenario_.name},
        {"seed", scenario_.seed},
        {"status", o_.interrupted ? "partial" : "complete"},
        {"simulated_s", o_.last.date.seconds()},
        {"wall_s", nullptr},
        {"counts", counts_json()},
        {"latency", latency_json()},
        {"throughput", throughput_json()},
        {"slo", slo_json()},
        {"pools", pools},
        {"agents", agents_json()},
        {"causes_s", causes_json(m_.causes)},
        {"network", network_json()},
        {"energy", energy_json()},
        {"cost", cost_json()},
        {"curves",
         {{"ttft_s", curve(ttft_)}, {"tpot_s", curve(tpot_)}, {"e2e_s", curve(e2e_)}, {"task_s", curve(task_)}}}};
    json["validity"] = validity_;
    json["checked"] = checked_;
    json["notes"] = notes_;
    return json;
  }

 private:
  /// Nothing else is rejected: a call that its pool could not hold even alone.
  void note_rejections() {
    if (m_.calls[2] == 0) return;
    std::string limits;
    for (const PoolPlan& pool : scenario_.pools) {
      if (pool.model == nullptr) continue;
      const platforms::BatchingOptions& batching = pool.batching;
      limits += fmt::format("{}{} in {}{}", limits.empty() ? "" : ", ", batching.max_model_len, pool.name,
                            batching.chunked_prefill ? ""
                                                     : fmt::format(", where a prompt has to fit into one step of {} "
                                                                   "(max_num_batched_tokens, without chunked prefill)",
                                                                   batching.max_num_batched_tokens));
    }
    note(fmt::format(
        "{} of {} calls were rejected: their prompts and answers are longer than max_model_len ({}) or than "
        "all of a replica's KV; a larger engine/max_model_len lets them in as far as the model's max_context goes, and "
        "more memory for a replica (parallelism/tp, engine/gpu_memory_utilization) holds more KV",
        m_.calls[2], Metrics::total(m_.calls), limits));
  }

  /// Where tasks take as long as what is measured, or pile up, rates of the window are not those of the long run.
  void note_window() {
    constexpr double kFewMore = 0.08, kChance = 3;
    const auto came = static_cast<double>(m_.arrived_tasks);
    const double left = came - static_cast<double>(m_.ended_tasks);
    if (left <= std::max(kFewMore * came, kChance * std::sqrt(came))) return;
    note(fmt::format(
        "in the {:g} s that are measured {} tasks came and {} ended: they pile up, or take long; latencies, "
        "throughput and cost per task are of this time, and a longer duration_s and warmup_s show the long run",
        window_s_, m_.arrived_tasks, m_.ended_tasks));
  }

  /// All together may be within the level though one of the agents is not.
  void note_agents() {
    for (std::size_t i = 0; i < o_.agent_names.size(); ++i) {
      if (unjudged(i))
        note(fmt::format("none of {}'s work came in the measured time: whether the service level is met is open",
                         o_.agent_names[i]));
    }
    if (o_.agent_names.size() < 2) return;
    const double level = scenario_.slo.attainment;
    const Json all = attained();
    if (!all.is_number() || all.get<double>() < level) return;
    for (std::size_t i = 0; i < o_.agent_names.size(); ++i) {
      const Json own = attained(i);
      if (own.is_number() && own.get<double>() < level)
        note(fmt::format("{:.1f} % of all work is within the service level, but only {:.1f} % of {}'s{}",
                         100 * all.get<double>(), 100 * own.get<double>(), o_.agent_names[i],
                         scenario_.slo.own(o_.agent_names[i]) != nullptr
                             ? ""
                             : ", which counts by itself where it is named in slo/agents"));
    }
  }

  /// More transfers at once than the network simulates well.
  void note_crowd() {
    if (o_.network.peak_in_flight() <= o_.network.cheap_flows()) return;
    note(fmt::format(
        "{} transfers were in flight at once over SimGrid, which simulates up to {} well and takes the longer "
        "the more there are: --network analytic is faster; if there were ever more of them, the network "
        "carries less than is sent, and a faster one (fabric/bytes_per_s) or less to move helps",
        o_.network.peak_in_flight(), o_.network.cheap_flows()));
  }

  Json counts_json() const {
    std::int64_t steps = 0, preemptions = 0;
    for (const PoolReading& pool : o_.last.pools) {
      steps += pool.totals.all_steps().steps;
      preemptions += pool.totals.preemptions;
    }
    return {{"tasks", Metrics::total(m_.tasks)},
            {"tasks_completed", m_.tasks[0]},
            {"tasks_failed", m_.tasks[1]},
            {"tasks_rejected", m_.tasks[2]},
            {"tasks_unfinished", m_.tasks[3]},
            {"calls", Metrics::total(m_.calls)},
            {"calls_completed", m_.calls[0]},
            {"calls_failed", m_.calls[1]},
            {"calls_rejected", m_.calls[2]},
            {"calls_unfinished", m_.calls[3]},
            {"prompt_tokens", m_.prompt_tokens},
            {"cached_tokens", m_.cached_tokens},
            {"output_tokens", m_.output_tokens},
            {"media_calls", m_.media_calls},
            {"media_steps", m_.media_steps},
            {"steps", steps},
            {"events", o_.events},
            {"preemptions", preemptions}};
  }

  Json latency_json() const {
    return {{"ttft_s", statistics(ttft_)}, {"tpot_s", statistics(tpot_)},     {"itl_s", statistics(o_.end.gaps)},
            {"e2e_s", statistics(e2e_)},   {"queue_s", statistics(m_.queue)}, {"task_s", statistics(task_)}};
  }

  Json throughput_json() const {
    return {{"calls_per_s", ratio(static_cast<double>(m_.completed_calls), window_s_)},
            {"tasks_per_s", ratio(static_cast<double>(m_.completed_tasks), window_s_)},
            {"output_tokens_per_s", ratio(output_tokens_, window_s_)},
            {"total_tokens_per_s", ratio(output_tokens_ + static_cast<double>(m_.completed_prompt_tokens), window_s_)}};
  }

  /// Attainment: the share of the window's calls within the limits on calls, of agents that have such, or of its tasks
  /// within those on tasks, likewise, whichever is smaller. The level is met where the smallest attainment is, of all
  /// work and of each agent named in the level. Without any limit there is none, and goodput is all that completed.
  Json slo_json() const {
    const Slo& slo = scenario_.slo;
    const bool asked = slo.has_limits();
    const Json attainment = attained();
    const Json least = least_attained();
    return {{"attainment", attainment},
            {"attainment_calls", asked ? ratio(m_.good_calls, m_.arrived_calls) : Json(nullptr)},
            {"attainment_tasks", asked ? ratio(m_.good_tasks, m_.arrived_tasks) : Json(nullptr)},
            {"least_attainment", least},
            {"goodput_calls_per_s", ratio(static_cast<double>(m_.completed_good_calls), window_s_)},
            {"goodput_tasks_per_s", ratio(static_cast<double>(m_.completed_good_tasks), window_s_)},
            {"met", least.is_null() ? Json(nullptr) : Json(least.get<double>() >= slo.attainment)}};
  }

  /// Of all work.
  Json attained() const {
    const Metrics::Judged calls = m_.judged_calls(), tasks = m_.judged_tasks();
    return smaller(ratio(calls.good, calls.arrived), ratio(tasks.good, tasks.arrived));
  }
  Json attained(std::size_t agent) const {
    const Metrics::Agent& of = m_.agents[agent];
    const SloLimits& limits = scenario_.slo.of(o_.agent_names[agent]);
    return smaller(limits.on_calls() ? ratio(of.good_calls, of.arrived_calls) : Json(nullptr),
                   limits.on_tasks() ? ratio(of.good, of.arrived) : Json(nullptr));
  }
  /// Of all work and of each agent that counts by itself; null where nothing of one of them came.
  Json least_attained() const {
    Json least = attained();
    for (std::size_t i = 0; i < o_.agent_names.size(); ++i) {
      if (unjudged(i)) return nullptr;
      if (scenario_.slo.own(o_.agent_names[i]) != nullptr) least = smaller(least, attained(i));
    }
    return least;
  }
  /// It has limits of its own, and none of its work came in the measured time.
  bool unjudged(std::size_t agent) const {
    const SloLimits* own = scenario_.slo.own(o_.agent_names[agent]);
    return own != nullptr && own->any() && attained(agent).is_null();
  }
  /// Of two shares; the other where one is null.
  static Json smaller(const Json& a, const Json& b) { return a.is_null() || (!b.is_null() && b < a) ? b : a; }

  Json pools_json() {
    Json json = Json::object();
    for (std::size_t p = 0; p < scenario_.pools.size(); ++p) {
      const PoolPlan& plan = scenario_.pools[p];
      const PoolReading& a = o_.begin.pools[p];
      const PoolReading& b = o_.end.pools[p];
      const double rank_s = window_s_ * static_cast<double>(plan.ranks());
      const platforms::StepTotals steps = b.totals.all_steps() - a.totals.all_steps();
      const double busy_s = seconds(steps.busy_ticks);
      const double capacity_s = seconds(b.totals.capacity_ticks - a.totals.capacity_ticks);
      // Time in which calls waited for KV memory counts as capacity, whatever the steps were bound by.
      const double rest = busy_s > 0 ? 1 - capacity_s / busy_s : 0;
      const auto bound = [&](platforms::Bound which) {
        return ratio(seconds(steps.bound_ticks[which]) * rest, rank_s);
      };
      const double peak = peak_flops_per_s(plan), bandwidth = plan.chip->memory_bytes_per_s.value_or(0);
      json[plan.name] = {
          {"chip", plan.chip->name},
          {"model", plan.model_name()},
          {"replicas", plan.replicas},
          {"chips", plan.chips()},
          {"busy", ratio(busy_s, rank_s)},
          {"mfu", ratio(static_cast<double>(steps.flop), peak * rank_s)},
          {"mbu", plan.media != nullptr ? Json(nullptr) : ratio(static_cast<double>(steps.bytes), bandwidth * rank_s)},
          {"step_time_uncertainty", or_null(step_time_uncertainty(plan))},
          {"kv_utilization", or_null(o_.sampler.mean_kv(p))},
          {"prefix_hit_rate", ratio(static_cast<double>(b.totals.cached_tokens - a.totals.cached_tokens),
                                    static_cast<double>(b.totals.prompt_tokens - a.totals.prompt_tokens))},
          {"bound",
           {{"compute", bound(platforms::Bound::kCompute)},
            {"bandwidth", bound(platforms::Bound::kBandwidth)},
            {"capacity", ratio(capacity_s, rank_s)},
            {"network", bound(platforms::Bound::kNetwork)},
            {"host", bound(platforms::Bound::kHost)},
            {"idle", ratio(rank_s - busy_s, rank_s)}}}};
      if (plan.media == nullptr) json[plan.name]["roofline"] = roofline_json(plan, a.totals, b.totals);
      if (!plan.kv_tiers.empty()) json[plan.name]["kv_tiers"] = tiers_json(plan, a.totals, b.totals);
      output_tokens_ += static_cast<double>(b.totals.output_tokens - a.totals.output_tokens);
      add_energy(p);
      const TrackRecord record = track_record(plan);
      for (const std::string& text : {validity_note(plan), record.warning}) note(text, validity_);
      note(record.checked, checked_);
      add_cost(plan);
    }
    return json;
  }

  static double peak_flops_per_s(const PoolPlan& plan) {
    return plan.chip->peak_flops_per_s[*plan.chip->compute_precision(plan.weights)].value_or(0);
  }

  /// Where the steps that computed prompts stand under the chip's roofline, and those that only decoded.
  static Json roofline_json(const PoolPlan& plan, const platforms::ServingTotals& from,
                            const platforms::ServingTotals& to) {
    const double peak = peak_flops_per_s(plan), bandwidth = plan.chip->memory_bytes_per_s.value_or(0);
    const platforms::StepTotals prefill = to.with_prompts - from.with_prompts;
    const platforms::StepTotals decode = to.without_prompts - from.without_prompts;
    const sim::Int128 busy_ticks = prefill.busy_ticks + decode.busy_ticks;
    const auto phase = [&](const platforms::StepTotals& steps) {
      const double busy_s = seconds(steps.busy_ticks);
      const auto flop = static_cast<double>(steps.flop), bytes = static_cast<double>(steps.bytes);
      const auto bound = [&](platforms::Bound which) { return ratio(seconds(steps.bound_ticks[which]), busy_s); };
      return Json{{"steps", steps.steps},
                  {"time", ratio(busy_s, seconds(busy_ticks))},
                  {"mfu", ratio(flop, peak * busy_s)},
                  {"mbu", ratio(bytes, bandwidth * busy_s)},
                  {"flop_per_byte", ratio(flop, bytes)},
                  {"bound",
                   {{"compute", bound(platforms::Bound::kCompute)},
                    {"bandwidth", bound(platforms::Bound::kBandwidth)},
                    {"network", bound(platforms::Bound::kNetwork)},
                    {"host", bound(platforms::Bound::kHost)}}}};
    };
    return {{"ridge_flop_per_byte", ratio(peak, bandwidth)}, {"prefill", phase(prefill)}, {"decode", phase(decode)}};
  }

  /// Where prompts were found; what moved. HBM's share and the tiers' sum up to the pool's prefix_hit_rate.
  static Json tiers_json(const PoolPlan& plan, const platforms::ServingTotals& a, const platforms::ServingTotals& b) {
    const auto prompt = static_cast<double>(b.prompt_tokens - a.prompt_tokens);
    const double bytes = plan.rank_kv_bytes_per_token();
    platforms::Tokens in_hbm = b.cached_tokens - a.cached_tokens;
    Json json = {{"hbm", {}}};  // first
    for (const KvTierPlan& tier : plan.kv_tiers) {
      const auto t = static_cast<std::size_t>(tier.kind);
      const platforms::Tokens found = b.tier_tokens[t] - a.tier_tokens[t];
      in_hbm -= found;
      json[std::string(platforms::kKvTierNames[t])] = {
          {"hit_rate", ratio(static_cast<double>(found), prompt)},
          {"bytes_loaded", bytes * static_cast<double>(b.loaded_tokens[t] - a.loaded_tokens[t])},
          {"bytes_stored", bytes * static_cast<double>(b.stored_tokens[t] - a.stored_tokens[t])}};
    }
    json["hbm"] = {{"hit_rate", ratio(static_cast<double>(in_hbm), prompt)}};
    return json;
  }

  void add_energy(std::size_t pool) {
    if (const auto energy = o_.sampler.joules_of(pool)) {
      if (joules_) *joules_ += *energy;
    } else {
      joules_.reset();
      note(fmt::format("energy is unknown: the catalogue has not all of power/active_w, compute_w and memory_w for {}",
                       scenario_.pools[pool].chip->name));
    }
  }

  void add_cost(const PoolPlan& plan) {
    if (plan.usd_per_chip_hour) {
      if (usd_) *usd_ += *plan.usd_per_chip_hour * static_cast<double>(plan.chips()) * window_s_ / 3600;
    } else {
      usd_.reset();
      note(fmt::format("cost is unknown: the catalogue has no price for {}; set the pool's usd_per_chip_hour",
                       plan.chip->name));
    }
  }

  void note(const std::string& text) { note(text, notes_); }
  static void note(const std::string& text, std::vector<std::string>& notes) {
    if (!text.empty() && std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
  }

  Json agents_json() const {
    Json json = Json::object();
    for (std::size_t i = 0; i < o_.agent_names.size(); ++i) {
      const Metrics::Agent& agent = m_.agents[i];
      const std::uint64_t completed = agent.tasks[0];
      const auto per_task = [&](std::int64_t sum) {
        return ratio(static_cast<double>(sum), static_cast<double>(completed));
      };
      json[o_.agent_names[i]] = {{"tasks", Metrics::total(agent.tasks)},
                                 {"tasks_completed", completed},
                                 {"tasks_failed", agent.tasks[1]},
                                 {"tasks_rejected", agent.tasks[2]},
                                 {"tasks_unfinished", agent.tasks[3]},
                                 {"task_s", statistics(agent.task)},
                                 {"ttft_s", statistics(agent.ttft)},
                                 {"tpot_s", statistics(agent.tpot)},
                                 {"e2e_s", statistics(agent.e2e)},
                                 {"attainment", attained(i)},
                                 {"calls_per_task", per_task(static_cast<std::int64_t>(agent.calls))},
                                 {"tool_calls_per_task", per_task(static_cast<std::int64_t>(agent.tool_calls))},
                                 {"prompt_tokens_per_task", per_task(agent.prompt_tokens)},
                                 {"cached_tokens_per_task", per_task(agent.cached_tokens)},
                                 {"output_tokens_per_task", per_task(agent.output_tokens)},
                                 {"causes_s", causes_json(agent.causes)},
                                 {"curves", {{"task_s", curve(agent.task)}}}};
    }
    return json;
  }

  Json network_json() const {
    Json links = Json::array();
    for (const sim::LinkUse& use : o_.network.busiest_links(5))
      links.push_back({{"link", use.link}, {"bytes", use.bytes}});
    return {{"bytes", o_.network.bytes_moved()}, {"flows", o_.network.flows()}, {"busiest_links", links}};
  }

  Json energy_json() const {
    const double pue = scenario_.cluster.pue;
    if (!joules_ || window_s_ <= 0)
      return {{"joules", nullptr}, {"joules_per_output_token", nullptr}, {"watts_mean", nullptr}, {"pue", pue}};
    const double all = *joules_ * pue;
    return {{"joules", all},
            {"joules_per_output_token", ratio(all, output_tokens_)},
            {"watts_mean", ratio(all, window_s_)},
            {"pue", pue}};
  }

  Json cost_json() const {
    if (!usd_ || window_s_ <= 0)
      return {{"usd", nullptr}, {"usd_per_million_output_tokens", nullptr}, {"usd_per_completed_task", nullptr}};
    return {{"usd", *usd_},
            {"usd_per_million_output_tokens", ratio(*usd_ * 1e6, output_tokens_)},
            {"usd_per_completed_task", ratio(*usd_, static_cast<double>(m_.completed_tasks))}};
  }

  const Outcome& o_;
  const Scenario& scenario_;
  const Metrics& m_;
  const QuantileSketch ttft_, tpot_, e2e_, task_;  ///< of all agents
  const double window_s_;
  double output_tokens_ = 0;  ///< made in the window
  std::optional<double> joules_ = 0, usd_ = 0;
  std::vector<std::string> notes_, validity_, checked_;
};

}  // namespace

Json causes_json(const std::array<double, platforms::kCauses>& seconds) {
  Json json = Json::object();
  for (std::size_t i = 0; i < platforms::kCauses; ++i) json[std::string(platforms::kCauseNames[i])] = seconds[i];
  return json;
}

Json summarize(const Outcome& outcome) { return Summary(outcome).make(); }

}  // namespace tokenyard::analysis
