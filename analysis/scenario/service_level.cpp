#include "analysis/scenario/service_level.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenyard::analysis {

namespace {

/// Changes what is there, and lifts what is null.
void read_limits(sim::ObjectReader& reader, SloLimits& limits) {
  for (const auto& [key, limit] : {std::pair{"ttft_s", &limits.ttft_s}, std::pair{"tpot_s", &limits.tpot_s},
                                   std::pair{"e2e_s", &limits.e2e_s}, std::pair{"task_s", &limits.task_s}}) {
    const sim::Json* value = reader.raw(key);
    if (value != nullptr)
      *limit = value->is_null() ? std::nullopt : reader.optional_number(key, {.minimum = 0, .exclusive = true});
  }
}

}  // namespace

Slo Slo::read(sim::ObjectReader& reader) {
  Slo slo;
  read_limits(reader, slo.limits);
  slo.attainment = reader.number("attainment", {.fallback = 0.95, .minimum = 0, .maximum = 1});
  reader.members("agents", [&](const std::string& name, sim::ObjectReader& of_agent) {
    slo.agents.push_back({name, slo.limits});
    read_limits(of_agent, slo.agents.back().limits);
  });
  if (!slo.agents.empty() && !slo.has_limits())
    reader.fault("agents", "agents, but no limit", "a limit of theirs or of all: ttft_s, tpot_s, e2e_s or task_s");
  return slo;
}

const SloLimits* Slo::own(const std::string& agent) const {
  const auto found = std::find_if(agents.begin(), agents.end(), [&](const OfAgent& a) { return a.name == agent; });
  return found != agents.end() ? &found->limits : nullptr;
}

bool Slo::on_calls() const {
  return limits.on_calls() ||
         std::any_of(agents.begin(), agents.end(), [](const OfAgent& a) { return a.limits.on_calls(); });
}

bool Slo::on_tasks() const {
  return limits.on_tasks() ||
         std::any_of(agents.begin(), agents.end(), [](const OfAgent& a) { return a.limits.on_tasks(); });
}

void Slo::check_agents(const std::vector<std::string>& known, const std::string& file, sim::Faults& faults) const {
  for (const OfAgent& agent : agents) {
    if (std::find(known.begin(), known.end(), agent.name) != known.end()) continue;
    const std::string nearest = sim::nearest_name(agent.name, known);
    faults.add(file, "/slo/agents", '"' + agent.name + '"',
               nearest.empty() ? fmt::format("an agent of the workload: {}", fmt::join(known, ", "))
                               : fmt::format("an agent of the workload (did you mean \"{}\"?)", nearest));
  }
}

}  // namespace tokenyard::analysis
