#pragma once
/// What fixing it buys: the scenario run again with one resource at a time improved, on the same work.
///
/// Runs are paired: the base and every improvement see the same draws, seed by seed (common random numbers), so a small
/// effect shows in a few repetitions. The *elasticity* of a figure is -d ln(figure) / d ln(resource) for what should
/// shrink (times, joules, cost) and its opposite for what should grow (goodput): 0.5 means that 10 % more of the
/// resource makes it about 5 % better. Its interval is Student's t over the repetitions, at 95 %.
///
/// Beside them stand where the time of the base's tasks goes (time_account.hpp), and the base with prefix caches that
/// lose nothing: what could be reused, and what that would buy.
///
/// Runs go side by side in threads, on the analytic network; the result does not depend on how many. Cost: (2 +
/// improvements) x repetitions simulations.
///
///   WhatIf study = what_if(scenario, {.factor = 1.1, .repetitions = 3});
///   study.effects.front().improvement.title;   // what helps most

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/bottleneck/improvement.hpp"
#include "analysis/bottleneck/time_account.hpp"

namespace tokenyard::analysis {

struct WhatIfOptions {
  double factor = 1.1;
  int repetitions = 3;
  /// Called from one thread at a time, after each finished simulation.
  std::function<void(std::size_t done, std::size_t all)> progress;
};

/// An elasticity with the half-width of its interval; nothing where the figure does not exist.
struct Elasticity {
  std::optional<double> mean;
  double half_width = 0;
};

/// The figures that are watched, in this order.
enum class Figure { kTaskP50, kTaskP95, kGoodput, kEnergy, kCost };
inline constexpr std::array<std::string_view, 5> kFigureNames = {"task_p50", "task_p95", "goodput", "energy", "cost"};

struct Effect {
  Improvement improvement;
  double factor = 1;  ///< reached
  std::array<Elasticity, kFigureNames.size()> elasticity;
  /// The mean; 0 where there is none.
  double of(Figure figure) const { return elasticity[static_cast<std::size_t>(figure)].mean.value_or(0); }
  double score = 0;  ///< mean elasticity of the median and the 95th percentile of task time: the ranking
};

/// Prompt tokens of a pool found in its prefix caches, as shares of all.
struct PrefixReuse {
  std::string pool;
  std::optional<double> got, possible;  ///< possible: every replica finds what any has computed, for ever
};

/// How much faster tasks are, as ln(time before / time after).
struct Speedup {
  Elasticity p50, p95;
};

struct WhatIf {
  std::vector<Effect> effects;  ///< best first
  TimeAccount time;             ///< of the base, all repetitions
  std::vector<PrefixReuse> prefix;
  Speedup unlimited_prefix;     ///< if all that is possible were found
  std::vector<sim::Json> base;  ///< summaries, by repetition
  std::string verdict;          ///< in words: what holds the tasks back, and what else the slowest suffer from
};

/// The scenario's own workload is played; of a trace, which is the same with every seed, resources alone can be more.
/// Throws what simulate() throws.
WhatIf what_if(const Scenario& scenario, const WhatIfOptions& options);

sim::Json to_json(const WhatIf& study, double factor);

/// "the median task 0.4 % and the 95th-percentile task 7.6 % faster", of ln(time before / time after); what does not
/// get faster, in words: "the median task 0.4 % faster, not the 95th-percentile task".
std::string faster_text(double p50, double p95);

}  // namespace tokenyard::analysis
