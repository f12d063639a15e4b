#pragma once
/// What a search for the fewest chips of one kind found (size_search.hpp); as JSON, it is kept in a cache (cache.hpp).
///
///   std::optional<Sizing> sizing = Sizing::from_json(json);
///   sizing.met ? sizing.chips : …;   // else sizing.why_not

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "platforms/cost/replica_spec.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct Sizing {
  struct Pool {
    std::string name;
    platforms::Parallelism parallelism;
    std::int32_t max_num_seqs = 0;
    std::int64_t replicas = 0;
    /// With a replica less: share of the time in which calls wait while all seats (max_num_seqs) are taken.
    std::optional<double> seats_full_with_less{};
    std::int64_t chips() const { return replicas * parallelism.chips(); }
  };
  bool met = false;
  std::string why_not;  ///< no size meets the level: the reason, as the end of a sentence
  std::vector<Pool> pools;
  std::int64_t chips = 0;
  std::int64_t nodes = 0, chips_per_node = 0;
  std::int64_t largest_replica = 0;             ///< its chips: what the count moves by at most
  double duration_s = 0, warmup_s = 0;          ///< of its simulations
  bool steady = true;                           ///< it meets the level in twice that time, too
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
  /// What `to_json` gave; nothing of any other document.
  static std::optional<Sizing> from_json(const sim::Json& json);
};

}  // namespace tokenyard::analysis
