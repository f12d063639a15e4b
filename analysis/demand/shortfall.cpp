#include "analysis/demand/shortfall.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/demand/trial.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/run/recording.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// To begin with, and again as long as calls are not alone: a size that the whole work would keep full is then busy a
/// fiftieth of the time, and a long simulation still has tasks to judge by.
constexpr double kThinned = 50;
/// Of a pool whose calls are alone: beyond a fifth, more than every fifth call finds another one at work.
constexpr double kMostBusy = 0.2;
constexpr int kMostThinnings = 4;

std::string time_text(double seconds) { return human_number(seconds, Unit::kSeconds); }

/// The cause that most of the tasks' time went to.
std::string longest_cause(const Json& causes) {
  std::string longest;
  double most = 0;
  for (const auto& [cause, seconds] : causes.items()) {
    if (!seconds.is_number() || seconds.get<double>() <= most) continue;
    most = seconds.get<double>();
    longest = cause;
  }
  return longest;
}

std::string why_missed(const Json& summary, const Slo& slo) {
  const SloLimits& limits = slo.limits;
  const double rejected =
      summary["counts"]["calls_rejected"].get<double>() / std::max(1.0, summary["counts"]["calls"].get<double>());
  if (rejected > 1 - slo.attainment)
    return fmt::format("{:.0f} % of the calls are rejected, being longer than max_model_len", rejected * 100);
  const auto beyond = [&](const char* key, const std::optional<double>& limit) -> std::optional<double> {
    const Json& p95 = summary["latency"][key]["p95"];
    return limit && p95.is_number() && p95.get<double>() > *limit ? std::optional(p95.get<double>()) : std::nullopt;
  };
  const char* form = "even calls alone miss it: 95 % of them {} within {}, where {} are allowed";
  if (const auto p95 = beyond("tpot_s", limits.tpot_s))
    return fmt::format(fmt::runtime(form), "make each output token", time_text(*p95), time_text(*limits.tpot_s));
  if (const auto p95 = beyond("ttft_s", limits.ttft_s))
    return fmt::format(fmt::runtime(form), "have their first token", time_text(*p95), time_text(*limits.ttft_s));
  if (const auto p95 = beyond("e2e_s", limits.e2e_s))
    return fmt::format(fmt::runtime(form), "end", time_text(*p95), time_text(*limits.e2e_s));
  if (const auto p95 = beyond("task_s", limits.task_s)) {
    return fmt::format(
        "even tasks alone miss it: 95 % of them end within {}, where {} are allowed; most of it is {} time",
        time_text(*p95), time_text(*limits.task_s), longest_cause(summary["causes_s"]));
  }
  const Json& counts = summary["counts"];
  const double ended = counts["tasks_completed"].get<double>() + counts["tasks_failed"].get<double>();
  if (slo.on_tasks() && counts["tasks_completed"].get<double>() < slo.attainment * ended) {
    return fmt::format(
        "even alone, {:.1f} % of the tasks fail by their agents' own doing, and a level on task_s counts those that "
        "complete; {:.1f} % is asked for (slo/attainment)",
        100 * counts["tasks_failed"].get<double>() / ended, slo.attainment * 100);
  }
  for (const auto& [agent, of] : summary["agents"].items()) {
    const Json& own = of["attainment"];
    if (slo.own(agent) != nullptr && own.is_number() && own.get<double>() < slo.attainment)
      return fmt::format(
          "even alone, {:.1f} % of the work of {} is within its limits (slo/agents), {:.1f} % is asked for",
          own.get<double>() * 100, agent, slo.attainment * 100);
  }
  const Json& attainment = summary["slo"]["attainment"];
  if (!attainment.is_number()) return "even alone, nothing arrives within the window to judge by";
  return fmt::format("even calls alone miss it: {:.1f} % of the work is within all limits, {:.1f} % is asked for",
                     attainment.get<double>() * 100, slo.attainment * 100);
}

/// With one in `thinned` of the tasks.
Alone thinned_out(const Candidate& candidate, const Size& size, double thinned) {
  Scenario scenario = candidate.at(size);
  double fewer = thinned;  // calls
  for (agents::WorkloadEntry& entry : scenario.workload.entries) {
    entry.arrivals.rate_per_s /= thinned;
    if (entry.closed_loop) {
      entry.closed_loop->users = 1;
      fewer = 0;
    }
  }
  if (scenario.workload.trace) {
    scenario.workload.trace->speed /= thinned;
    fewer = 1;  // all of them come, spread over a longer time
  }
  Alone result;
  SimulateOptions options;
  options.undecided = [&](const Metrics& metrics) {
    result.counted = fewer * SloTally(metrics, scenario.slo).counted;
    return true;
  };
  const Json summary = simulate_workload(scenario, options);
  for (std::size_t p = 0; p < size.size(); ++p) {
    const Json& busy = summary["pools"][scenario.pools[p].name]["busy"];
    result.busy.push_back(
        busy.is_number() && fewer > 0 ? thinned * busy.get<double>() * static_cast<double>(size[p].replicas) : 0);
    result.crowded = result.crowded || (fewer > 0 && busy.is_number() && busy.get<double>() > kMostBusy);
  }
  const Json& met = summary["slo"]["met"];
  // Too little work to judge by is no proof.
  result.met = met.is_null() || met.get<bool>();
  if (!result.met) result.why_not = why_missed(summary, scenario.slo);
  return result;
}

}  // namespace

std::string own_failures(const Json& summary, const Slo& slo) {
  std::string text;
  for (const auto& [agent, of] : summary["agents"].items()) {
    const double failed = of["tasks_failed"].get<double>(), ended = failed + of["tasks_completed"].get<double>();
    if (slo.of(agent).on_tasks() && failed > (1 - slo.attainment) * ended)
      text += fmt::format("; {:.1f} % of {}'s tasks fail by their own doing, which no chips change",
                          100 * failed / ended, agent);
  }
  return text;
}

Alone simulate_alone(const Candidate& candidate, const Size& size) {
  double thinned = kThinned;
  Alone result = thinned_out(candidate, size, thinned);
  for (int again = 1; result.crowded && again < kMostThinnings; ++again)
    result = thinned_out(candidate, size, thinned *= kThinned);
  result.met = result.met || result.crowded;  // those who miss it beside others prove nothing
  return result;
}

}  // namespace tokenyard::analysis
