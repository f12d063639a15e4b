#pragma once
/// The fewest chips of one kind that meet the service level of a workload.
///
/// A size *passes* if simulations of it meet the level, as `tokenyard run` judges: each of the seeds, and the 95 %
/// interval of their mean besides (`verdict`, trial.hpp). The search takes it as given that more replicas never hurt
/// the whole by more than one replica of each pool (more of one pool can send the other its calls in thicker bursts):
/// 1. An ample size: each pool in its quickest way, doubled until the level is met with a margin, or met twice. Where
///    doubling no longer changes anything, no number of chips will do.
/// 2. For each pool, with the others ample: the way and the number of replicas with fewest chips that pass. No size
///    that passes has a smaller pool: together they are a lower bound.
/// 3. From the lower bound, sizes in the order of their chips until one passes. What each pool misses with the others
///    ample tells which are worth a simulation; passed over is a size whose pools miss twice what the level forgives,
///    and one that would miss it still if it gained three times as much as that over a size that failed.
/// 4. With several pools, from there down, in whatever ways and with a replica less of each pool than it needs alone:
///    sizes of fewer chips, but by less than their smallest replica's, into which any smaller one that passes would
///    grow. The same are passed over as in step 3.
///
/// 5. The size found is simulated for twice the time. Where it misses the level then, the work had not become steady in
///    the time given (`steady` is false): the search is to be made again with more.
/// 6. Each pool in turn takes the way that draws least power, with the same chips, of those that pass; where that holds
///    in twice the time, too.
///
/// With one pool, the result is that of trying every size; with several it is, too, as far as the assumption holds.
/// After 100 sizes that failed in step 3, pools grow by an eighth at a time; after 100 in step 4, it ends: `proven` is
/// false then.
///
/// Cost: some ten simulations per pool and up to a hundred sizes in steps 3 and 4, many of them stopped early
/// (trial.hpp).
///
///   Sizing sizing = fewest_chips(candidate, {.repetitions = 3});
///   sizing.met ? sizing.chips : …;   // else sizing.why_not

#include <functional>

#include "analysis/demand/candidate.hpp"
#include "analysis/demand/sizing.hpp"

namespace tokenyard::analysis {

struct SizingOptions {
  int repetitions = 3;                  ///< seeds that must all meet the level, from the scenario's on
  std::int64_t most_chips = 16384;      ///< of one simulation
  std::function<void()> on_simulation;  ///< called after each, from any thread
};

/// Never throws for want of chips: the reason is in the result.
Sizing fewest_chips(const Candidate& candidate, const SizingOptions& options);

}  // namespace tokenyard::analysis
