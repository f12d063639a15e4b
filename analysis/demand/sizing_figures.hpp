#pragma once
/// What the simulations of one size say of it, for a reader who compares kinds of chips. Cost: O(keys of the
/// summaries).
///
///   sizing.figures = size_figures(trials.judged(size));

#include <string>
#include <vector>

#include "analysis/demand/trial.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {

/// Of the share of the work within the level, over the seeds.
sim::MeanInterval mean_attainment(const std::vector<const Trial*>& trials);

/// Sizing::figures. `trials`: complete ones, one a seed.
sim::Json size_figures(const std::vector<const Trial*>& trials);

/// Prompt and output, of all tasks. Where the run did not drain, the tokens of some are still to come: then of each
/// agent's completed tasks, in the mix in which they arrived. Null where none is known.
sim::Json tokens_per_task(const sim::Json& summary);

struct Limit {
  std::string bound;  ///< "bandwidth"
  double share = 0;   ///< of the chips' time
};
/// What most of the chips' time goes to, idleness aside. `chips`: of all pools.
Limit limit_of(const sim::Json& summary, std::int64_t chips);

}  // namespace tokenyard::analysis
