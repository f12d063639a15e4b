#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/page/chart.hpp"
#include "analysis/page/html.hpp"
#include "analysis/page/roofline.hpp"
#include "analysis/report/sections.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

std::string task_time(const Json& summary) {
  std::vector<ShareBar> bars = {share_bar("all tasks", value_at(summary, {"causes_s"}), Unit::kSeconds)};
  const Json& agents = value_at(summary, {"agents"});
  if (agents.is_object() && agents.size() > 1) {
    for (const auto& [name, agent] : agents.items()) {
      if (value_at(agent, {"causes_s"}).is_object())
        bars.push_back(share_bar(name, value_at(agent, {"causes_s"}), Unit::kSeconds));
    }
  }
  if (!(bars.front().total() > 0)) return "<p class=\"none\">No task has spent any time.</p>\n";
  for (ShareBar& bar : bars) bar.total_text = human_number(bar.total(), Unit::kSeconds);
  return share_bars_html(bars) + share_bars_table("Task time by cause", "cause", bars);
}

std::string pool_time(const Json& pools) {
  std::vector<ShareBar> bars;
  if (pools.is_object()) {
    for (const auto& [name, pool] : pools.items()) {
      ShareBar bar = share_bar(name, value_at(pool, {"bound"}), Unit::kShare);
      bar.total_text = "busy " + human_number(number_at(pool, {"busy"}), Unit::kShare);
      if (bar.total() > 0) bars.push_back(std::move(bar));
    }
  }
  if (bars.empty()) return "<p class=\"none\">No pool was measured.</p>\n";
  return share_bars_html(bars) + share_bars_table("Pool time by limit", "limit", bars);
}

std::string links(const Json& network) {
  const Json& busiest = value_at(network, {"busiest_links"});
  const std::optional<double> bytes = number_at(network, {"bytes"});
  if (!bytes || *bytes == 0 || !busiest.is_array() || busiest.empty())
    return "<p class=\"none\">Nothing crossed the network between replicas.</p>\n";
  HtmlTable table{fmt::format("Busiest links: {} in {} crossed the network", human_number(bytes, Unit::kBytes),
                              counted(number_at(network, {"flows"}).value_or(0), "flow", "flows")),
                  {"link"},
                  {}};
  const Json& first = busiest.front();
  std::vector<std::string> keys;
  if (first.is_object()) {
    for (const auto& [key, value] : first.items()) {
      if (!value.is_string()) keys.push_back(key);
    }
  }
  for (const std::string& key : keys) table.head.push_back(html_escaped(words_of(key)));
  for (const Json& link : busiest) {
    std::vector<std::string> cells = {html_escaped(text_at(link, {"link"}))};
    for (const std::string& key : keys) cells.push_back(human_number(number_at(link, {key}), unit_of(key)));
    table.rows.push_back(std::move(cells));
  }
  return table.html();
}

}  // namespace

std::string why_section(const RunResult& result) {
  const Json& s = result.summary();
  return fmt::format(
      "<h3>Where the time of the tasks goes</h3>\n<p class=\"say\">Every second of every task belongs to exactly one "
      "cause on its critical path. "
      "At the end of a bar: the time of all its tasks together.</p>\n{}"
      "<h3>What limits the pools</h3>\n<p class=\"say\">Shares of each pool's time by what bound the step that ran. "
      "Capacity: calls waited for KV memory.</p>\n{}"
      "<h3>Prefill and decode under the roofline</h3>\n{}"
      "<h3>The network</h3>\n{}",
      task_time(s), pool_time(value_at(s, {"pools"})), roofline_html(value_at(s, {"pools"})),
      links(value_at(s, {"network"})));
}

}  // namespace tokenyard::analysis
