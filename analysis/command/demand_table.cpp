#include "analysis/command/demand_table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/command/text_table.hpp"
#include "analysis/demand/wording.hpp"
#include "analysis/report/human_number.hpp"

namespace tokenyard::analysis {
namespace {

constexpr auto kLeft = TextTable::kLeft;
constexpr auto kRight = TextTable::kRight;

std::string count(const std::optional<double>& value) { return human_number(value, Unit::kCount); }
std::string usd(const std::optional<double>& value) { return human_number(value, Unit::kUsd); }
std::string watts(const std::optional<double>& megawatts) {
  return human_number(megawatts ? std::optional(*megawatts * 1e6) : std::nullopt, Unit::kWatts);
}

/// " *" behind what the user assumed, " ~" behind what the catalogue marks as assumed.
const char* mark_of_price(const Prices& prices) {
  if (!prices.usd_per_chip_hour.value || !prices.usd_per_chip_hour.assumed) return "  ";
  return prices.usd_per_chip_hour.source == "catalogue" ? " ~" : " *";
}
const char* mark_of_power(const DemandEntry& entry) {
  if (entry.prices.watts_per_chip.value) return " *";
  return entry.economics.megawatts && entry.prices.power_assumed ? " ~" : "  ";
}

/// "99.1 ±0.2 %".
std::string attainment(const sim::Json& figures) {
  const double mean = figures["attainment"].get<double>() * 100;
  if (!figures["attainment_half_width"].is_number()) return fmt::format("{:.1f} %", mean);
  return fmt::format("{:.1f} ±{:.1f} %", mean, figures["attainment_half_width"].get<double>() * 100);
}

std::string kinds_table(const Demand& demand) {
  TextTable table({kLeft, kLeft, kRight, kRight, kRight, kRight, kRight, kRight, kRight, kRight, kLeft});
  table.row({"chip", "replicas", "chips", "power  ", "per hour  ", "per task", "per M out", "tok/s/MW", "seeds",
             "attained", "held back by"});
  for (const DemandEntry& entry : demand.entries) {
    const Sizing& cell = entry.deployment.cell;
    if (!cell.met) continue;
    const Economics& e = entry.economics;
    std::string replicas = pools_text(cell);
    if (entry.deployment.cells > 1) replicas = fmt::format("{} × ({})", count(entry.deployment.cells), replicas);
    table.row({(entry.on_front ? "▸ " : "  ") + entry.chip->name, replicas,
               (cell.proven ? "" : "≤ ") + count(entry.deployment.chips()), watts(e.megawatts) + mark_of_power(entry),
               usd(e.usd_per_hour) + mark_of_price(entry.prices), usd(e.usd_per_task),
               usd(e.usd_per_million_output_tokens), count(e.output_tokens_per_s_per_mw),
               fmt::format("{}/{}", cell.seeds_met, cell.seeds), attainment(cell.figures),
               fmt::format("{} {:.0f} %", cell.limit, cell.limit_share * 100)});
  }
  return table.text("  ");
}

/// Which pools the replicas are of, what the marks mean, what is not known, and what cannot do it.
std::string notes(const Demand& demand, const Scenario& scenario) {
  std::string text;
  std::string pools;
  for (const PoolPlan& pool : scenario.pools) pools += (pools.empty() ? "" : ", ") + pool.name;
  if (scenario.pools.size() > 1) text += fmt::format("  Replicas of {}, in this order; tp: chips of one.\n", pools);
  bool front = false, by_user = false, by_catalogue = false, whole = true;
  std::string no_price, no_power;
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.deployment.cell.met) continue;
    front = front || entry.on_front;
    for (const std::string mark : {mark_of_price(entry.prices), mark_of_power(entry)}) {
      by_user = by_user || mark == " *";
      by_catalogue = by_catalogue || mark == " ~";
    }
    whole = whole && entry.deployment.cell.proven;
    if (!entry.economics.usd_per_hour) no_price += (no_price.empty() ? "" : ", ") + entry.chip->name;
    if (!entry.economics.megawatts) no_power += (no_power.empty() ? "" : ", ") + entry.chip->name;
  }
  if (front) text += "  ▸ no other kind needs at most its chips, power and money, and less of one.";
  if (by_user) text += "  * you assumed it.";
  if (by_catalogue) text += "  ~ the catalogue marks it as assumed.";
  text += fmt::format("\n  Power is the chips' mean, times a PUE of {:g}; money is rent; tokens are output tokens.\n",
                      demand.pue);
  if (!whole) text += "  ≤ smaller sizes may do: the search was ended before all were tried.\n";
  if (!no_price.empty())
    text += fmt::format("  No price is published for {}: --price CHIP=USD assumes one.\n", no_price);
  if (!no_power.empty()) text += fmt::format("  No power is known of {}: --watts CHIP=W assumes it.\n", no_power);
  for (const DemandEntry& entry : demand.entries) {
    const Deployment& d = entry.deployment;
    if (!d.cell.met) text += fmt::format("  {} cannot serve it: {}.\n", entry.chip->name, d.cell.why_not);
    if (!d.independent) continue;
    const std::string of = fmt::format("  {} is scaled by {} cells of {} tasks/s: a cell twice as large ",
                                       entry.chip->name, count(d.cells), count(d.cell_tasks_per_s));
    text +=
        *d.independent
            ? of + fmt::format("needs no fewer chips per task, within one replica ({:.1f} %).\n", *d.coarseness * 100)
            : of + fmt::format(
                       "needs {:.0f} % fewer chips per task, give or take a replica ({:.0f} %): an upper bound.\n",
                       *d.saving_of_twice * 100, *d.coarseness * 100);
  }
  return text;
}

/// What the answer rests on.
std::string effort_text(const Demand& demand) {
  std::size_t simulations = 0, stopped = 0, now = 0;
  for (const DemandEntry& entry : demand.entries) {
    simulations += entry.deployment.cell.simulations;
    stopped += entry.deployment.cell.stopped_early;
    now += entry.simulations;
  }
  return fmt::format("  {} simulations, {} of them stopped early, the level being out of reach{}.\n", simulations,
                     stopped, now == 0 ? "; all known from before" : "");
}

std::string growth_table(const Demand& demand) {
  TextTable table({kRight, kRight, kLeft, kRight, kRight, kRight});
  table.row({"month", "tasks/s", "chip", "chips", "power", "per hour"});
  std::size_t points = 0;
  for (const DemandEntry& entry : demand.entries) points = std::max(points, entry.growth.size());
  for (std::size_t i = 0; i < points; ++i) {
    bool first = true;
    for (const DemandEntry& entry : demand.entries) {
      if (i >= entry.growth.size() || !entry.growth[i].deployment.cell.met) continue;
      const DemandEntry::Point& point = entry.growth[i];
      table.row({first ? fmt::format("{}", point.month) : "", first ? count(point.tasks_per_s) : "", entry.chip->name,
                 count(point.deployment.chips()), watts(point.economics.megawatts), usd(point.economics.usd_per_hour)});
      first = false;
    }
  }
  return points == 0 ? "" : "\n" + table.text("  ");
}

}  // namespace

std::string demand_text(const Demand& demand, const Scenario& scenario) {
  const std::string table = demand.met() ? "\n" + kinds_table(demand) + "\n" : "\n";
  return fmt::format("{}{}{}\n  {}\n\n", table, demand.met() ? notes(demand, scenario) + effort_text(demand) : "",
                     growth_table(demand), demand.answer);
}

}  // namespace tokenyard::analysis
