#include "analysis/bottleneck/verdict.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "analysis/page/human_number.hpp"
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

}  // namespace

std::string verdict_of(const WhatIf& study, const Scenario& scenario) {
  if (!measured(study)) return nothing_measured(scenario);
  return ranking_sentences(study) + level_sentence(study, scenario.slo) + tail_sentence(study.time) +
         prefix_sentence(study) + one_run_sentence(study, scenario);
}

}  // namespace tokenyard::analysis
