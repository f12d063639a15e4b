#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/page/chart.hpp"
#include "analysis/page/html.hpp"
#include "analysis/report/sections.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::size_t kChartedPools = 12;  ///< the others are in the table: the page stays small
constexpr std::size_t kChartedAgents = 8;  ///< as many as there are line colours
constexpr std::size_t kBinsOnThePage = 2400;

/// A curve of the summary, [[share, seconds], …], as points (seconds, share); empty if it is none.
std::vector<std::pair<double, double>> curve_points(const Json& curve) {
  std::vector<std::pair<double, double>> points;
  if (!curve.is_array()) return points;
  for (const Json& point : curve) {
    if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_number()) return {};
    points.emplace_back(point[1].get<double>(), point[0].get<double>());
  }
  return points;
}

/// The cumulative distribution; durations of zero stand at the left edge of a logarithmic axis.
std::string distribution(const std::string& id, const std::string& title, std::vector<ChartLine> lines,
                         std::optional<double> limit, Json& charts) {
  double least = 0, greatest = 0;
  for (const ChartLine& line : lines) {
    for (const auto& [value, share] : line.points) {
      if (value > 0) least = least == 0 ? value : std::min(least, value);
      greatest = std::max(greatest, value);
    }
  }
  if (!(least > 0)) return {};
  LineChart chart{id,
                  title,
                  fmt::format("{}: cumulative distribution from {} to {}; its quantiles are in the table of latencies",
                              title, human_number(least, Unit::kSeconds), human_number(greatest, Unit::kSeconds)),
                  Axis::around(least, greatest, Unit::kSeconds),
                  {0, 1, Unit::kShare},
                  std::move(lines),
                  {}};
  if (limit && *limit > 0) {
    // The limit is part of the picture unless it is far away.
    if (*limit < least * 30 && *limit > greatest) chart.x = Axis::around(least, *limit * 1.1, Unit::kSeconds);
    chart.markers.push_back({*limit, "limit " + human_number(limit, Unit::kSeconds)});
  }
  charts[id] = chart.hover_data();
  return chart.html();
}

std::string distributions(const RunResult& result, Json& charts) {
  struct Curve {
    const char *key, *title;
  };
  const Json& s = result.summary();
  const auto limit = [&](const char* key) { return number_at(result.manifest(), {"scenario", "slo", key}); };
  std::string figures;
  for (const Curve& curve :
       {Curve{"ttft_s", "Time to first token"}, {"tpot_s", "Time per output token"}, {"e2e_s", "Whole call"}}) {
    figures +=
        distribution(std::string("cdf-") + curve.key, curve.title,
                     {{"all", 0, curve_points(value_at(s, {"curves", curve.key})), {}}}, limit(curve.key), charts);
  }
  std::vector<ChartLine> tasks;
  const Json& agents = value_at(s, {"agents"});
  if (agents.is_object()) {
    for (const auto& [name, agent] : agents.items()) {
      std::vector<std::pair<double, double>> points = curve_points(value_at(agent, {"curves", "task_s"}));
      if (tasks.size() < kChartedAgents && !points.empty())
        tasks.push_back({name, tasks.size(), std::move(points), {}});
    }
  }
  if (tasks.empty()) tasks.push_back({"all", 0, curve_points(value_at(s, {"curves", "task_s"})), {}});
  figures += distribution("cdf-task_s", "Whole task", std::move(tasks), limit("task_s"), charts);
  if (figures.empty())
    return "<p class=\"none\">This summary holds no distributions: run the scenario again with this version to get "
           "them.</p>\n";
  return "<div class=\"grid\">\n" + figures + "</div>\n";
}

struct SeriesLine {
  SeriesColumn column;
  const char* name;
};

/// One chart of a pool over time; empty if no column has a value.
std::string over_time(const std::string& id, const char* title, const PoolSeries& series,
                      const std::vector<SeriesLine>& columns, Unit unit, const std::vector<LineChart::Marker>& markers,
                      Json& charts) {
  const SeriesBin whole = series.whole();
  double greatest = 0;
  std::vector<ChartLine> lines;
  std::string spoken;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const SeriesBin::Value& all = whole.values[columns[i].column];
    if (all.count == 0) continue;
    greatest = std::max(greatest, all.greatest);
    spoken += fmt::format("; {} from {} to {}, mean {}", columns[i].name, human_number(all.least, unit),
                          human_number(all.greatest, unit), human_number(all.mean(), unit));
    ChartLine line{columns[i].name, i, {}, {}};
    for (const SeriesBin& bin : series.bins) {
      const SeriesBin::Value& value = bin.values[columns[i].column];
      if (value.count == 0) continue;
      line.points.emplace_back(bin.middle_s(), value.mean());
      if (series.samples_per_bin > 1) line.band.push_back({bin.middle_s(), value.least, value.greatest});
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) return {};
  const Axis time{0, whole.to_s, Unit::kSeconds};
  const Axis y = unit == Unit::kShare ? Axis{0, 1, unit} : Axis::from_zero(greatest, unit);
  const LineChart chart{
      id,
      title,
      fmt::format("{} of pool {} over {}{}", title, series.pool, human_number(whole.to_s, Unit::kSeconds), spoken),
      time,
      y,
      std::move(lines),
      markers};
  charts[id] = chart.hover_data();
  return chart.html();
}

std::string pool_charts(std::size_t number, const PoolSeries& series, const std::vector<LineChart::Marker>& markers,
                        Json& charts) {
  const auto id = [&](const char* what) { return fmt::format("series-{}-{}", number, what); };
  return over_time(id("calls"), "Calls", series, {{kRunning, "running"}, {kWaiting, "waiting"}}, Unit::kCount, markers,
                   charts) +
         over_time(id("use"), "Busy and KV in use", series, {{kBusy, "busy"}, {kKvUtilization, "KV in use"}},
                   Unit::kShare, markers, charts) +
         over_time(id("tokens"), "Output tokens", series, {{kOutputTokensPerS, "output tokens"}}, Unit::kPerSecond,
                   markers, charts) +
         over_time(id("power"), "Power", series, {{kPowerW, "power"}}, Unit::kWatts, markers, charts);
}

/// Least, mean and greatest of every pool and column: the charts as a table.
std::string series_table(const std::vector<PoolSeries>& pools) {
  struct Column {
    SeriesColumn column;
    const char* name;
    Unit unit;
  };
  constexpr Column kColumns[] = {{kRunning, "running", Unit::kCount},
                                 {kWaiting, "waiting", Unit::kCount},
                                 {kKvUtilization, "KV in use", Unit::kShare},
                                 {kBusy, "busy", Unit::kShare},
                                 {kBatchTokensPerS, "batch tokens", Unit::kPerSecond},
                                 {kOutputTokensPerS, "output tokens", Unit::kPerSecond},
                                 {kPowerW, "power", Unit::kWatts}};
  HtmlTable table{"Time series of the whole run, warm-up and drain included: least, mean and greatest",
                  {"pool", "quantity", "least", "mean", "greatest"},
                  {},
                  2};
  for (const PoolSeries& pool : pools) {
    const SeriesBin whole = pool.whole();
    for (const Column& column : kColumns) {
      const SeriesBin::Value& value = whole.values[column.column];
      const bool known = value.count > 0;
      const auto shown = [&](double number) {
        return human_number(known ? std::optional(number) : std::nullopt, column.unit);
      };
      table.rows.push_back({html_escaped(pool.pool), column.name, shown(value.least), shown(known ? value.mean() : 0),
                            shown(value.greatest)});
    }
  }
  return html_details("The figures", table.html());
}

std::string time_series(const RunResult& result, Json& charts) {
  if (!result.series)
    return "<p class=\"none\">This run wrote no time series. <code>--write calls,tasks,series</code> adds them to the "
           "folder; then <code>tokenyard report</code> draws them here.</p>\n";
  if (result.series->empty()) return "<p class=\"none\">The run was too short for a sample.</p>\n";
  std::vector<LineChart::Marker> markers;
  const std::optional<double> warmup = number_at(result.manifest(), {"scenario", "run", "warmup_s"});
  if (warmup && *warmup > 0) markers.push_back({*warmup, "warm-up ends"});
  const bool generated = value_at(result.manifest(), {"scenario", "workload", "trace"}).is_null();
  const std::optional<double> duration = number_at(result.manifest(), {"scenario", "run", "duration_s"});
  const std::optional<double> end = number_at(result.summary(), {"simulated_s"});
  if (generated && duration && end && *duration < *end) markers.push_back({*duration, "arrivals end"});
  std::string html;
  std::uint64_t per_bin = 1;
  const std::size_t charted = std::min(result.series->size(), kChartedPools);
  for (std::size_t i = 0; i < charted; ++i) {
    PoolSeries series = (*result.series)[i];
    series.thin(kBinsOnThePage / charted);
    per_bin = std::max(per_bin, series.samples_per_bin);
    const std::string model = text_at(result.summary(), {"pools", series.pool, "model"});
    const std::string chip = text_at(result.summary(), {"pools", series.pool, "chip"});
    const std::optional<double> chips = number_at(result.summary(), {"pools", series.pool, "chips"});
    const std::string what = model.empty() || chip.empty() || !chips
                                 ? ""
                                 : fmt::format(": {} on {} × {}", html_escaped(model),
                                               human_number(chips, Unit::kCount), html_escaped(chip));
    html += fmt::format("<h4>{}<small>{}</small></h4>\n<div class=\"grid\">\n{}</div>\n", html_escaped(series.pool),
                        what, pool_charts(i, series, markers, charts));
  }
  std::string said;
  if (per_bin > 1)
    said += fmt::format("A line shows means of up to {} samples, its band their least and greatest. ", per_bin);
  if (charted < result.series->size())
    said += fmt::format("Charts show {} of {} pools; the table below has all. ", charted, result.series->size());
  return (said.empty() ? "" : "<p class=\"say\">" + said + "</p>\n") + html + series_table(*result.series);
}

}  // namespace

std::string evidence_section(const RunResult& result, Json& charts) {
  return "<h3>Distributions</h3>\n<p class=\"say\">The share of calls, or of tasks, that took at most so long.</p>\n" +
         distributions(result, charts) + "<h3>Pools over time</h3>\n" + time_series(result, charts);
}

}  // namespace tokenyard::analysis
