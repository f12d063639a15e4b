#include "analysis/compare/compare.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {

using sim::Json;

namespace {

Json run_json(const std::vector<RunFigure>& figures) {
  Json json = Json::object();
  for (const RunFigure& figure : figures) {
    Json& of = figure.part.empty() ? json : json[figure.part][figure.of];
    of[figure.key] = {{"base", figure.base}, {"other", figure.other}};
  }
  return json;
}

Json levels_json(const std::vector<LevelDifference>& levels) {
  Json json = Json::array();
  for (const LevelDifference& level : levels) {
    json.push_back({{"agent", level.agent.empty() ? Json(nullptr) : Json(level.agent)},
                    {"key", level.key},
                    {"base", sim::or_null(level.base)},
                    {"other", sim::or_null(level.other)}});
  }
  return json;
}

Json table_json(const PairedTable& table) {
  Json figures = Json::object();
  for (const PairedFigure& figure : table.figures) {
    const sim::MeanInterval& d = figure.difference;
    figures[figure.name] = {{"pairs", d.count},
                            {"base", figure.base_mean},
                            {"other", figure.other_mean},
                            {"difference", d.mean},
                            {"low_95", d.half_width ? Json(d.mean - *d.half_width) : Json(nullptr)},
                            {"high_95", d.half_width ? Json(d.mean + *d.half_width) : Json(nullptr)},
                            {"relative", figure.base_mean != 0 ? Json(d.mean / figure.base_mean) : Json(nullptr)},
                            {"base_p95", figure.base_p95},
                            {"other_p95", figure.other_p95}};
  }
  return {{"pairs", table.pairs},
          {"only_base", table.only_base},
          {"only_other", table.only_other},
          {"other_arrival", table.moved},
          {"figures", figures}};
}

}  // namespace

Json to_json(const Comparison& comparison) {
  Json others = Json::array();
  for (const Comparison::Other& other : comparison.others) {
    others.push_back({{"folder", other.folder},
                      {"partial", other.partial},
                      {"run", run_json(other.run)},
                      {"level_differences", levels_json(other.levels)},
                      {"tasks", table_json(other.tasks)},
                      {"calls", table_json(other.calls)}});
  }
  return {{"schema", "tokenyard.comparison/1"},
          {"base", comparison.base},
          {"base_partial", comparison.base_partial},
          {"others", others}};
}

}  // namespace tokenyard::analysis
