#include "analysis/studies/study_unit.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace tokenyard::analysis {

Unit unit_for(const std::string& unit) {
  constexpr std::array<std::pair<std::string_view, Unit>, 6> kUnits = {{{"share", Unit::kShare},
                                                                        {"s", Unit::kSeconds},
                                                                        {"W", Unit::kWatts},
                                                                        {"J", Unit::kJoules},
                                                                        {"bytes", Unit::kBytes},
                                                                        {"/s", Unit::kPerSecond}}};
  for (const auto& [name, known] : kUnits) {
    if (unit == name) return known;
  }
  return unit == "USD" || unit.starts_with("USD/") ? Unit::kUsd : Unit::kCount;
}

std::string shown_with_unit(const sim::Json& value, const std::string& unit) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  const Unit known = unit_for(unit);
  if (!value.is_number()) return human_number(std::nullopt, known);
  const std::string number = human_number(value.get<double>(), known);
  if (unit == "times") return number + "\u00a0×";
  if (known == Unit::kUsd) return number + unit.substr(3);
  return known == Unit::kCount && !unit.empty() ? number + "\u00a0" + unit : number;
}

}  // namespace tokenyard::analysis
