#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/page/html.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/report/sections.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

std::string number(const Json& json, std::string_view key, Unit unit) {
  return human_number(number_at(json, {key}), unit);
}

std::string latency_table(const RunResult& result) {
  struct Row {
    const char *key, *name, *meaning;
  };
  constexpr Row kRows[] = {
      {"ttft_s", "Time to first token (TTFT)", "first token − arrival of the call"},
      {"tpot_s", "Time per output token (TPOT)", "(last token − first token) / (output tokens − 1)"},
      {"itl_s", "Inter-token latency (ITL)", "every gap between two tokens of a call"},
      {"e2e_s", "Whole call (e2e)", "last token − arrival of the call"},
      {"queue_s", "Queue", "first scheduled − arrival of the call"},
      {"task_s", "Whole task", "from the task's arrival to its end: all its calls, tools and people"}};
  HtmlTable table{"Latency", {"", "mean", "p50", "p90", "p95", "p99", "max", "limit"}, {}};
  for (const Row& row : kRows) {
    const Json& statistics = value_at(result.summary(), {"latency", row.key});
    std::vector<std::string> cells = {fmt::format("<span title=\"{}\">{}</span>", row.meaning, row.name)};
    for (const char* column : {"mean", "p50", "p90", "p95", "p99", "max"})
      cells.push_back(number(statistics, column, Unit::kSeconds));
    const std::optional<double> limit = number_at(result.manifest(), {"scenario", "slo", row.key});
    cells.push_back(limit ? "≤ " + human_number(limit, Unit::kSeconds) : "");
    table.rows.push_back(std::move(cells));
  }
  return table.html();
}

/// Every number of an object, by name: keys that later versions add show up by themselves.
std::string facts(const char* title, const Json& object) {
  const auto text = [&](const std::string& key) {
    const Unit unit = unit_of(key);
    return unit == Unit::kCount ? counted_number(number_at(object, {key}))
                                : human_number(number_at(object, {key}), unit);
  };
  HtmlTable table{title, {}, {}};
  if (object.is_object()) {
    for (const auto& [key, value] : object.items()) {
      if (value.is_number() || value.is_null()) table.rows.push_back({html_escaped(words_of(key)), text(key)});
      if (value.is_boolean()) table.rows.push_back({html_escaped(words_of(key)), value.get<bool>() ? "yes" : "no"});
    }
  }
  return table.rows.empty() ? std::string() : table.html();
}

/// The keys whose values are numbers (or null) in any member, in the order of their first appearance.
std::vector<std::string> number_keys(const Json& members, std::initializer_list<std::string_view> without = {}) {
  std::vector<std::string> keys;
  for (const auto& [name, member] : members.items()) {
    if (!member.is_object()) continue;
    for (const auto& [key, value] : member.items()) {
      const bool shown =
          (value.is_number() || value.is_null()) && std::find(without.begin(), without.end(), key) == without.end();
      if (shown && std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  return keys;
}

std::string agents_table(const Json& agents) {
  if (!agents.is_object() || agents.empty()) return {};
  HtmlTable table{"Agents", {"agent", "tasks", "task time, mean", "p50", "p95", "p99", "TTFT, p95", "TPOT, p95"}, {}};
  std::vector<std::string> keys = number_keys(agents, {"tasks"});
  // A count of tasks that no agent has is left out.
  std::erase_if(keys, [&](const std::string& key) {
    return key.starts_with("tasks_") && std::all_of(agents.begin(), agents.end(), [&](const Json& agent) {
             return number_at(agent, {key}).value_or(0) == 0;
           });
  });
  for (const std::string& key : keys) {
    std::string words = words_of(key);
    if (words.starts_with("tasks ")) words.erase(0, 6);
    if (words.ends_with(" per task")) words.replace(words.size() - 9, 9, " / task");
    table.head.push_back(html_escaped(words));
  }
  for (const auto& [name, agent] : agents.items()) {
    std::vector<std::string> cells = {html_escaped(name), counted_number(number_at(agent, {"tasks"}))};
    for (const char* column : {"mean", "p50", "p95", "p99"})
      cells.push_back(human_number(number_at(agent, {"task_s", column}), Unit::kSeconds));
    for (const char* key : {"ttft_s", "tpot_s"})
      cells.push_back(human_number(number_at(agent, {key, "p95"}), Unit::kSeconds));
    for (const std::string& key : keys) cells.push_back(number(agent, key, unit_of(key)));
    table.rows.push_back(std::move(cells));
  }
  return table.html();
}

std::string pools_table(const Json& pools) {
  if (!pools.is_object() || pools.empty()) return {};
  HtmlTable table{"Pools", {"pool", "held back by", "model", "chip"}, {}, 4};
  const std::vector<std::string> keys = number_keys(pools);
  for (const std::string& key : keys) table.head.push_back(html_escaped(words_of(key)));
  for (const auto& [name, pool] : pools.items()) {
    std::vector<std::string> cells = {
        html_escaped(name), "<span class=\"long\">" + html_escaped(held_back_by(value_at(pool, {"bound"}))) + "</span>",
        html_escaped(text_at(pool, {"model"})), html_escaped(text_at(pool, {"chip"}))};
    for (const std::string& key : keys) cells.push_back(number(pool, key, unit_of(key)));
    table.rows.push_back(std::move(cells));
  }
  return table.html();
}

/// Where the prompts of pools with KV tiers were found, and what moved.
std::string tiers_table(const Json& pools) {
  HtmlTable table{"KV tiers", {"pool", "tier", "prompt found there", "loaded", "stored"}, {}, 2};
  if (!pools.is_object()) return {};
  for (const auto& [name, pool] : pools.items()) {
    const Json& tiers = value_at(pool, {"kv_tiers"});
    if (!tiers.is_object()) continue;
    for (const auto& [tier, t] : tiers.items()) {
      table.rows.push_back({html_escaped(name), html_escaped(tier), number(t, "hit_rate", Unit::kShare),
                            number(t, "bytes_loaded", Unit::kBytes), number(t, "bytes_stored", Unit::kBytes)});
    }
  }
  return table.rows.empty() ? std::string() : table.html();
}

}  // namespace

std::string headline_section(const RunResult& result) {
  const Json& s = result.summary();
  std::string cards;
  for (const auto& [title, key] : {std::pair{"Throughput", "throughput"},
                                   {"Service level", "slo"},
                                   {"Energy", "energy"},
                                   {"Cost", "cost"},
                                   {"Counts", "counts"}}) {
    cards += facts(title, value_at(s, {key}));
  }
  return latency_table(result) + agents_table(value_at(s, {"agents"})) + pools_table(value_at(s, {"pools"})) +
         tiers_table(value_at(s, {"pools"})) + "<div class=\"cards\">\n" + cards + "</div>\n";
}

}  // namespace tokenyard::analysis
