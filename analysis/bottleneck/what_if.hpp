#pragma once
/// What fixing it buys: the scenario run again with one thing at a time improved, on the same work.
///
/// Runs are paired: the base and every variant see the same draws, seed by seed (common random numbers), so a small
/// effect shows in a few repetitions. The *elasticity* of a figure is its gain (goal.hpp) over d ln(resource): 0.5 means
/// that 10 % more of the resource makes it about 5 % better. Its interval is Student's t over the repetitions, at 95 %.
/// What is one of several (a pool's router) has no percent: its gain is that of the change. A trace is the same with
/// every seed and is played once: like a single repetition, it has no interval, and the verdict says so.
///
/// Beside them stand where the time of the base's tasks goes (time_account.hpp), and the base with prefix caches that
/// lose nothing: what could be reused, and what that would buy.
///
/// Runs go side by side in threads, on the analytic network; the result does not depend on how many. Cost: (2 +
/// improvements + choices) x repetitions simulations.
///
///   WhatIf study = what_if(scenario, {.factor = 1.1, .repetitions = 3});
///   study.effects.front().improvement.title;   // what helps most

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/bottleneck/goal.hpp"
#include "analysis/bottleneck/improvement.hpp"
#include "analysis/bottleneck/time_account.hpp"

namespace tokenyard::analysis {

struct WhatIfOptions {
  double factor = 1.1;
  int repetitions = 3;
  Goal goal = Goal::kTask;  ///< what the ranking and the verdict go by
  /// Called from one thread at a time, after each finished simulation.
  std::function<void(std::size_t done, std::size_t all)> progress;
};

struct Effect {
  Improvement improvement;
  double factor = 1;  ///< reached
  Gains elasticity;
};

struct Alternative {
  Choice choice;
  Gains gain;
};

/// Prompt tokens of a pool found in its prefix caches, as shares of all.
struct PrefixReuse {
  std::string pool;
  /// Possible: every replica finds what any has computed, for ever. Of a run in which all comes sooner, so that other
  /// calls fall into the measured time, whose share may be the smaller: it is never said to be below what was got.
  std::optional<double> got, possible;
};

struct WhatIf {
  double factor = 1.1;
  Goal goal = Goal::kTask;
  std::vector<Effect> effects;            ///< best first
  std::vector<Alternative> alternatives;  ///< likewise
  TimeAccount time;                       ///< of the base, all repetitions
  std::vector<PrefixReuse> prefix;
  Gains unlimited_prefix;       ///< if all that is possible were found
  std::vector<sim::Json> base;  ///< summaries, by repetition
  std::string verdict;          ///< in words: what holds the tasks back, and what else the slowest suffer from

  /// Nothing tells the effects from chance.
  bool of_one_run() const;
};

/// The scenario's own workload is played; of a trace, resources alone can be more.
/// Throws what simulate() throws.
WhatIf what_if(const Scenario& scenario, const WhatIfOptions& options);

/// As analysis/schemas/bottleneck.json says.
sim::Json to_json(const WhatIf& study);

}  // namespace tokenyard::analysis
