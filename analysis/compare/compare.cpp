#include "analysis/compare/compare.hpp"

#include <nlohmann/json.hpp>

#include "analysis/compare/level_differences.hpp"
#include "analysis/compare/pairing.hpp"
#include "analysis/result/run_result.hpp"
#include "analysis/result/value_at.hpp"

namespace tokenyard::analysis {

using sim::Json;

namespace {

/// Empty where a run did not get to write one.
sim::JsonFile summary_of(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "summary.json";
  if (!std::filesystem::exists(file)) return sim::JsonFile::from(Json::object(), file.string());
  sim::Faults faults;
  sim::JsonFile summary = load_summary(folder, faults);
  faults.throw_if_any();
  return summary;
}

std::vector<RunFigure> run_figures(const Json& base, const Json& other) {
  std::vector<RunFigure> figures;
  const auto add = [&](const std::string& name, const char* part, const char* key) {
    const auto of = [&](const Json& summary) {
      return name.empty() ? number_at(summary, {part, key}) : number_at(summary, {part, name, key});
    };
    if (const auto a = of(base), b = of(other); a && b)
      figures.push_back({name.empty() ? "" : part, name, key, *a, *b});
  };
  for (const auto& [part, key] : {std::pair{"slo", "attainment"},
                                  {"slo", "goodput_tasks_per_s"},
                                  {"throughput", "tasks_per_s"},
                                  {"throughput", "calls_per_s"},
                                  {"throughput", "output_tokens_per_s"},
                                  {"energy", "watts_mean"},
                                  {"energy", "joules_per_output_token"},
                                  {"cost", "usd_per_completed_task"}})
    add("", part, key);
  const Json& agents = value_at(base, {"agents"});
  if (agents.size() > 1) {  // a single one's is that of the run
    for (const auto& [agent, values] : agents.items()) add(agent, "agents", "attainment");
  }
  for (const auto& [pool, values] : value_at(base, {"pools"}).items()) {
    for (const char* key : {"chips", "busy", "kv_utilization", "prefix_hit_rate"}) add(pool, "pools", key);
  }
  return figures;
}

}  // namespace

Comparison compare(const std::vector<std::filesystem::path>& folders) {
  Comparison comparison;
  comparison.base = folders.at(0).string();
  const auto partial = [](const sim::JsonFile& s) { return text_at(s.value(), {"status"}) == "partial"; };
  const ResultTable tasks = read_tasks(folders[0]), calls = read_calls(folders[0]);
  const sim::JsonFile summary = summary_of(folders[0]);
  const std::optional<Slo> level = level_of(folders[0]);
  comparison.base_partial = partial(summary);
  for (std::size_t i = 1; i < folders.size(); ++i) {
    const sim::JsonFile other = summary_of(folders[i]);
    comparison.others.push_back({folders[i].string(), partial(other), run_figures(summary.value(), other.value()),
                                 level_differences(level, level_of(folders[i])), pair(tasks, read_tasks(folders[i])),
                                 pair(calls, read_calls(folders[i]))});
  }
  return comparison;
}

}  // namespace tokenyard::analysis
