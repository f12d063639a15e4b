#include "analysis/demand/economics.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {
namespace {

std::optional<double> figure(const Sizing& sizing, const char* key) {
  const sim::Json& value = sizing.figures[key];
  return value.is_number() && value.get<double>() > 0 ? std::optional(value.get<double>()) : std::nullopt;
}

}  // namespace

Prices prices_of(const platforms::Chip& chip, const Scenario& scenario) {
  Prices prices;
  Sourced& price = prices.usd_per_chip_hour;
  if (chip.price.usd_per_hour) price = {chip.price.usd_per_hour, "catalogue", chip.is_assumed("price/usd_per_hour")};
  for (const PoolPlan& pool : scenario.pools) {
    // A pool has the catalogue's price unless the scenario says otherwise.
    if (pool.chip->name == chip.name && pool.usd_per_chip_hour && pool.usd_per_chip_hour != chip.price.usd_per_hour)
      price = {pool.usd_per_chip_hour, "the scenario", true};
  }
  if (chip.price.unit_low_usd && chip.price.unit_high_usd)
    prices.usd_per_chip = {(*chip.price.unit_low_usd + *chip.price.unit_high_usd) / 2, *chip.price.unit_low_usd,
                           *chip.price.unit_high_usd};
  constexpr const char* kWatts[] = {"idle_w", "held_w", "waiting_w", "active_w", "compute_w", "memory_w"};
  prices.power_assumed = std::any_of(std::begin(kWatts), std::end(kWatts),
                                     [&](const char* watts) { return chip.is_assumed(std::string("power/") + watts); });
  const auto assumption = scenario.demand.assume.find(chip.name);
  if (assumption == scenario.demand.assume.end()) return prices;
  if (assumption->second.usd_per_chip_hour) price = {assumption->second.usd_per_chip_hour, "assumed by the user", true};
  if (assumption->second.usd_per_chip) prices.usd_per_chip = Banded(*assumption->second.usd_per_chip);
  if (assumption->second.watts_per_chip)
    prices.watts_per_chip = {assumption->second.watts_per_chip, "assumed by the user", true};
  return prices;
}

Economics economics_of(const Sizing& sizing, double cells, double rented, const platforms::Chip& chip,
                       const Prices& prices, double pue) {
  Economics e;
  const double chips = rented, unused = rented - static_cast<double>(sizing.chips) * cells;
  const auto tasks = figure(sizing, "tasks_per_s");
  const auto tokens = figure(sizing, "output_tokens_per_s");
  if (prices.watts_per_chip.value) {
    e.megawatts = *prices.watts_per_chip.value * chips * pue / 1e6;
  } else if (const auto watts = figure(sizing, "watts")) {
    e.megawatts = (*watts * cells + unused * chip.power.idle_w.value_or(0)) * pue / 1e6;
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

namespace {

constexpr double kHoursPerYear = 8766;

/// Share of a sum that is paid each year, so that it is paid back with interest in the end.
double annuity(const DemandPlan::Own& own) {
  if (own.capital_rate == 0) return 1 / own.years;
  return own.capital_rate / (1 - sim::portable_pow(1 + own.capital_rate, -own.years));
}

}  // namespace

Ownership ownership_of(const DemandPlan::Own& own, const Prices& prices, const Banded& chips,
                       const Economics& economics, double usd_per_kwh) {
  Ownership result;
  result.chips = chips.value;
  if (!prices.usd_per_chip) return result;
  const Banded& price = *prices.usd_per_chip;
  const double with_server = 1 + own.server_share;
  result.usd = Banded(chips.value * price.value * with_server, chips.low * price.low * with_server,
                      chips.high * price.high * with_server);
  if (!economics.megawatts) return result;
  const auto per_hour = [&](double usd, double of_chips) {
    return usd * annuity(own) / kHoursPerYear + *economics.megawatts * of_chips / chips.value * 1000 * usd_per_kwh;
  };
  result.usd_per_hour = Banded(per_hour(result.usd->value, chips.value), per_hour(result.usd->low, chips.low),
                               per_hour(result.usd->high, chips.high));
  if (economics.output_tokens_per_s_per_mw)
    result.usd_per_million_output_tokens =
        result.usd_per_hour->value * 1e6 / (3600 * *economics.output_tokens_per_s_per_mw * *economics.megawatts);
  return result;
}

void find_break_even(Ownership& ownership, const DemandPlan::Own& own, double design_usd,
                     const Banded& other_usd_per_hour) {
  ownership.design_usd = design_usd;
  ownership.design_usd_per_hour = design_usd * annuity(own) / kHoursPerYear;
  if (!ownership.usd_per_hour) return;
  const auto volume = [&](double other, double mine) {
    const double saved = (other - mine) / ownership.chips;  // per chip and hour
    return saved > 0 ? *ownership.design_usd_per_hour / saved : std::numeric_limits<double>::infinity();
  };
  const Banded& mine = *ownership.usd_per_hour;
  ownership.break_even_chips =
      Banded(volume(other_usd_per_hour.value, mine.value), volume(other_usd_per_hour.high, mine.low),
             volume(other_usd_per_hour.low, mine.high));
}

std::optional<Supply> supply_of(const platforms::Chip& chip, const DemandPlan& plan,
                                const platforms::Catalog& catalog) {
  const auto assumption = plan.assume.find(chip.name);
  if (assumption != plan.assume.end() && assumption->second.available_chips)
    return Supply{Banded(*assumption->second.available_chips), true};
  const auto fact = [&](std::string_view key) -> std::optional<double> {
    for (const platforms::Fact& known : catalog.facts(platforms::CatalogKind::kChip, chip.name)) {
      if (known.key == key) return std::strtod(known.value.c_str(), nullptr);
    }
    return {};
  };
  const auto made = fact("supply/made");
  if (!made) return {};
  return Supply{Banded(*made, fact("supply/made_low").value_or(*made), fact("supply/made_high").value_or(*made)),
                false};
}

}  // namespace tokenyard::analysis
