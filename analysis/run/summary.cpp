#include "analysis/run/summary.hpp"

#include <fmt/format.h>

#include "analysis/run/attainment.hpp"
#include "analysis/run/pool_summary.hpp"
#include "analysis/run/ratio.hpp"
#include "analysis/run/summary_notes.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;
using sim::or_null;
using sim::QuantileSketch;

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

/// All of `what`, and those that ended in each way: "calls", "calls_completed", ….
void add_counts(const std::string& what, const StatusCounts& counts, Json& json) {
  json[what] = counts.total();
  for (std::size_t i = 0; i < platforms::kCallStatusNames.size(); ++i)
    json[fmt::format("{}_{}", what, platforms::kCallStatusNames[i])] = counts[static_cast<platforms::CallStatus>(i)];
}

/// What all pools together made in the window, and what it took; energy or cost is nothing where a pool's is not known.
struct WindowTotals {
  double output_tokens = 0;
  std::optional<double> joules = 0;  ///< of the chips
  std::optional<double> usd = 0;
};

WindowTotals totals_of(const Measurement& measured) {
  WindowTotals totals;
  const auto add = [](std::optional<double>& sum, const std::optional<double>& more) {
    sum = sum && more ? std::optional(*sum + *more) : std::nullopt;
  };
  const Scenario& scenario = measured.scenario();
  for (std::size_t p = 0; p < scenario.pools.size(); ++p) {
    const PoolPlan& plan = scenario.pools[p];
    totals.output_tokens += static_cast<double>(measured.end().pools[p].totals.output_tokens -
                                                measured.begin().pools[p].totals.output_tokens);
    add(totals.joules, measured.sampler().joules_of(p));
    add(totals.usd, plan.usd_per_chip_hour ? std::optional(*plan.usd_per_chip_hour * static_cast<double>(plan.chips()) *
                                                           measured.window_s() / 3600)
                                           : std::nullopt);
  }
  return totals;
}

class Summary {
 public:
  Summary(const Measurement& measured, const sim::Network& network)
      : measured_(measured),
        network_(network),
        scenario_(measured.scenario()),
        m_(measured.metrics()),
        ttft_(m_.all(&Metrics::Agent::ttft)),
        tpot_(m_.all(&Metrics::Agent::tpot)),
        e2e_(m_.all(&Metrics::Agent::e2e)),
        task_(m_.all(&Metrics::Agent::task)),
        window_s_(measured.window_s()),
        totals_(totals_of(measured)),
        attainment_(attainment_of(m_, scenario_.slo, measured.agents())) {}

  Json json(bool interrupted) const {
    const SummaryNotes said = summary_notes(measured_, attainment_, network_);
    return {{"schema", "tokenyard.summary/1"},
            {"name", scenario_.name},
            {"seed", scenario_.seed},
            {"status", interrupted ? "partial" : "complete"},
            {"simulated_s", measured_.last().date.seconds()},
            {"wall_s", nullptr},
            {"counts", counts_json()},
            {"latency", latency_json()},
            {"throughput", throughput_json()},
            {"slo", slo_json()},
            {"pools", pools_json()},
            {"agents", agents_json()},
            {"causes_s", causes_json(m_.causes)},
            {"network", network_json()},
            {"energy", energy_json()},
            {"cost", cost_json()},
            {"curves",
             {{"ttft_s", curve(ttft_)}, {"tpot_s", curve(tpot_)}, {"e2e_s", curve(e2e_)}, {"task_s", curve(task_)}}},
            {"validity", said.validity},
            {"checked", said.checked},
            {"notes", said.notes}};
  }

 private:
  Json counts_json() const {
    std::int64_t steps = 0, preemptions = 0;
    for (const PoolReading& pool : measured_.last().pools) {
      steps += pool.totals.all_steps().steps;
      preemptions += pool.totals.preemptions;
    }
    Json json = Json::object();
    add_counts("tasks", m_.tasks, json);
    add_counts("calls", m_.calls, json);
    json.update(Json{{"prompt_tokens", m_.prompt_tokens},
                     {"cached_tokens", m_.cached_tokens},
                     {"output_tokens", m_.output_tokens},
                     {"media_calls", m_.media_calls},
                     {"media_steps", m_.media_steps},
                     {"steps", steps},
                     {"events", measured_.events()},
                     {"preemptions", preemptions}});
    return json;
  }

  Json latency_json() const {
    return {
        {"ttft_s", statistics(ttft_)}, {"tpot_s", statistics(tpot_)},     {"itl_s", statistics(measured_.end().gaps)},
        {"e2e_s", statistics(e2e_)},   {"queue_s", statistics(m_.queue)}, {"task_s", statistics(task_)}};
  }

  Json throughput_json() const {
    const double tokens = totals_.output_tokens;
    return {{"calls_per_s", ratio(static_cast<double>(m_.completed_calls), window_s_)},
            {"tasks_per_s", ratio(static_cast<double>(m_.completed_tasks), window_s_)},
            {"output_tokens_per_s", ratio(tokens, window_s_)},
            {"total_tokens_per_s", ratio(tokens + static_cast<double>(m_.completed_prompt_tokens), window_s_)}};
  }

  /// Without any limit there is no attainment, and goodput is all that completed.
  Json slo_json() const {
    const Slo& slo = scenario_.slo;
    const bool asked = slo.has_limits();
    const std::optional<double>& least = attainment_.least;
    return {{"attainment", or_null(attainment_.all)},
            {"attainment_calls", asked ? ratio(m_.good_calls, m_.arrived_calls) : Json(nullptr)},
            {"attainment_tasks", asked ? ratio(m_.good_tasks, m_.arrived_tasks) : Json(nullptr)},
            {"least_attainment", or_null(least)},
            {"goodput_calls_per_s", ratio(static_cast<double>(m_.completed_good_calls), window_s_)},
            {"goodput_tasks_per_s", ratio(static_cast<double>(m_.completed_good_tasks), window_s_)},
            {"met", least ? Json(*least >= slo.attainment) : Json(nullptr)}};
  }

  Json pools_json() const {
    Json json = Json::object();
    for (std::size_t p = 0; p < scenario_.pools.size(); ++p) {
      const PoolPlan& plan = scenario_.pools[p];
      json[plan.name] = pool_summary(plan, measured_.begin().pools[p], measured_.end().pools[p], window_s_,
                                     measured_.sampler().mean_kv(p), measured_.sampler().mean_full(p));
    }
    return json;
  }

  Json agent_json(std::size_t i) const {
    const Metrics::Agent& agent = m_.agents[i];
    const auto per_task = [&](auto sum) {
      return ratio(static_cast<double>(sum), static_cast<double>(agent.tasks[agents::TaskStatus::kCompleted]));
    };
    Json json = Json::object();
    add_counts("tasks", agent.tasks, json);
    json.update(Json{{"task_s", statistics(agent.task)},
                     {"ttft_s", statistics(agent.ttft)},
                     {"tpot_s", statistics(agent.tpot)},
                     {"e2e_s", statistics(agent.e2e)},
                     {"attainment", or_null(attainment_.by_agent[i])},
                     {"calls_per_task", per_task(agent.calls)},
                     {"tool_calls_per_task", per_task(agent.tool_calls)},
                     {"prompt_tokens_per_task", per_task(agent.prompt_tokens)},
                     {"cached_tokens_per_task", per_task(agent.cached_tokens)},
                     {"output_tokens_per_task", per_task(agent.output_tokens)},
                     {"causes_s", causes_json(agent.causes)},
                     {"curves", {{"task_s", curve(agent.task)}}}});
    return json;
  }

  Json agents_json() const {
    Json json = Json::object();
    for (std::size_t i = 0; i < measured_.agents().size(); ++i) json[measured_.agents()[i]] = agent_json(i);
    return json;
  }

  Json network_json() const {
    Json links = Json::array();
    for (const sim::LinkUse& use : network_.busiest_links(5))
      links.push_back({{"link", use.link}, {"bytes", use.bytes}});
    return {{"bytes", network_.bytes_moved()}, {"flows", network_.flows()}, {"busiest_links", links}};
  }

  Json energy_json() const {
    const double pue = scenario_.cluster.pue;
    if (!totals_.joules || window_s_ <= 0)
      return {{"joules", nullptr}, {"joules_per_output_token", nullptr}, {"watts_mean", nullptr}, {"pue", pue}};
    const double all = *totals_.joules * pue;
    return {{"joules", all},
            {"joules_per_output_token", ratio(all, totals_.output_tokens)},
            {"watts_mean", ratio(all, window_s_)},
            {"pue", pue}};
  }

  Json cost_json() const {
    if (!totals_.usd || window_s_ <= 0)
      return {{"usd", nullptr}, {"usd_per_million_output_tokens", nullptr}, {"usd_per_completed_task", nullptr}};
    return {{"usd", *totals_.usd},
            {"usd_per_million_output_tokens", ratio(*totals_.usd * 1e6, totals_.output_tokens)},
            {"usd_per_completed_task", ratio(*totals_.usd, static_cast<double>(m_.completed_tasks))}};
  }

  const Measurement& measured_;
  const sim::Network& network_;
  const Scenario& scenario_;
  const Metrics& m_;
  const QuantileSketch ttft_, tpot_, e2e_, task_;  ///< of all agents
  const double window_s_;
  const WindowTotals totals_;
  const Attainment attainment_;
};

}  // namespace

Json causes_json(const std::array<double, platforms::kCauses>& seconds) {
  Json json = Json::object();
  for (std::size_t i = 0; i < platforms::kCauses; ++i) json[std::string(platforms::kCauseNames[i])] = seconds[i];
  return json;
}

Json summarize(const Measurement& measured, const sim::Network& network, bool interrupted) {
  return Summary(measured, network).json(interrupted);
}

}  // namespace tokenyard::analysis
