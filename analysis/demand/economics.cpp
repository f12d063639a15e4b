#include "analysis/demand/economics.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tokenyard::analysis {
namespace {

std::optional<double> figure(const Sizing& sizing, const char* key) {
  const sim::Json& value = sizing.figures[key];
  return value.is_number() && value.get<double>() > 0 ? std::optional(value.get<double>()) : std::nullopt;
}

bool is_assumed(const std::vector<platforms::Fact>& facts, std::string_view prefix) {
  return std::any_of(facts.begin(), facts.end(),
                     [&](const platforms::Fact& fact) { return fact.assumed && fact.key.starts_with(prefix); });
}

}  // namespace

Prices prices_of(const platforms::Chip& chip, const Scenario& scenario, const platforms::Catalog& catalog) {
  const std::vector<platforms::Fact> facts = catalog.facts(platforms::CatalogKind::kChip, chip.name);
  Prices prices;
  Sourced& price = prices.usd_per_chip_hour;
  if (chip.price.usd_per_hour) price = {chip.price.usd_per_hour, "catalogue", is_assumed(facts, "price/usd_per_hour")};
  for (const PoolPlan& pool : scenario.pools) {
    // A pool has the catalogue's price unless the scenario says otherwise.
    if (pool.chip->name == chip.name && pool.usd_per_chip_hour && pool.usd_per_chip_hour != chip.price.usd_per_hour)
      price = {pool.usd_per_chip_hour, "the scenario", true};
  }
  prices.power_assumed = is_assumed(facts, "power/idle_w") || is_assumed(facts, "power/active_w") ||
                         is_assumed(facts, "power/compute_w") || is_assumed(facts, "power/memory_w");
  const auto assumption = scenario.demand.assume.find(chip.name);
  if (assumption == scenario.demand.assume.end()) return prices;
  if (assumption->second.usd_per_chip_hour) price = {assumption->second.usd_per_chip_hour, "assumed by the user", true};
  if (assumption->second.watts_per_chip)
    prices.watts_per_chip = {assumption->second.watts_per_chip, "assumed by the user", true};
  return prices;
}

Economics economics_of(const Sizing& sizing, double cells, const platforms::Chip& chip, const Prices& prices,
                       double pue) {
  Economics e;
  const double chips = static_cast<double>(sizing.chips) * cells;
  const auto tasks = figure(sizing, "tasks_per_s");
  const auto tokens = figure(sizing, "output_tokens_per_s");
  if (prices.watts_per_chip.value) {
    e.megawatts = *prices.watts_per_chip.value * chips * pue / 1e6;
  } else if (const auto watts = figure(sizing, "watts")) {
    e.megawatts = *watts * cells * pue / 1e6;
  }
  if (chip.power.tdp_w) e.megawatts_peak = *chip.power.tdp_w * chips * pue / 1e6;
  if (e.megawatts && *e.megawatts > 0 && tokens) {
    e.output_tokens_per_s_per_mw = *tokens * cells / *e.megawatts;
    e.joules_per_output_token = *e.megawatts * 1e6 / (*tokens * cells);
  }
  if (prices.usd_per_chip_hour.value) {
    e.usd_per_hour = *prices.usd_per_chip_hour.value * chips;
    if (tasks) e.usd_per_task = *e.usd_per_hour / (3600 * *tasks * cells);
    if (tokens) e.usd_per_million_output_tokens = *e.usd_per_hour * 1e6 / (3600 * *tokens * cells);
  }
  return e;
}

}  // namespace tokenyard::analysis
