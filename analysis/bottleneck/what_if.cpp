#include "analysis/bottleneck/what_if.hpp"

#include <algorithm>
#include <mutex>
#include <span>
#include <tbb/parallel_for.h>

#include "analysis/bottleneck/verdict.hpp"
#include "analysis/run/recording.hpp"
#include "sim/input/json.hpp"
#include "sim/random/portable_math.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

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

/// What the study compares with the scenario itself, in the order of the runs: improvements, other choices, and prefix
/// caches that lose nothing if a pool has prompts. Lists the first two in `study`.
std::vector<Scenario> variants_of(const Scenario& scenario, WhatIf& study) {
  std::vector<Scenario> variants;
  for (Improvement& improvement : improvements_of(scenario)) {
    const double reached = improvement.apply(variants.emplace_back(scenario), study.factor);
    study.effects.push_back({std::move(improvement), reached, {}});
  }
  for (Choice& choice : choices_of(scenario)) {
    choice.apply(variants.emplace_back(scenario));
    study.alternatives.push_back({std::move(choice), {}});
  }
  if (auto better = with_unlimited_prefix_caches(scenario)) variants.push_back(std::move(*better));
  return variants;
}

/// A scenario and its variants, each simulated with the same seeds.
class PairedRuns {
 public:
  PairedRuns(const Scenario& scenario, const std::vector<Scenario>& variants, std::size_t repetitions,
             const WhatIfOptions& options)
      : repetitions_(repetitions), summaries_((1 + variants.size()) * repetitions), accounts_(repetitions) {
    std::mutex mutex;
    std::size_t done = 0;
    tbb::parallel_for(std::size_t{0}, summaries_.size(), [&](std::size_t run) {
      Scenario played = run < repetitions ? scenario : variants[run / repetitions - 1];
      played.seed = scenario.seed + run % repetitions;
      SimulateOptions simulate;
      if (run < repetitions) simulate.watch = accounts_[run].watcher(sim::Time::seconds(scenario.run.warmup_s));
      Json summary = simulate_workload(played, simulate);
      summary.erase("curves");
      const std::lock_guard lock(mutex);
      summaries_[run] = std::move(summary);
      if (options.progress) options.progress(++done, summaries_.size());
    });
  }

  /// Summaries, by repetition: of the scenario itself, and of a variant.
  std::span<const Json> base() const { return std::span(summaries_).first(repetitions_); }
  std::span<const Json> of(std::size_t variant) const {
    return std::span(summaries_).subspan((1 + variant) * repetitions_, repetitions_);
  }
  /// What a variant brings, over `per`.
  Gains gains(std::size_t variant, double per) const {
    return paired_gains(figures(base()), figures(of(variant)), per);
  }
  /// Of the scenario itself.
  TimeAccount time() const {
    TimeAccount all;
    for (const TimeAccount& account : accounts_) all.merge(account);
    return all;
  }

 private:
  static std::vector<Figures> figures(std::span<const Json> summaries) {
    std::vector<Figures> figures;
    for (const Json& summary : summaries) figures.push_back(figures_of(summary));
    return figures;
  }

  std::size_t repetitions_;
  std::vector<Json> summaries_;
  std::vector<TimeAccount> accounts_;
};

/// Best first.
void rank(WhatIf& study) {
  std::stable_sort(study.effects.begin(), study.effects.end(), [&](const Effect& a, const Effect& b) {
    return a.elasticity.score(study.goal) > b.elasticity.score(study.goal);
  });
  std::stable_sort(
      study.alternatives.begin(), study.alternatives.end(),
      [&](const Alternative& a, const Alternative& b) { return a.gain.score(study.goal) > b.gain.score(study.goal); });
}

}  // namespace

bool WhatIf::of_one_run() const { return base.size() == 1; }

WhatIf what_if(const Scenario& scenario, const WhatIfOptions& options) {
  WhatIf study{.factor = options.factor, .goal = options.goal};
  const std::vector<Scenario> variants = variants_of(scenario, study);
  const PairedRuns runs(scenario, variants, scenario.workload.trace ? 1 : static_cast<std::size_t>(options.repetitions),
                        options);
  study.base.assign(runs.base().begin(), runs.base().end());
  study.time = runs.time();
  std::size_t variant = 0;
  for (Effect& effect : study.effects) effect.elasticity = runs.gains(variant++, sim::portable_log(effect.factor));
  for (Alternative& alternative : study.alternatives) alternative.gain = runs.gains(variant++, 1);
  rank(study);
  if (variant < variants.size()) {  // prefix caches that lose nothing
    study.unlimited_prefix = runs.gains(variant, 1);
    for (const PoolPlan& pool : scenario.pools) {
      if (!pool.takes_calls()) continue;
      const std::optional<double> got = mean_hits(runs.base(), pool.name);
      study.prefix.push_back({pool.name, got, std::max(got, mean_hits(runs.of(variant), pool.name))});
    }
  }
  study.verdict = verdict_of(study, scenario);
  return study;
}

}  // namespace tokenyard::analysis
