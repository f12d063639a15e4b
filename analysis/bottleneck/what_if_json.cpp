#include <span>

#include "analysis/bottleneck/what_if.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// The mean of each number that all have; of what is no number, the first's.
Json mean_of(std::span<const Json> values) {
  const Json& first = values.front();
  if (first.is_object()) {
    Json mean = Json::object();
    for (const auto& [key, value] : first.items()) {
      std::vector<Json> inner;
      for (const Json& of : values) {
        if (of.contains(key)) inner.push_back(of[key]);
      }
      mean[key] = mean_of(inner);
    }
    return mean;
  }
  double sum = 0;
  for (const Json& value : values) {
    if (!value.is_number()) return first.is_number() ? Json(nullptr) : first;
    sum += value.get<double>();
  }
  return sum / static_cast<double>(values.size());
}

Json json_of(const Elasticity& e) {
  return e.mean ? Json{{"mean", *e.mean}, {"half_width", sim::or_null(e.half_width)}} : Json(nullptr);
}

Json json_of(const Gains& gains) {
  Json json = Json::object();
  for (std::size_t f = 0; f < kFigureNames.size(); ++f)
    json[std::string(kFigureNames[f])] = json_of(gains.by_figure[f]);
  return json;
}

}  // namespace

Json to_json(const WhatIf& study) {
  Json effects = Json::array(), choices = Json::array();
  for (const Effect& effect : study.effects) {
    effects.push_back({{"resource", effect.improvement.kind},
                       {"of", effect.improvement.of},
                       {"title", effect.improvement.title},
                       {"lever", name_of(effect.improvement.lever)},
                       {"factor", effect.factor},
                       {"score", effect.elasticity.score(study.goal)},
                       {"elasticity", json_of(effect.elasticity)}});
  }
  for (const Alternative& alternative : study.alternatives) {
    const Choice& choice = alternative.choice;
    choices.push_back({{"setting", choice.setting},
                       {"of", choice.of},
                       {"value", choice.value},
                       {"title", choice.title},
                       {"score", alternative.gain.score(study.goal)},
                       {"log_gain", json_of(alternative.gain)}});
  }
  Json base = mean_of(study.base);
  for (const char* of_a_run : {"schema", "seed", "status", "wall_s"}) base.erase(of_a_run);
  Json time = study.time.json(), pools = Json::object();
  for (const auto& [name, pool] : base["pools"].items()) {
    Json& of = pools[name];
    of = time["pools"].value(name, Json{{"share", 0}});  // no call of it was on a critical path
    if (pool.contains("roofline")) of["roofline"] = pool["roofline"];
  }
  for (const PrefixReuse& of : study.prefix)
    pools[of.pool]["prefix_hit_rate"] = {{"got", sim::or_null(of.got)}, {"possible", sim::or_null(of.possible)}};
  time["pools"] = std::move(pools);
  return {{"schema", "tokenyard.bottleneck/1"},
          {"verdict", study.verdict},
          {"ranked_by", kGoalNames[static_cast<std::size_t>(study.goal)]},
          {"factor", study.factor},
          {"repetitions", study.base.size()},
          {"effects", std::move(effects)},
          {"choices", std::move(choices)},
          {"unlimited_prefix_log_gain", json_of(study.unlimited_prefix)},
          {"time", std::move(time)},
          {"base", std::move(base)}};
}

}  // namespace tokenyard::analysis
