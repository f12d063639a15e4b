#include "analysis/compare/level_differences.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/result/value_at.hpp"

namespace tokenyard::analysis {

std::optional<Slo> level_of(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "manifest.json";
  if (!std::filesystem::exists(path)) return {};
  sim::Faults faults, ignored;
  const sim::JsonFile manifest = sim::JsonFile::load(path, faults);
  faults.throw_if_any();
  const sim::Json& scenario = value_at(manifest.value(), {"scenario"});
  if (!scenario.is_object()) return {};
  const sim::Json& slo = value_at(scenario, {"slo"});
  if (!slo.is_object()) return Slo();
  sim::ObjectReader reader(slo, path.string(), "/scenario/slo", ignored);
  return Slo::read(reader);
}

std::vector<LevelDifference> level_differences(const std::optional<Slo>& base, const std::optional<Slo>& other) {
  std::vector<LevelDifference> differences;
  if (!base || !other) return differences;
  const auto limits = [&](const std::string& agent, const SloLimits& a, const SloLimits& b) {
    for (const auto& [key, limit] : {std::pair{"ttft_s", &SloLimits::ttft_s}, std::pair{"tpot_s", &SloLimits::tpot_s},
                                     std::pair{"e2e_s", &SloLimits::e2e_s}, std::pair{"task_s", &SloLimits::task_s}}) {
      const bool said = !agent.empty() && a.*limit == base->limits.*limit && b.*limit == other->limits.*limit;
      if (a.*limit != b.*limit && !said) differences.push_back({agent, key, a.*limit, b.*limit});
    }
  };
  limits("", base->limits, other->limits);
  if (base->has_limits() && other->has_limits() && base->attainment != other->attainment)
    differences.push_back({"", "attainment", base->attainment, other->attainment});
  std::vector<std::string> named;
  for (const Slo* slo : {&*base, &*other}) {
    for (const Slo::OfAgent& agent : slo->agents) {
      if (std::find(named.begin(), named.end(), agent.name) == named.end()) named.push_back(agent.name);
    }
  }
  for (const std::string& agent : named) {
    const bool in_base = base->own(agent) != nullptr, in_other = other->own(agent) != nullptr;
    if (in_base != in_other)
      differences.push_back({agent, "judged_by_itself", in_base ? 1.0 : 0.0, in_other ? 1.0 : 0.0});
    limits(agent, base->of(agent), other->of(agent));
  }
  return differences;
}

}  // namespace tokenyard::analysis
