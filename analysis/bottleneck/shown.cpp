#include "analysis/bottleneck/shown.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenyard::analysis {

using sim::Json;

std::vector<Json> shown_steps(const Json& json, std::size_t by_share, std::size_t with_slack) {
  std::vector<Json> shown;
  for (const Json& step : json["time"]["steps"]) {
    const bool slack = step["slack"]["visits"].get<double>() > 0;
    if (shown.size() < by_share || (slack && shown.size() < by_share + with_slack)) shown.push_back(step);
  }
  return shown;
}

std::vector<ShownBand> shown_bands(const Json& json) {
  std::vector<ShownBand> shown;
  for (const Json& band : json["time"]["bands"])
    shown.push_back({fmt::format("all tasks, {}", band["tasks"].get<std::string>()), band});
  const Json& agents = json["time"]["agents"];
  if (agents.size() < 2) return shown;
  for (const auto& [name, agent] : agents.items()) {
    for (const Json& band : agent["bands"])
      shown.push_back({fmt::format("{}, {}", name, band["tasks"].get<std::string>()), band});
  }
  return shown;
}

}  // namespace tokenyard::analysis
