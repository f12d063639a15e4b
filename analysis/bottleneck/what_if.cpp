#include "analysis/bottleneck/what_if.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <tbb/parallel_for.h>

#include "analysis/report/human_number.hpp"
#include "analysis/run/recording.hpp"
#include "sim/input/or_null.hpp"
#include "sim/random/portable_math.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// The figures of one run; NaN where one does not exist. Those that should grow are inverted: less is better in all.
using Figures = std::array<double, kFigureNames.size()>;

double number(const Json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

Figures figures_of(const Json& summary) {
  const Json& task = summary["latency"]["task_s"];
  const double tasks = number(summary["throughput"]["tasks_per_s"]);
  return {number(task["p50"]), number(task["p95"]), 1 / number(summary["slo"]["goodput_tasks_per_s"]),
          number(summary["energy"]["watts_mean"]) / tasks, number(summary["cost"]["usd_per_completed_task"])};
}

/// ln(before / after) over `per`.
Elasticity elasticity(const std::vector<Figures>& base, const std::vector<Figures>& better, Figure figure, double per) {
  std::vector<double> samples;
  for (std::size_t r = 0; r < base.size(); ++r) {
    const double ratio = base[r][static_cast<std::size_t>(figure)] / better[r][static_cast<std::size_t>(figure)];
    if (!(ratio > 0) || !std::isfinite(ratio)) return {};
    samples.push_back(sim::portable_log(ratio) / per);
  }
  const sim::MeanInterval interval = sim::mean_interval(samples);
  return {interval.mean, interval.half_width.value_or(0)};
}

/// What would be noticed: 10 % more of it makes tasks 0.1 % faster, and not by chance.
bool noticeable(const Effect& effect) {
  constexpr double kElasticity = 0.01;
  const auto sure = [&](Figure f) {
    const Elasticity& e = effect.elasticity[static_cast<std::size_t>(f)];
    return e.mean && *e.mean > e.half_width;
  };
  return effect.score >= kElasticity && (sure(Figure::kTaskP50) || sure(Figure::kTaskP95));
}

std::string ranking_sentences(const std::vector<Effect>& effects, double factor) {
  std::array<std::vector<const Effect*>, 3> by_lever;
  for (const Effect& effect : effects) {
    if (noticeable(effect)) by_lever[static_cast<std::size_t>(effect.improvement.lever)].push_back(&effect);
  }
  const auto& [resources, work, settings] = by_lever;
  const auto gain = [&](const Effect& effect) {
    const double log = sim::portable_log(factor);
    return faster_text(effect.of(Figure::kTaskP50) * log, effect.of(Figure::kTaskP95) * log);
  };
  const double percent = (factor - 1) * 100;
  std::string text;
  if (resources.empty()) {
    text = fmt::format(
        "No resource is a bottleneck: {:.0f} % more of any one changes task time by less than 0.1 %, "
        "or by less than chance does.",
        percent);
  } else {
    text = fmt::format("The bottleneck is the {}: {:.0f} % more of it makes {}.", resources[0]->improvement.title,
                       percent, gain(*resources[0]));
    if (resources.size() > 1)
      text += fmt::format(" Next: the {}, {}.", resources[1]->improvement.title, gain(*resources[1]));
  }
  if (!settings.empty())
    text += fmt::format(" At no cost: a higher {}, {}.", settings[0]->improvement.title, gain(*settings[0]));
  if (!work.empty()) text += fmt::format(" Beside resources: the {}, {}.", work[0]->improvement.title, gain(*work[0]));
  return text;
}

/// "64 % decode at the median, 96 % of what the slowest take longer is human"; empty if the slowest take longer for the
/// reason for which all take long.
std::string tail_of(const TaskBands& tasks) {
  const TaskBand median = tasks.band(kTaskBands[0].from, kTaskBands[0].to);
  const TaskBand slowest = tasks.band(kTaskBands[1].from, kTaskBands[1].to);
  std::array<double, platforms::kCauses> more{};
  for (std::size_t c = 0; c < more.size(); ++c) more[c] = slowest.causes_s[c] - median.causes_s[c];
  const auto most = [](const auto& of) {
    return static_cast<std::size_t>(std::max_element(of.begin(), of.end()) - of.begin());
  };
  const std::size_t usual = most(median.causes_s), extra = most(more);
  const double longer = slowest.task_s() - median.task_s();
  if (usual == extra || !(longer > 0) || !(more[extra] > 0)) return {};
  return fmt::format("{:.0f} % {} at the median, {:.0f} % of what the slowest take longer is {}",
                     median.causes_s[usual] / median.task_s() * 100, words_of(platforms::kCauseNames[usual]),
                     std::min(1.0, more[extra] / longer) * 100, words_of(platforms::kCauseNames[extra]));
}

/// Of each agent: all together, the slowest tasks are mostly those of the slowest agent.
std::string tail_sentence(const TimeAccount& time) {
  std::vector<std::string> tails;
  for (const auto& [name, agent] : time.agents()) {
    const std::string tail = tail_of(agent.tasks);
    if (!tail.empty()) tails.push_back(time.agents().size() > 1 ? name + ": " + tail : tail);
  }
  if (tails.empty()) return {};
  return fmt::format(" The slowest tasks have another cause than the median one ({}).", fmt::join(tails, "; "));
}

/// Empty where nothing is lost that would be missed.
std::string prefix_sentence(const WhatIf& study) {
  constexpr double kNoticeable = 0.005;
  const Elasticity &p50 = study.unlimited_prefix.p50, &p95 = study.unlimited_prefix.p95;
  const auto sure = [&](const Elasticity& e) { return e.mean && *e.mean > std::max(kNoticeable, e.half_width); };
  if (!sure(p50) && !sure(p95)) return {};
  return fmt::format(" With prefix caches that lose nothing: {}.",
                     faster_text(p50.mean.value_or(0), p95.mean.value_or(0)));
}

/// The scenario with every prefix found that any replica of the pool has computed; nothing if no pool has prompts.
std::optional<Scenario> with_unlimited_prefix_caches(const Scenario& scenario) {
  std::optional<Scenario> better;
  for (std::size_t p = 0; p < scenario.pools.size(); ++p) {
    if (!scenario.pools[p].takes_calls()) continue;
    if (!better) better = scenario;
    better->pools[p].more_reuse = 1;
  }
  return better;
}

std::optional<double> mean_hits(std::span<const Json> summaries, const std::string& pool) {
  std::vector<double> hits;
  for (const Json& summary : summaries) {
    if (const Json& rate = summary["pools"][pool]["prefix_hit_rate"]; rate.is_number()) hits.push_back(rate);
  }
  const sim::MeanInterval interval = sim::mean_interval(hits);
  return interval.count > 0 ? std::optional(interval.mean) : std::nullopt;
}

}  // namespace

std::string faster_text(double p50, double p95) {
  constexpr double kShown = 0.0005;  // as "0.1 %"
  struct Gain {
    const char* task;
    double share;
  };
  std::array<Gain, 2> gains = {
      {{"the median task", 1 - sim::portable_exp(-p50)}, {"the 95th-percentile task", 1 - sim::portable_exp(-p95)}}};
  const auto text = [](const Gain& gain) { return fmt::format("{} {:.1f} %", gain.task, gain.share * 100); };
  if (gains[0].share < kShown) std::swap(gains[0], gains[1]);
  if (gains[1].share < kShown) return fmt::format("{} faster, not {}", text(gains[0]), gains[1].task);
  return fmt::format("{} and {} faster", text(gains[0]), text(gains[1]));
}

WhatIf what_if(const Scenario& scenario, const WhatIfOptions& options) {
  const std::vector<Improvement> improvements = improvements_of(scenario);
  const auto repetitions = static_cast<std::size_t>(options.repetitions);
  std::vector<double> factors(improvements.size(), 1);
  std::vector<Scenario> variants(1 + improvements.size(), scenario);
  for (std::size_t i = 0; i < improvements.size(); ++i)
    factors[i] = improvements[i].apply(variants[i + 1], options.factor);
  const std::size_t unlimited = variants.size();
  if (auto better = with_unlimited_prefix_caches(scenario)) variants.push_back(std::move(*better));

  const std::size_t runs = variants.size() * repetitions;
  std::vector<Json> summaries(runs);
  std::vector<TimeAccount> accounts(repetitions);
  std::mutex mutex;
  std::size_t done = 0;
  tbb::parallel_for(std::size_t{0}, runs, [&](std::size_t run) {
    Scenario variant = variants[run / repetitions];
    variant.seed = scenario.seed + run % repetitions;
    SimulateOptions simulate;
    if (run < repetitions) simulate.watch = accounts[run].watcher(sim::Time::seconds(scenario.run.warmup_s));
    Json summary = simulate_workload(variant, simulate);
    summary.erase("curves");
    const std::lock_guard lock(mutex);
    summaries[run] = std::move(summary);
    if (options.progress) options.progress(++done, runs);
  });

  const auto of_variant = [&](std::size_t variant) {
    return std::span(summaries).subspan(variant * repetitions, repetitions);
  };
  const auto figures = [&](std::size_t variant) {
    std::vector<Figures> of;
    for (const Json& summary : of_variant(variant)) of.push_back(figures_of(summary));
    return of;
  };
  WhatIf study;
  for (const TimeAccount& account : accounts) study.time.merge(account);
  const std::vector<Figures> base = figures(0);
  for (std::size_t i = 0; i < improvements.size(); ++i) {
    Effect effect{improvements[i], factors[i], {}, 0};
    const std::vector<Figures> better = figures(i + 1);
    for (std::size_t f = 0; f < kFigureNames.size(); ++f)
      effect.elasticity[f] = elasticity(base, better, static_cast<Figure>(f), sim::portable_log(factors[i]));
    effect.score = (effect.of(Figure::kTaskP50) + effect.of(Figure::kTaskP95)) / 2;
    study.effects.push_back(std::move(effect));
  }
  std::stable_sort(study.effects.begin(), study.effects.end(),
                   [](const Effect& a, const Effect& b) { return a.score > b.score; });
  if (unlimited < variants.size()) {
    const std::vector<Figures> better = figures(unlimited);
    study.unlimited_prefix = {elasticity(base, better, Figure::kTaskP50, 1),
                              elasticity(base, better, Figure::kTaskP95, 1)};
    for (const PoolPlan& pool : scenario.pools) {
      if (pool.takes_calls())
        study.prefix.push_back(
            {pool.name, mean_hits(of_variant(0), pool.name), mean_hits(of_variant(unlimited), pool.name)});
    }
  }
  study.verdict = ranking_sentences(study.effects, options.factor) + tail_sentence(study.time) + prefix_sentence(study);
  study.base.assign(summaries.begin(), summaries.begin() + options.repetitions);
  return study;
}

namespace {

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
  return e.mean ? Json{{"mean", *e.mean}, {"half_width", e.half_width}} : Json(nullptr);
}

}  // namespace

Json to_json(const WhatIf& study, double factor) {
  Json effects = Json::array();
  for (const Effect& effect : study.effects) {
    Json json = {{"resource", effect.improvement.kind},
                 {"of", effect.improvement.of},
                 {"title", effect.improvement.title},
                 {"lever", name_of(effect.improvement.lever)},
                 {"factor", effect.factor},
                 {"score", effect.score}};
    for (std::size_t f = 0; f < kFigureNames.size(); ++f)
      json["elasticity"][std::string(kFigureNames[f])] = json_of(effect.elasticity[f]);
    effects.push_back(std::move(json));
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
          {"factor", factor},
          {"repetitions", study.base.size()},
          {"effects", std::move(effects)},
          {"unlimited_prefix_log_speedup",
           {{"task_p50", json_of(study.unlimited_prefix.p50)}, {"task_p95", json_of(study.unlimited_prefix.p95)}}},
          {"time", std::move(time)},
          {"base", std::move(base)}};
}

}  // namespace tokenyard::analysis
