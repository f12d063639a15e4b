#include "analysis/demand/page.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/page/chart.hpp"
#include "analysis/page/html.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/result/value_at.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

std::string escaped(const Json& entry, const char* key) { return html_escaped(text_at(entry, {key})); }
std::optional<double> watts(const Json& of, const char* megawatts) {
  const auto value = number_at(of, {"economics", megawatts});
  return value ? std::optional(*value * 1e6) : std::nullopt;
}
std::string usd(const Json& of, const char* key) { return human_number(number_at(of, {"economics", key}), Unit::kUsd); }

/// "21", "≤ 21", "21 (17–27)".
std::string chips(const Json& entry) {
  const auto count = number_at(entry, {"chips"});
  if (!count) return "–";
  std::string text = (value_at(entry, {"confidence", "proven"}) == true ? "" : "≤ ") + counted_number(count);
  if (const auto low = number_at(entry, {"step_time_band", "chips_low"})) {
    const auto high = number_at(entry, {"step_time_band", "chips_high"});
    text += fmt::format(" ({}–{})", counted_number(low), high ? counted_number(high) : "?");
  }
  return text;
}

/// "4 × tp 2" of a pool, its replicas and how one is divided.
std::string replicas(const Json& pool) {
  std::string text = counted_number(number_at(pool, {"replicas"})) + " ×";
  for (const char* part : {"tp", "pp", "dp", "ep"}) {
    const double degree = number_at(pool, {"parallelism", part}).value_or(1);
    if (degree > 1 || std::string_view(part) == "tp") text += fmt::format(" {} {:.0f}", part, degree);
  }
  return text;
}

/// As in the terminal (notes.hpp): "*" for what the user assumed, "~" for what the catalogue marks as assumed.
std::string mark_of_price(const Json& entry) {
  const Json& price = value_at(entry, {"assumptions", "usd_per_chip_hour"});
  if (!number_at(price, {"value"}) || value_at(price, {"assumed"}) != true) return "";
  return text_at(price, {"source"}) == "catalogue" ? " ~" : " *";
}
std::string mark_of_power(const Json& entry) {
  if (number_at(entry, {"assumptions", "watts_per_chip", "value"})) return " *";
  return watts(entry, "megawatts") && value_at(entry, {"assumptions", "power_coefficients_assumed"}) == true ? " ~"
                                                                                                             : "";
}

using Value = std::optional<double> (*)(const Json&);
std::optional<double> chips_of(const Json& entry) { return number_at(entry, {"chips"}); }
std::optional<double> usd_of(const Json& entry) { return number_at(entry, {"economics", "usd_per_hour"}); }
std::optional<double> watts_of(const Json& entry) { return watts(entry, "megawatts"); }

/// Of the kind that has least of something, with its name below.
std::string least_tile(const char* title, const Json& demand, Value value, Unit unit) {
  const Json* best = nullptr;
  for (const Json& entry : value_at(demand, {"entries"})) {
    if (value(entry) && (best == nullptr || *value(entry) < *value(*best))) best = &entry;
  }
  if (best == nullptr) return html_tile(title, "–", "unknown");
  const auto number = value(*best);
  return html_tile(title, unit == Unit::kCount ? counted_number(number) : human_number(number, unit),
                   escaped(*best, "chip"));
}

std::string answer(const Json& demand) {
  const bool met = value_at(demand, {"met"}) == true;
  std::string tiles =
      html_tile("Work", human_number(number_at(demand, {"tasks_per_s"}), Unit::kCount) + " tasks/s",
                human_number(number_at(demand, {"tokens_per_month"}), Unit::kCount) + " tokens a month");
  tiles += html_tile("Service level", met ? "met" : "not met", escaped(demand, "level"), met ? "good" : "bad");
  if (met) {
    tiles += least_tile("Fewest chips", demand, chips_of, Unit::kCount);
    tiles += least_tile("Least an hour", demand, usd_of, Unit::kUsd);
    tiles += least_tile("Least power", demand, watts_of, Unit::kWatts);
  }
  return fmt::format(
      "<h1>{}: how many chips</h1>\n<section class=\"answer\" aria-label=\"Answer\">\n<p class=\"lead\">{}</p>\n<dl "
      "class=\"tiles\">\n{}</dl>\n</section>\n",
      escaped(demand, "name"), escaped(demand, "answer"), tiles);
}

/// A bar for each kind of chip that has the value.
std::string bars(const Json& demand, const char* title, Value value, std::string (*text)(const Json&)) {
  double most = 0;
  for (const Json& entry : value_at(demand, {"entries"})) most = std::max(most, value(entry).value_or(0));
  if (most <= 0) return {};
  std::string rows;
  for (const Json& entry : value_at(demand, {"entries"})) {
    if (!value(entry)) continue;
    rows += fmt::format(
        "<div class=\"bar-name\">{}</div><div class=\"sized\"><i style=\"width:{:.2f}%\"></i><span>{}</span></div>\n",
        escaped(entry, "chip"), *value(entry) / most * 72, text(entry));
  }
  return fmt::format("<h3>{}</h3>\n<div class=\"bars two\">\n{}</div>\n", title, rows);
}

std::string kinds(const Json& demand) {
  HtmlTable table{"Kinds of chips",
                  {"chip", "held back by", "chips", "nodes", "within the level", "seeds", "power", "an hour", "a task",
                   "M output tokens", "tokens/s a MW"},
                  {},
                  2};
  HtmlTable cannot{"Chips of which no number will do", {"chip", "why"}, {}, 2};
  for (const Json& entry : value_at(demand, {"entries"})) {
    if (value_at(entry, {"met"}) != true) {
      cannot.rows.push_back({escaped(entry, "chip"), "<span class=\"long\">" + escaped(entry, "why_not") + "</span>"});
      continue;
    }
    const auto half_width = number_at(entry, {"figures", "attainment_half_width"});
    table.rows.push_back({(value_at(entry, {"on_front"}) == true ? "▸ " : "") + escaped(entry, "chip"),
                          fmt::format("{} ({})", html_escaped(words_of(text_at(entry, {"limit", "bound"}))),
                                      human_number(number_at(entry, {"limit", "share"}), Unit::kShare)),
                          chips(entry), counted_number(number_at(entry, {"nodes", "count"})),
                          human_number(number_at(entry, {"figures", "attainment"}), Unit::kShare) +
                              (half_width ? fmt::format(" ± {:.1f}", *half_width * 100) : ""),
                          fmt::format("{} of {}", number_at(entry, {"confidence", "seeds_met"}).value_or(0),
                                      number_at(entry, {"confidence", "seeds"}).value_or(0)),
                          human_number(watts(entry, "megawatts"), Unit::kWatts) + mark_of_power(entry),
                          usd(entry, "usd_per_hour") + mark_of_price(entry), usd(entry, "usd_per_task"),
                          usd(entry, "usd_per_million_output_tokens"),
                          human_number(number_at(entry, {"economics", "output_tokens_per_s_per_mw"}), Unit::kCount)});
  }
  return (table.rows.empty() ? "" : table.html()) + (cannot.rows.empty() ? "" : cannot.html());
}

/// "$3.1 M", "$3.1 M ($2.5 M–$4 M)", "never": a value with its band.
std::string banded(const Json& of, Unit unit) {
  const auto text = [&](const char* end) {
    const auto value = number_at(of, {end});
    if (!value) return std::string("never");
    return unit == Unit::kCount ? counted_number(value) : human_number(value, unit);
  };
  if (!of.is_object()) return "–";
  if (value_at(of, {"low"}) == value_at(of, {"high"})) return text("value");
  return fmt::format("{} ({}–{})", text("value"), text("low"), text("high"));
}

/// What the chips cost if they are bought, where the scenario asks for it.
std::string bought(const Json& demand) {
  HtmlTable table{"Bought", {"chip", "up front", "an hour", "M output tokens", "a design pays from"}, {}};
  for (const Json& entry : value_at(demand, {"entries"})) {
    const Json& own = value_at(entry, {"ownership"});
    if (!own.is_object() || value_at(entry, {"met"}) != true) continue;
    const Json& design = value_at(own, {"design"});
    table.rows.push_back(
        {escaped(entry, "chip"), banded(value_at(own, {"usd"}), Unit::kUsd),
         banded(value_at(own, {"usd_per_hour"}), Unit::kUsd),
         human_number(number_at(own, {"usd_per_million_output_tokens"}), Unit::kUsd),
         design.is_object() ? banded(value_at(design, {"break_even_chips"}), Unit::kCount) + " chips" : ""});
  }
  return table.rows.empty() ? "" : table.html();
}

std::string pools(const Json& demand) {
  HtmlTable table{"Replicas of each pool, and how one is divided", {"pool"}, {}, 1};
  for (const Json& entry : value_at(demand, {"entries"})) {
    if (value_at(entry, {"met"}) != true) continue;
    table.head.push_back(escaped(entry, "chip"));
    std::size_t row = 0;
    for (const Json& pool : value_at(entry, {"pools"})) {
      if (row == table.rows.size()) table.rows.push_back({escaped(pool, "name")});
      table.rows[row++].push_back(replicas(pool));
    }
  }
  return table.rows.empty() ? "" : "<h2 id=\"pools\">Pools</h2>\n" + table.html();
}

/// Chips over the months, where growth was asked for.
std::string growth(const Json& demand, Json& charts) {
  LineChart chart{"growth", "Chips, month by month", "Chips needed of each kind, by month", {}, {}, {}, {}};
  double most = 0, last = 0;
  for (const Json& entry : value_at(demand, {"entries"})) {
    ChartLine line{text_at(entry, {"chip"}), chart.lines.size(), {}, {}};
    for (const Json& point : value_at(entry, {"growth"})) {
      const auto needed = number_at(point, {"chips"});
      if (!needed) continue;
      line.points.emplace_back(number_at(point, {"month"}).value_or(0), *needed);
      most = std::max(most, *needed);
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

std::string notes(const Json& demand) {
  std::string items;
  for (const Json& note : value_at(demand, {"notes"}))
    items += "<li>" + html_escaped(note.get<std::string>()) + "</li>\n";
  return "<h2 id=\"notes\">What it rests on</h2>\n<ul>" + items + "</ul>\n";
}

}  // namespace

std::string demand_page(const Json& demand, const std::string& command) {
  Json charts = Json::object();
  const auto shown_usd = [](const Json& entry) { return usd(entry, "usd_per_hour"); };
  const auto shown_watts = [](const Json& entry) { return human_number(watts_of(entry), Unit::kWatts); };
  const std::string grown = growth(demand, charts);
  const std::string body = answer(demand) + "<h2 id=\"chips\">Side by side</h2>\n" +
                           bars(demand, "Chips", chips_of, chips) + bars(demand, "Rent an hour", usd_of, shown_usd) +
                           bars(demand, "Mean power", watts_of, shown_watts) + kinds(demand) + bought(demand) +
                           pools(demand) + grown + notes(demand);
  return html_page(
      {.title = escaped(demand, "name") + ": how many chips",
       .brand = "Tokenyard",
       .links = std::string("<a href=\"#chips\">Chips</a><a href=\"#pools\">Pools</a>") +
                (grown.empty() ? "" : "<a href=\"#growth\">Growth</a>") + "<a href=\"#notes\">What it rests on</a>",
       .body = body,
       .command = command},
      charts);
}

}  // namespace tokenyard::analysis
