#include "analysis/campaign/condition.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenyard::analysis {

using sim::Json;

Condition Condition::parse(const std::string& text, const std::map<std::string, std::string>& names,
                           const std::string& file, const std::string& pointer, sim::Faults& faults) {
  const auto known = [&](const std::string& name) -> std::string {
    if (names.contains(name)) return {};
    std::vector<std::string> all;
    for (const auto& [of_campaign, at] : names) all.push_back(of_campaign);
    return "a number, a 'string', a {/json/pointer} or a name" +
           (all.empty() ? "" : fmt::format(" ({})", fmt::join(all, ", "))) + sim::did_you_mean(name, all);
  };
  Condition condition;
  condition.text_ = text;
  condition.names_ = names;
  condition.expression_ = Expression::parse(text, known, file, pointer, faults);
  return condition;
}

bool Condition::holds(const Json& scenario) const {
  if (!expression_) return true;
  return expression_->value([&](const std::string& name) {
    const auto named = names_.find(name);
    const Json::json_pointer at(named != names_.end() ? named->second : name);
    return scenario.contains(at) ? scenario.at(at) : Json(nullptr);
  }) == true;
}

}  // namespace tokenyard::analysis
