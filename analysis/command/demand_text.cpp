#include "analysis/command/demand_text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/command/text_table.hpp"
#include "analysis/demand/notes.hpp"
#include "analysis/demand/wording.hpp"
#include "analysis/page/human_number.hpp"

namespace tokenyard::analysis {
namespace {

constexpr auto kLeft = TextTable::kLeft;
constexpr auto kRight = TextTable::kRight;

/// Wrapped to the narrowest terminal.
std::string sentence(const std::string& text) { return wrapped(text, "  ", 78); }
std::string count(const std::optional<double>& value) { return counted_number(value); }
std::string usd(const std::optional<double>& value) { return human_number(value, Unit::kUsd); }
/// A mark as wide as any, so that the numbers before it stand in line.
std::string padded(const char* mark) { return fmt::format("{:2}", mark); }

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
               fmt::format("{}/{}", d.cell.seeds_met, d.cell.seeds), attainment_text(d.cell),
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
    table.row({"  " + entry.chip->name, power_text(e.megawatts) + padded(mark_of_power(entry)),
               usd(e.usd_per_hour) + padded(mark_of_price(entry.prices)), usd(e.usd_per_task),
               usd(e.usd_per_million_output_tokens), human_number(e.output_tokens_per_s_per_mw, Unit::kCount)});
  }
  return table.text("  ");
}

/// What the chips cost if they are bought; empty if nobody asked.
std::string ownership_table(const Demand& demand, const DemandPlan& plan) {
  if (!plan.own) return "";
  TextTable table({kLeft, kRight, kRight, kRight, kRight});
  table.row({"  bought", "up front", "per hour", "per M out", "design pays from"});
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.ownership) continue;
    const Ownership& o = *entry.ownership;
    table.row({"  " + entry.chip->name, banded_text(o.usd, Unit::kUsd), banded_text(o.usd_per_hour, Unit::kUsd),
               usd(o.usd_per_million_output_tokens),
               o.design_usd ? banded_text(o.break_even_chips, Unit::kCount) + " chips" : ""});
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
                 count(point.deployment.chips()), power_text(point.economics.megawatts),
                 usd(point.economics.usd_per_hour)});
      first = false;
    }
  }
  return points == 0 ? "" : "\n" + table.text("  ");
}

}  // namespace

std::string demand_text(const Demand& demand, const Scenario& scenario) {
  if (!demand.met()) return fmt::format("\n{}\n", sentence(demand.answer));
  std::string notes, pools;
  for (const PoolPlan& pool : scenario.pools) pools += (pools.empty() ? "" : ", ") + pool.name;
  if (scenario.pools.size() > 1)
    notes = sentence(fmt::format("Replicas of {}, in this order; tp: chips of one.", pools));
  for (const std::string& note : notes_of(demand, scenario)) notes += sentence(note);
  if (std::all_of(demand.entries.begin(), demand.entries.end(),
                  [](const DemandEntry& e) { return e.simulations == 0; }))
    notes += sentence("They were all known from before.");
  return fmt::format("\n{}\n{}\n{}{}\n{}{}", sentence(demand.answer), kinds_table(demand), money_table(demand),
                     ownership_table(demand, scenario.demand), notes, growth_table(demand));
}

}  // namespace tokenyard::analysis
