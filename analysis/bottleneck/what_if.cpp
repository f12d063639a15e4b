#include "analysis/bottleneck/what_if.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
#include <span>
#include <tbb/parallel_for.h>

#include "analysis/page/human_number.hpp"
#include "analysis/run/recording.hpp"
#include "sim/input/json.hpp"
#include "sim/random/portable_math.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// From here on a difference would be noticed: 10 % more of something brings 0.1 %, or another choice 0.5 %.
constexpr double kNoticeableElasticity = 0.01, kNoticeableGain = 0.005;

/// Whether any task ended that arrived after the warm-up: what tasks take is taken from those.
bool measured(const WhatIf& study) {
  return std::any_of(study.base.begin(), study.base.end(),
                     [](const Json& summary) { return summary["latency"]["task_s"]["p50"].is_number(); });
}

std::string nothing_measured(const Scenario& scenario) {
  return fmt::format(
      "Nothing was measured: no task that arrived after the warm-up of {} completed, so nothing can be said about what "
      "holds them back. {}",
      duration_text(scenario.run.warmup_s),
      scenario.workload.trace ? "--set /run/warmup_s=0 measures a trace from its start; replay says what was rejected."
                              : "Simulate longer or with less warm-up (--set /run/duration_s=…, /run/warmup_s=…); run "
                                "says what was rejected or failed.");
}

std::string ranking_sentences(const WhatIf& study) {
  std::array<std::vector<const Effect*>, 3> by_lever;
  for (const Effect& effect : study.effects) {
    if (effect.elasticity.noticeable(study.goal, kNoticeableElasticity))
      by_lever[static_cast<std::size_t>(effect.improvement.lever)].push_back(&effect);
  }
  const auto& [resources, work, settings] = by_lever;
  const auto gain = [&](const Effect& effect) {
    return gain_text(study.goal, effect.elasticity, sim::portable_log(study.factor));
  };
  const double percent = (study.factor - 1) * 100;
  std::string text;
  if (resources.empty()) {
    text = fmt::format("No resource is a bottleneck: {:.0f} % more of any one improves {} by less than 0.1 {}{}.",
                       percent, subject_of(study.goal), study.goal == Goal::kAttainment ? "points" : "%",
                       study.of_one_run() ? "" : ", or by less than chance does");
  } else {
    text = fmt::format("The bottleneck is the {}: {:.0f} % more of it makes {}.", resources[0]->improvement.title,
                       percent, gain(*resources[0]));
    if (resources.size() > 1)
      text += fmt::format(" Next: the {}, {}.", resources[1]->improvement.title, gain(*resources[1]));
  }
  if (!settings.empty())
    text += fmt::format(" At no cost: a higher {}, {}.", settings[0]->improvement.title, gain(*settings[0]));
  if (!study.alternatives.empty()) {
    const auto& [choice, gains] = study.alternatives[0];
    if (gains.noticeable(study.goal, kNoticeableGain))
      text += fmt::format(" At no cost: {}, {}.", choice.title, gain_text(study.goal, gains, 1));
  }
  if (!work.empty()) text += fmt::format(" Beside resources: the {}, {}.", work[0]->improvement.title, gain(*work[0]));
  return text;
}

/// What helps most against a service level that is missed, of what can be bought or set; empty if it is met.
std::string level_sentence(const WhatIf& study, const Slo& slo) {
  // Of all work, and of each agent that is judged by itself.
  std::vector<std::pair<std::string, std::vector<double>>> judged(1 + slo.agents.size());
  for (std::size_t a = 0; a < slo.agents.size(); ++a) judged[a + 1].first = " of " + slo.agents[a].name;
  for (const Json& summary : study.base) {
    for (std::size_t a = 0; a < judged.size(); ++a) {
      const Json& attainment =
          a == 0 ? summary["slo"]["attainment"] : summary["agents"][slo.agents[a - 1].name]["attainment"];
      if (attainment.is_number()) judged[a].second.push_back(attainment.get<double>());
    }
  }
  double least = 1;
  std::string whose;
  for (const auto& [of, attained] : judged) {
    if (attained.empty() || sim::mean_interval(attained).mean >= least) continue;
    least = sim::mean_interval(attained).mean;
    whose = of;
  }
  if (least >= slo.attainment) return {};
  std::string text = fmt::format(" The service level is missed: {} of the work{} is within it, {} is asked for",
                                 human_number(least, Unit::kShare), whose, human_number(slo.attainment, Unit::kShare));
  if (study.goal == Goal::kAttainment) return text + ".";
  const Effect* best = nullptr;
  for (const Effect& effect : study.effects) {
    if (effect.improvement.lever != Lever::kWork &&
        (best == nullptr || effect.elasticity.score(Goal::kAttainment) > best->elasticity.score(Goal::kAttainment)))
      best = &effect;
  }
  if (best == nullptr || !best->elasticity.noticeable(Goal::kAttainment, kNoticeableElasticity))
    return text + "; more of nothing by itself brings much.";
  return text + fmt::format("; {:.0f} % more of the {} makes {}.", (study.factor - 1) * 100, best->improvement.title,
                            gain_text(Goal::kAttainment, best->elasticity, sim::portable_log(study.factor)));
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
  if (!study.unlimited_prefix.noticeable(study.goal, kNoticeableGain)) return {};
  return fmt::format(" With prefix caches that lose nothing: {}.", gain_text(study.goal, study.unlimited_prefix, 1));
}

/// Empty where intervals tell effects from chance.
std::string one_run_sentence(const WhatIf& study, const Scenario& scenario) {
  if (!study.of_one_run()) return {};
  return fmt::format(" Every effect rests on one run and was not told from chance: {}.",
                     scenario.workload.trace ? "a trace is the same with every seed" : "--repetitions 3 would tell");
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

bool WhatIf::of_one_run() const { return base.size() == 1; }

WhatIf what_if(const Scenario& scenario, const WhatIfOptions& options) {
  const auto repetitions = scenario.workload.trace ? 1 : static_cast<std::size_t>(options.repetitions);
  WhatIf study{.factor = options.factor, .goal = options.goal};
  std::vector<Scenario> variants = {scenario};  // the base, improvements, choices, prefix caches that lose nothing
  for (Improvement& improvement : improvements_of(scenario)) {
    const double reached = improvement.apply(variants.emplace_back(scenario), options.factor);
    study.effects.push_back({std::move(improvement), reached, {}});
  }
  for (Choice& choice : choices_of(scenario)) {
    choice.apply(variants.emplace_back(scenario));
    study.alternatives.push_back({std::move(choice), {}});
  }
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
  for (const TimeAccount& account : accounts) study.time.merge(account);
  const std::vector<Figures> base = figures(0);
  std::size_t variant = 1;
  for (Effect& effect : study.effects)
    effect.elasticity = gains(base, figures(variant++), sim::portable_log(effect.factor));
  for (Alternative& alternative : study.alternatives) alternative.gain = gains(base, figures(variant++), 1);
  std::stable_sort(study.effects.begin(), study.effects.end(), [&](const Effect& a, const Effect& b) {
    return a.elasticity.score(study.goal) > b.elasticity.score(study.goal);
  });
  std::stable_sort(
      study.alternatives.begin(), study.alternatives.end(),
      [&](const Alternative& a, const Alternative& b) { return a.gain.score(study.goal) > b.gain.score(study.goal); });
  if (unlimited < variants.size()) {
    study.unlimited_prefix = gains(base, figures(unlimited), 1);
    for (const PoolPlan& pool : scenario.pools) {
      if (!pool.takes_calls()) continue;
      const std::optional<double> got = mean_hits(of_variant(0), pool.name);
      study.prefix.push_back({pool.name, got, std::max(got, mean_hits(of_variant(unlimited), pool.name))});
    }
  }
  study.base.assign(summaries.begin(), summaries.begin() + static_cast<std::ptrdiff_t>(repetitions));
  if (!measured(study)) {
    study.verdict = nothing_measured(scenario);
    return study;
  }
  study.verdict = ranking_sentences(study) + level_sentence(study, scenario.slo) + tail_sentence(study.time) +
                  prefix_sentence(study) + one_run_sentence(study, scenario);
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
