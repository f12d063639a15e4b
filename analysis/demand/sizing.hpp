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
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/demand/candidate.hpp"

namespace tokenyard::analysis {

struct SizingOptions {
  int repetitions = 3;                  ///< seeds that must all meet the level, from the scenario's on
  std::int64_t most_chips = 16384;      ///< of one simulation
  std::function<void()> on_simulation;  ///< called after each, from any thread
};

struct Sizing {
  struct Pool {
    std::string name;
    platforms::Parallelism parallelism;
    std::int32_t max_num_seqs = 0;
    std::int64_t replicas = 0;
    std::int64_t chips() const { return replicas * parallelism.chips(); }
  };
  bool met = false;
  std::string why_not;  ///< no size meets the level: the reason, as the end of a sentence
  std::vector<Pool> pools;
  std::int64_t chips = 0;
  std::int64_t nodes = 0, chips_per_node = 0;
  std::int64_t largest_replica = 0;             ///< its chips: what the count moves by at most
  int seeds = 0, seeds_met = 0;                 ///< where undecided, up to kMostSeeds times the repetitions
  std::optional<double> missed_with_less;       ///< least share outside the level among the sizes that failed; where
                                                ///< stopped early, a bound from below
  bool proven = true;                           ///< no smaller size was left out
  std::string limit;                            ///< what holds the work back, most of all: "bandwidth"
  double limit_share = 0;                       ///< of the chips' time
  std::optional<double> step_time_uncertainty;  ///< relative, of the pool with most; none: fitted to kernel data
  /// Means over the seeds, null where unknown: tasks_per_s, calls_per_s, output_tokens_per_s, total_tokens_per_s,
  /// tokens_per_task (prompt and output), watts (of the chips, without PUE), ttft_p95_s, tpot_p95_s, task_p95_s;
  /// attainment with its half-width, at 95 %.
  sim::Json figures;
  std::size_t simulations = 0, stopped_early = 0;

  sim::Json to_json() const;
  static Sizing from_json(const sim::Json& json);
};

/// Never throws for want of chips: the reason is in the result.
Sizing fewest_chips(const Candidate& candidate, const SizingOptions& options);

}  // namespace tokenyard::analysis
