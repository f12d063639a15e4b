#include "analysis/campaign/condition.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/scenario/json_pointer.hpp"

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
  condition.file_ = file;
  condition.place_ = pointer;
  condition.names_ = names;
  condition.expression_ = Expression::parse(text, known, file, pointer, faults);
  return condition;
}

bool Condition::holds(const Json& scenario, sim::Faults& faults) const {
  if (!expression_) return true;
  const Json value = expression_->value([&](const std::string& name) {
    const auto named = names_.find(name);
    const Json* found = find_at(scenario, named != names_.end() ? named->second : name);
    return found == nullptr ? Json(nullptr) : *found;
  });
  if (!value.is_boolean() && !value.is_null()) {
    faults.add(file_, place_, fmt::format("\"{}\", which is {}", expression_->text(), sim::shown(value)),
               "a condition, true or false, as in \"replicas < 4\"");
  }
  return value == true;
}

std::vector<std::string> Condition::pointers() const {
  std::vector<std::string> pointers;
  if (!expression_) return pointers;
  for (std::string& name : expression_->names()) {
    if (!names_.contains(name)) pointers.push_back(std::move(name));
  }
  return pointers;
}

}  // namespace tokenyard::analysis
