#include "analysis/command/demand_table.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "analysis/command/text_table.hpp"
#include "analysis/demand/wording.hpp"
#include "analysis/report/human_number.hpp"

namespace tokenyard::analysis {
namespace {

constexpr auto kLeft = TextTable::kLeft;
constexpr auto kRight = TextTable::kRight;

/// Wrapped to the narrowest terminal.
std::string sentence(const std::string& text) { return wrapped(text, "  ", 78); }
std::string count(const std::optional<double>& value) { return counted_number(value); }
std::string usd(const std::optional<double>& value) { return human_number(value, Unit::kUsd); }
std::string share(double value) { return human_number(value, Unit::kShare); }
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

/// "21", "21 (17–27)" where step times are uncertain, "21 (17–?)" where no number will do at the longer ones.
std::string chips_text(const DemandEntry& entry) {
  std::string text = (entry.deployment.cell.proven ? "" : "≤ ") + count(entry.deployment.chips());
  if (entry.band)
    text += fmt::format(" ({}–{})", count(entry.band->low), entry.band->high ? count(entry.band->high) : "?");
  return text;
}

std::string kinds_table(const Demand& demand) {
  TextTable table({kLeft, kRight, kRight, kRight, kLeft, kLeft});
  table.row({"  chip", "chips", "seeds", "attained", "held back by", "replicas"});
  for (const DemandEntry& entry : demand.entries) {
    const Deployment& d = entry.deployment;
    if (!d.cell.met) continue;
    std::string replicas = pools_text(d.cell);
    if (d.cells > 1) replicas = fmt::format("{} × ({})", count(d.cells), replicas);
    const std::string nodes =
        demand.whole_nodes ? fmt::format(" on {} × {}", count(d.nodes()), d.cell.chips_per_node) : "";
    table.row({(entry.on_front ? "▸ " : "  ") + entry.chip->name, chips_text(entry) + nodes,
               fmt::format("{}/{}", d.cell.seeds_met, d.cell.seeds), attainment(d.cell.figures),
               fmt::format("{} {:.0f} %", d.cell.limit, d.cell.limit_share * 100), replicas});
  }
  return table.text("  ");
}

std::string money_table(const Demand& demand) {
  TextTable table({kLeft, kRight, kRight, kRight, kRight, kRight});
  table.row({"  chip", "power  ", "per hour  ", "per task", "per M out", "tok/s/MW"});
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.deployment.cell.met) continue;
    const Economics& e = entry.economics;
    table.row({"  " + entry.chip->name, watts(e.megawatts) + mark_of_power(entry),
               usd(e.usd_per_hour) + mark_of_price(entry.prices), usd(e.usd_per_task),
               usd(e.usd_per_million_output_tokens), human_number(e.output_tokens_per_s_per_mw, Unit::kCount)});
  }
  return table.text("  ");
}

std::string banded(const std::optional<Banded>& value, Unit unit) {
  const auto text = [&](double v) {
    return !std::isfinite(v) ? "never" : unit == Unit::kCount ? counted_number(v) : human_number(v, unit);
  };
  if (!value) return "–";
  if (value->low == value->high) return text(value->value);
  return fmt::format("{} ({}–{})", text(value->value), text(value->low), text(value->high));
}

/// What the chips cost if they are bought; empty if nobody asked.
std::string ownership_table(const Demand& demand, const DemandPlan& plan) {
  if (!plan.own) return "";
  TextTable table({kLeft, kRight, kRight, kRight, kRight});
  table.row({"  bought", "up front", "per hour", "per M out", "design pays from"});
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.ownership) continue;
    const Ownership& o = *entry.ownership;
    table.row({"  " + entry.chip->name, banded(o.usd, Unit::kUsd), banded(o.usd_per_hour, Unit::kUsd),
               usd(o.usd_per_million_output_tokens),
               o.design_usd ? banded(o.break_even_chips, Unit::kCount) + " chips" : ""});
  }
  std::string text = "\n" + table.text("  ");
  text += sentence(fmt::format(
      "Bought for {:g} years at {:.0f} % a year, with {:.0f} % of the chips' price for servers, network and "
      "building (assumed unless /demand/own says so), and energy. In brackets: the range of prices, and of "
      "chips where step times are uncertain.",
      plan.own->years, plan.own->capital_rate * 100, plan.own->server_share * 100));
  for (const DemandEntry& entry : demand.entries) {
    if (entry.ownership && entry.ownership->break_even_chips)
      text += sentence(fmt::format("{}'s design for {} is absorbed once so many of it are made, instead of {}.",
                                   entry.chip->name, usd(entry.ownership->design_usd), entry.ownership->against));
  }
  return text;
}

/// Whether agents, whose calls repeat what came before, are served by a router that knows nothing of it.
bool scatters_tasks(const Scenario& scenario) {
  const bool agents = std::any_of(scenario.workload.entries.begin(), scenario.workload.entries.end(),
                                  [](const agents::WorkloadEntry& entry) { return entry.agent->nodes() > 2; });
  return agents && std::any_of(scenario.pools.begin(), scenario.pools.end(), [](const PoolPlan& pool) {
           return pool.takes_calls() && pool.cache.prefix_caching &&
                  (pool.router == platforms::Router::kLeastLoaded || pool.router == platforms::Router::kRoundRobin);
         });
}

/// Which pools the replicas are of, what the marks mean, what is not known, and what cannot do it.
std::string notes(const Demand& demand, const Scenario& scenario) {
  std::string text;
  const auto say = [&](const std::string& what) { text += sentence(what); };
  std::string pools;
  for (const PoolPlan& pool : scenario.pools) pools += (pools.empty() ? "" : ", ") + pool.name;
  if (scenario.pools.size() > 1) say(fmt::format("Replicas of {}, in this order; tp: chips of one.", pools));
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
  if (front && demand.entries.size() > 1)
    say("▸ no other kind needs at most its chips, power and money, and less of one.");
  if (by_user) say("* you assumed it.");
  if (by_catalogue) say("~ the catalogue marks it as assumed.");
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.band) continue;
    say(fmt::format("({}–{}): {} is extrapolated, its step times ±{}; so many chips at their ends.",
                    count(entry.band->low), entry.band->high ? count(entry.band->high) : "?", entry.chip->name,
                    share(entry.band->uncertainty)));
    if (!entry.band->high)
      say(fmt::format("At step times {} longer no number of {} will do.", share(entry.band->uncertainty),
                      entry.chip->name));
  }
  say(
      fmt::format("Power is the chips' mean, times a PUE of {:g}; money is rent, for most chips on terms of three "
                  "years (tokenyard catalog chips NAME){}; tokens are output tokens.",
                  demand.pue, demand.whole_nodes ? ", of whole nodes" : ""));
  if (scatters_tasks(scenario)) {
    say("Calls go to the replica with least to do (router), which computes again what another has of their prompt: the "
        "more replicas, the more of it. --set /pools/0/router=task-sticky or prefix-aware may need fewer chips.");
  }
  if (!whole) say("≤ smaller sizes may do: the search was ended before all were tried.");
  if (!no_price.empty()) say(fmt::format("No price is published for {}: --price CHIP=USD assumes one.", no_price));
  if (!no_power.empty()) say(fmt::format("No power is known of {}: --watts CHIP=W assumes it.", no_power));
  for (const DemandEntry& entry : demand.entries) {
    const Deployment& d = entry.deployment;
    if (!d.cell.met) say(fmt::format("{} cannot serve it: {}.", entry.chip->name, d.cell.why_not));
    if (d.cell.met && entry.supply && d.chips() > 0.01 * entry.supply->chips.value) {
      say(fmt::format(
          "{} {} are {} of {}.", count(d.chips()), entry.chip->name, share(d.chips() / entry.supply->chips.value),
          entry.supply->assumed ? fmt::format("the {} that you say there are", count(entry.supply->chips.value))
                                : fmt::format("all that were made so far, {} (Epoch's estimate)",
                                              banded(entry.supply->chips, Unit::kCount))));
    }
    if (!d.independent) continue;
    const std::string of = fmt::format("{} is scaled by {} cells of {} tasks/s: a cell twice as large ",
                                       entry.chip->name, count(d.cells), count(d.cell_tasks_per_s));
    say(of + (*d.independent
                  ? fmt::format("needs no fewer chips per task, within one replica ({:.1f} %).", *d.coarseness * 100)
                  : fmt::format("needs {} fewer chips per task, give or take a replica ({}): an upper bound.",
                                share(*d.saving_of_twice), share(*d.coarseness))));
  }
  return text;
}

/// Of simulations that went on for longer than was asked for, or should have.
std::string steadiness_text(const Demand& demand, const Scenario& scenario) {
  const double asked_s = scenario.demand.duration_s.value_or(scenario.run.duration_s);
  std::map<double, std::string> longer;
  std::string restless;
  for (const DemandEntry& entry : demand.entries) {
    const Sizing& cell = entry.deployment.cell;
    if (!cell.met) continue;
    if (cell.duration_s > asked_s)
      longer[cell.duration_s] += (longer[cell.duration_s].empty() ? "" : ", ") + entry.chip->name;
    if (!cell.steady) restless += (restless.empty() ? "" : ", ") + entry.chip->name;
  }
  std::string text;
  for (const auto& [duration_s, chips] : longer) {
    text += sentence(
        fmt::format("{}: simulated for {}, {:g} times what was asked for; in less, sizes passed whose work had not "
                    "become steady.",
                    chips, human_number(duration_s, Unit::kSeconds), duration_s / asked_s));
  }
  if (!restless.empty()) {
    text += sentence(
        fmt::format("{}: in twice the time the size misses the level: its work is still growing. Simulate longer "
                    "(run/duration_s, run/warmup_s).",
                    restless));
  }
  return text;
}

/// What the answer rests on.
std::string effort_text(const Demand& demand) {
  std::size_t simulations = 0, stopped = 0, now = 0;
  int seeds = 0;
  for (const DemandEntry& entry : demand.entries) {
    simulations += entry.deployment.cell.simulations;
    stopped += entry.deployment.cell.stopped_early;
    now += entry.simulations;
    seeds = std::max(seeds, entry.deployment.cell.seeds);
  }
  const char* rule = seeds > 1
                         ? "A size passes if the first seeds all meet the level and the 95 % interval of the mean "
                           "over seeds does not reach below it; seeds are added until that is clear."
                         : "A size passes if its one simulation meets the level.";
  return sentence(rule) + sentence(fmt::format("{} simulations, {} of them stopped early{}.", simulations, stopped,
                                               now == 0 ? "; all known from before" : ""));
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
  if (!demand.met()) return fmt::format("\n{}\n", sentence(demand.answer));
  return fmt::format("\n{}\n{}\n{}{}\n{}{}{}", sentence(demand.answer), kinds_table(demand), money_table(demand),
                     ownership_table(demand, scenario.demand), notes(demand, scenario),
                     steadiness_text(demand, scenario) + effort_text(demand), growth_table(demand));
}

}  // namespace tokenyard::analysis
