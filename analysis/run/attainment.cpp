#include "analysis/run/attainment.hpp"

namespace tokenyard::analysis {
namespace {

std::optional<double> share(std::uint64_t good, std::uint64_t arrived) {
  return arrived > 0 ? std::optional(static_cast<double>(good) / static_cast<double>(arrived)) : std::nullopt;
}

/// Of two shares; the other where one does not exist.
std::optional<double> smaller(const std::optional<double>& a, const std::optional<double>& b) {
  return !a || (b && *b < *a) ? b : a;
}

std::optional<double> attained(const Metrics::Agent& agent, const SloLimits& limits) {
  return smaller(limits.on_calls() ? share(agent.good_calls, agent.arrived_calls) : std::nullopt,
                 limits.on_tasks() ? share(agent.good, agent.arrived) : std::nullopt);
}

}  // namespace

Attainment attainment_of(const Metrics& metrics, const Slo& slo, const std::vector<std::string>& agents) {
  const Metrics::Judged calls = metrics.judged_calls(), tasks = metrics.judged_tasks();
  Attainment attainment{.all = smaller(share(calls.good, calls.arrived), share(tasks.good, tasks.arrived))};
  attainment.least = attainment.all;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const std::optional<double> of_agent =
        attainment.by_agent.emplace_back(attained(metrics.agents[i], slo.of(agents[i])));
    const SloLimits* own = slo.own(agents[i]);
    if (own == nullptr) continue;
    attainment.least = smaller(attainment.least, of_agent);
    if (own->any() && !of_agent) attainment.unjudged.push_back(i);
  }
  if (!attainment.unjudged.empty()) attainment.least.reset();
  return attainment;
}

}  // namespace tokenyard::analysis
