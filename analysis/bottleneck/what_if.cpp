#include "analysis/bottleneck/what_if.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <tbb/parallel_for.h>

#include "analysis/run/recording.hpp"
#include "sim/random/portable_math.hpp"
#include "sim/statistics/student_t.hpp"

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

Elasticity elasticity(const std::vector<Figures>& base, const std::vector<Figures>& better, std::size_t figure,
                      double factor) {
  std::vector<double> samples;
  for (std::size_t r = 0; r < base.size(); ++r) {
    const double ratio = base[r][figure] / better[r][figure];
    if (!(ratio > 0) || !std::isfinite(ratio)) return {};
    samples.push_back(sim::portable_log(ratio) / sim::portable_log(factor));
  }
  const auto n = static_cast<double>(samples.size());
  double mean = 0, square = 0;
  for (const double s : samples) mean += s / n;
  for (const double s : samples) square += (s - mean) * (s - mean);
  const double error = samples.size() > 1 ? std::sqrt(square / (n - 1) / n) : 0;
  return {mean, samples.size() > 1 ? sim::student_t_975(static_cast<int>(samples.size()) - 1) * error : 0};
}

/// By how many percent the 95th-percentile task gets faster.
double gain(const Effect& effect, double factor) {
  return (1 - std::pow(factor, -effect.elasticity[static_cast<std::size_t>(Figure::kTaskP95)].mean.value_or(0))) * 100;
}

std::string verdict_of(const std::vector<Effect>& effects, double factor) {
  constexpr double kNoticeable = 0.01;  // elasticity: 10 % more of it makes it 0.1 % better
  std::vector<const Effect*> resources, work;
  for (const Effect& effect : effects) {
    if (effect.score >= kNoticeable)
      (effect.improvement.lever == Lever::kResource ? resources : work).push_back(&effect);
  }
  const double percent = (factor - 1) * 100;
  std::string text;
  if (resources.empty()) {
    text = fmt::format("No resource is a bottleneck: {:.0f} % more of any one changes task time by less than 0.1 %",
                       percent);
  } else {
    text = fmt::format("The bottleneck is the {}: {:.0f} % more of it makes the 95th-percentile task {:.1f} % faster",
                       resources[0]->improvement.title, percent, gain(*resources[0], factor));
    if (resources.size() > 1)
      text +=
          fmt::format("; next comes the {} ({:.1f} %)", resources[1]->improvement.title, gain(*resources[1], factor));
  }
  if (!work.empty())
    text += fmt::format(". As much more {} would give {:.1f} %", work[0]->improvement.title, gain(*work[0], factor));
  return text + ".";
}

}  // namespace

WhatIf what_if(const Scenario& scenario, const WhatIfOptions& options) {
  const std::vector<Improvement> improvements = improvements_of(scenario);
  const auto repetitions = static_cast<std::size_t>(options.repetitions);
  const std::size_t runs = (1 + improvements.size()) * repetitions;
  std::vector<Json> summaries(runs);
  std::vector<double> factors(improvements.size(), 1);
  std::vector<Scenario> variants(1 + improvements.size(), scenario);
  for (std::size_t i = 0; i < improvements.size(); ++i)
    factors[i] = improvements[i].apply(variants[i + 1], options.factor);

  std::mutex mutex;
  std::size_t done = 0;
  tbb::parallel_for(std::size_t{0}, runs, [&](std::size_t run) {
    Scenario variant = variants[run / repetitions];
    variant.seed = scenario.seed + run % repetitions;
    Json summary = simulate_workload(variant, {});
    summary.erase("curves");
    const std::lock_guard lock(mutex);
    summaries[run] = std::move(summary);
    if (options.progress) options.progress(++done, runs);
  });

  const auto figures = [&](std::size_t variant) {
    std::vector<Figures> of;
    for (std::size_t r = 0; r < repetitions; ++r) of.push_back(figures_of(summaries[variant * repetitions + r]));
    return of;
  };
  WhatIf study;
  const std::vector<Figures> base = figures(0);
  for (std::size_t i = 0; i < improvements.size(); ++i) {
    Effect effect{improvements[i], factors[i], {}, 0};
    const std::vector<Figures> better = figures(i + 1);
    for (std::size_t f = 0; f < kFigureNames.size(); ++f)
      effect.elasticity[f] = elasticity(base, better, f, factors[i]);
    const auto of = [&](Figure f) { return effect.elasticity[static_cast<std::size_t>(f)].mean.value_or(0); };
    effect.score = (of(Figure::kTaskP50) + of(Figure::kTaskP95)) / 2;
    study.effects.push_back(std::move(effect));
  }
  std::stable_sort(study.effects.begin(), study.effects.end(),
                   [](const Effect& a, const Effect& b) { return a.score > b.score; });
  study.verdict = verdict_of(study.effects, options.factor);
  for (std::size_t r = 0; r < repetitions; ++r) study.base.push_back(std::move(summaries[r]));
  return study;
}

Json to_json(const WhatIf& study, double factor) {
  Json effects = Json::array();
  for (const Effect& effect : study.effects) {
    Json json = {{"resource", effect.improvement.kind},
                 {"of", effect.improvement.of},
                 {"title", effect.improvement.title},
                 {"lever", effect.improvement.lever == Lever::kResource ? "resource" : "work"},
                 {"factor", effect.factor},
                 {"score", effect.score}};
    for (std::size_t f = 0; f < kFigureNames.size(); ++f) {
      const Elasticity& e = effect.elasticity[f];
      json["elasticity"][std::string(kFigureNames[f])] =
          e.mean ? Json{{"mean", *e.mean}, {"half_width", e.half_width}} : Json(nullptr);
    }
    effects.push_back(std::move(json));
  }
  return {{"schema", "tokenyard.bottleneck/1"}, {"verdict", study.verdict},      {"factor", factor},
          {"repetitions", study.base.size()},   {"effects", std::move(effects)}, {"base", study.base}};
}

}  // namespace tokenyard::analysis
