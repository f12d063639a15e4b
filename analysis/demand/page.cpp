#include "analysis/demand/page.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/demand/notes.hpp"
#include "analysis/demand/wording.hpp"
#include "analysis/page/chart.hpp"
#include "analysis/page/html.hpp"
#include "analysis/page/human_number.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

bool met(const DemandEntry& entry) { return entry.deployment.cell.met; }
std::string chip(const DemandEntry& entry) { return html_escaped(entry.chip->name); }
std::string usd(const std::optional<double>& value) { return human_number(value, Unit::kUsd); }

// What kinds of chips are compared by; none of a kind that does not meet the level.
std::optional<double> chips_of(const DemandEntry& entry) {
  return met(entry) ? std::optional(entry.deployment.chips()) : std::nullopt;
}
std::optional<double> usd_of(const DemandEntry& entry) { return entry.economics.usd_per_hour; }
std::optional<double> megawatts_of(const DemandEntry& entry) { return entry.economics.megawatts; }

using Text = std::string (*)(const DemandEntry&);
std::string usd_shown(const DemandEntry& entry) { return usd(entry.economics.usd_per_hour); }
std::string power_shown(const DemandEntry& entry) { return power_text(entry.economics.megawatts); }

/// Of the kind that has least of something, with its name below.
std::string least_tile(const char* title, const Demand& demand, FigureOf figure, Text text) {
  const DemandEntry* best = least_of(demand, figure);
  return best == nullptr ? html_tile(title, "–", "unknown") : html_tile(title, text(*best), chip(*best));
}

std::string title(const Scenario& scenario) { return html_escaped(scenario.name) + ": how many chips"; }

std::string answer(const Demand& demand, const Scenario& scenario) {
  std::string tiles = demand.users
                          ? html_tile("Work", work_text(demand), "at a rate that follows from the chips")
                          : html_tile("Work", human_number(demand.tasks_per_s, Unit::kCount) + " tasks/s",
                                      human_number(demand.tokens_per_month(), Unit::kCount) + " tokens a month");
  tiles += html_tile("Service level", demand.met() ? "met" : "not met", html_escaped(demand.level),
                     demand.met() ? "good" : "bad");
  if (demand.met()) {
    const auto count = [](const DemandEntry& entry) { return counted_number(entry.deployment.chips()); };
    tiles += least_tile("Fewest chips", demand, chips_of, count);
    tiles += least_tile("Least an hour", demand, usd_of, usd_shown);
    tiles += least_tile("Least power", demand, megawatts_of, power_shown);
  }
  return html_answer(title(scenario), html_escaped(demand.answer), tiles);
}

/// A bar for each kind of chip that has the figure.
std::string bars(const Demand& demand, const char* title, FigureOf figure, Text text) {
  double most = 0;
  for (const DemandEntry& entry : demand.entries) most = std::max(most, figure(entry).value_or(0));
  if (most <= 0) return {};
  std::string rows;
  for (const DemandEntry& entry : demand.entries) {
    if (!figure(entry)) continue;
    rows += sized_bar_html(chip(entry), *figure(entry) / most * 72, text(entry));
  }
  return fmt::format("<h3>{}</h3>\n<div class=\"bars two\">\n{}</div>\n", title, rows);
}

std::string kinds(const Demand& demand) {
  HtmlTable table{"Kinds of chips",
                  {"chip", "held back by", "chips", "nodes", "within the level", "seeds", "power", "an hour", "a task",
                   "M output tokens", "tokens/s a MW"},
                  {},
                  2};
  HtmlTable cannot{"Chips of which no number will do", {"chip", "why"}, {}, 2};
  for (const DemandEntry& entry : demand.entries) {
    const Sizing& cell = entry.deployment.cell;
    if (!cell.met) {
      cannot.rows.push_back({chip(entry), "<span class=\"long\">" + html_escaped(cell.why_not) + "</span>"});
      continue;
    }
    const Economics& e = entry.economics;
    table.rows.push_back(
        {(entry.on_front ? "▸ " : "") + chip(entry),
         fmt::format("{} ({})", html_escaped(words_of(cell.limit)), human_number(cell.limit_share, Unit::kShare)),
         chips_text(entry), counted_number(entry.deployment.nodes()), attainment_text(cell),
         fmt::format("{} of {}", cell.seeds_met, cell.seeds), power_text(e.megawatts) + mark_of_power(entry),
         usd(e.usd_per_hour) + mark_of_price(entry.prices), usd(e.usd_per_task), usd(e.usd_per_million_output_tokens),
         human_number(e.output_tokens_per_s_per_mw, Unit::kCount)});
  }
  return (table.rows.empty() ? "" : table.html()) + (cannot.rows.empty() ? "" : cannot.html());
}

/// What the chips cost if they are bought, where the scenario asks for it.
std::string bought(const Demand& demand) {
  HtmlTable table{"Bought", {"chip", "up front", "an hour", "M output tokens", "a design pays from"}, {}};
  for (const DemandEntry& entry : demand.entries) {
    if (!entry.ownership) continue;
    const Ownership& o = *entry.ownership;
    table.rows.push_back({chip(entry), banded_text(o.usd, Unit::kUsd), banded_text(o.usd_per_hour, Unit::kUsd),
                          usd(o.usd_per_million_output_tokens),
                          o.design_usd ? banded_text(o.break_even_chips, Unit::kCount) + " chips" : ""});
  }
  return table.rows.empty() ? "" : table.html();
}

/// "4 × tp 2" of a pool, its replicas and how one is divided.
std::string replicas(const Sizing::Pool& pool) {
  std::string text = counted_number(static_cast<double>(pool.replicas)) + " ×";
  for (const auto& [name, degree] : degrees_of(pool.parallelism)) text += fmt::format(" {} {}", name, degree);
  return text;
}

std::string pools(const Demand& demand) {
  HtmlTable table{"Replicas of each pool, and how one is divided", {"pool"}, {}, 1};
  for (const DemandEntry& entry : demand.entries) {
    if (!met(entry)) continue;
    table.head.push_back(chip(entry));
    std::size_t row = 0;
    for (const Sizing::Pool& pool : entry.deployment.cell.pools) {
      if (row == table.rows.size()) table.rows.push_back({html_escaped(pool.name)});
      table.rows[row++].push_back(replicas(pool));
    }
  }
  return table.rows.empty() ? "" : "<h2 id=\"pools\">Pools</h2>\n" + table.html();
}

/// Chips over the months, where growth was asked for.
std::string growth(const Demand& demand, Json& charts) {
  LineChart chart{"growth", "Chips, month by month", "Chips needed of each kind, by month", {}, {}, {}, {}};
  double most = 0, last = 0;
  for (const DemandEntry& entry : demand.entries) {
    ChartLine line{entry.chip->name, chart.lines.size(), {}, {}};
    for (const DemandEntry::Point& point : entry.growth) {
      if (!point.deployment.cell.met) continue;
      line.points.emplace_back(static_cast<double>(point.month), point.deployment.chips());
      most = std::max(most, point.deployment.chips());
      last = std::max(last, line.points.back().first);
    }
    if (line.points.size() > 1) chart.lines.push_back(std::move(line));
  }
  if (chart.lines.empty()) return {};
  chart.x = Axis{0, last, Unit::kCount};
  chart.y = Axis::from_zero(most, Unit::kCount);
  charts[chart.id] = chart.hover_data();
  return "<h2 id=\"growth\">Growth</h2>\n" + chart.html();
}

std::string notes(const Demand& demand, const Scenario& scenario) {
  std::string items;
  for (const std::string& note : notes_of(demand, scenario)) items += "<li>" + html_escaped(note) + "</li>\n";
  return "<h2 id=\"notes\">What it rests on</h2>\n<ul>" + items + "</ul>\n";
}

}  // namespace

std::string demand_page(const Demand& demand, const Scenario& scenario, const std::string& command) {
  Json charts = Json::object();
  const std::string grown = growth(demand, charts);
  const std::string body =
      answer(demand, scenario) + "<h2 id=\"chips\">Side by side</h2>\n" + bars(demand, "Chips", chips_of, chips_text) +
      bars(demand, "Rent an hour", usd_of, usd_shown) + bars(demand, "Mean power", megawatts_of, power_shown) +
      kinds(demand) + bought(demand) + pools(demand) + grown + notes(demand, scenario);
  return html_page(
      {.title = title(scenario),
       .brand = "Tokenyard",
       .links = std::string("<a href=\"#chips\">Chips</a><a href=\"#pools\">Pools</a>") +
                (grown.empty() ? "" : "<a href=\"#growth\">Growth</a>") + "<a href=\"#notes\">What it rests on</a>",
       .body = body,
       .command = command},
      charts);
}

}  // namespace tokenyard::analysis
