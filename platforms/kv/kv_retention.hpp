#pragma once
/// How long the KV of a completed call stays held in HBM for the next call of its task, which a tool or a person keeps
/// waiting.
///
/// - lru: not at all. It can be found until it is evicted, the least recently used first; vLLM's way. With a host tier
///   (kv_tiers.hpp) it is "swap": HBM is given up, what is evicted is loaded back.
/// - preserve: until the next call, or the end of the task ("Preserve" in InferCept, ICML 2024).
/// - static-ttl: for `ttl` ("static TTL" in Continuum's ablation, arXiv 2511.02230).
/// - continuum-ttl: for the t that maximises P(wait <= t) (D eta + R) - t (Continuum). P: of the waits seen after calls
///   that went to the same node, or, below 100 of those, after all calls; below 100 of all, for `ttl`. D: the mean wait
///   in the queue of calls of which nothing was held. R: the time to have the KV again. eta: -Corr(k, N - k) over the
///   turns k of tasks of N turns: 1 where all tasks are alike, since a turn served now is then one less to come; below
///   0 counts as 0, and before tasks have ended it is 1.
/// - min-waste: while holding costs less memory x time than having it again would (InferCept's three wastes): C tokens
///   held for t cost C t; computing them again in time T costs T (C + the tokens of those who run meanwhile), loading
///   them from a tier in time L costs L C. How long the tool takes is estimated by how long it has taken, so the KV is
///   held until both are equal.
///
/// A replica learns from its own calls alone. Windows keep the last 256 waits of a node: assumed. Cost: O(window) per
/// completed call with continuum-ttl, O(1) otherwise; memory for a window per node and a few words per task in flight.
///
///   KvRetention retention(options, cost, budget);
///   const Time hold = retention.hold_for({task, content, node, tokens, others}, now);   // a call completed
///   retention.on_arrival(task, prompt, now);                                            // the task's next call

#include <array>
#include <map>
#include <span>
#include <string_view>
#include <tsl/robin_map.h>

#include "platforms/cost/step_cost.hpp"
#include "platforms/kv/held_kv.hpp"
#include "sim/core/time.hpp"
#include "sim/statistics/recent_times.hpp"

namespace tokenyard::platforms {

enum class KvRetentionPolicy : std::uint8_t { kLru, kPreserve, kStaticTtl, kContinuumTtl, kMinWaste };
inline constexpr std::array<std::string_view, 5> kKvRetentionNames = {"lru", "preserve", "static-ttl", "continuum-ttl",
                                                                      "min-waste"};

struct KvRetentionOptions {
  KvRetentionPolicy policy = KvRetentionPolicy::kLru;
  sim::Time ttl = sim::Time::seconds(2);  ///< Continuum: 1 to 2 s while nothing is known
  std::size_t enough = 100;               ///< waits, to trust their distribution (Continuum)
  double load_s_per_token = 0;            ///< from the nearest tier; 0: there is none, and KV is computed again
};

class KvRetention {
 public:
  /// `budget`: tokens of prompt that a step computes at most.
  KvRetention(const KvRetentionOptions& options, const StepCost& cost, Tokens budget)
      : options_(options), cost_(cost), budget_(budget) {}

  /// A call that has completed.
  struct Completed {
    std::uint64_t task = 0;
    std::uint64_t content = 0;     ///< of its context's last extent
    std::uint64_t wait = kNoWait;  ///< what its task waits for: a number of its own for each agent and node
    Tokens tokens = 0;             ///< of its context
    Tokens others = 0;             ///< of the contexts that run on
  };
  static constexpr std::uint64_t kNoWait = ~std::uint64_t{0};  ///< no call goes on with its context, as far as is known

  /// 0: not at all; never(): as long as the wait lasts.
  sim::Time hold_for(const Completed& call, sim::Time now);
  /// A call is here. Where it goes on with the task's last context, how long that waited is known.
  void on_arrival(std::uint64_t task, std::span<const Extent> prompt, sim::Time now);
  /// A call of which nothing was held left the queue.
  void on_queued(sim::Time delay) { queued_.add(delay); }
  /// The task has ended.
  void forget(std::uint64_t task);

 private:
  struct Task {
    std::int64_t calls = 0;
    std::uint64_t content = 0, wait = kNoWait;
    sim::Time since;
  };
  /// Sums over the turns k = 1..N of ended tasks, for the correlation of k with N - k.
  struct Turns {
    double count = 0, k = 0, left = 0, k_k = 0, left_left = 0, k_left = 0;
  };

  double recompute_s(Tokens tokens) const;
  double reload_s(Tokens tokens) const;
  double memoryfulness() const;
  sim::Time continuum_ttl(const Completed& call) const;

  KvRetentionOptions options_;
  const StepCost& cost_;
  Tokens budget_;
  tsl::robin_map<std::uint64_t, Task> tasks_;        ///< in flight
  std::map<std::uint64_t, sim::RecentTimes> waits_;  ///< by what was waited for
  sim::RecentTimes all_waits_, queued_;
  Turns turns_;
};

}  // namespace tokenyard::platforms
