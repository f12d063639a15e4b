#pragma once
/// Which pool and which of its replicas a call goes to.
///
/// Replicas of a pool, by its router:
/// - round-robin: one after the other, in the order of arrival.
/// - least-loaded: that with the fewest calls running and waiting; of equals the one with the lowest index.
/// - prefix-aware: that with the longest cached prefix, as a share of the prompt, less the share of its seats that are
///   taken; of equals as before.
/// - task-sticky: that of the task's earlier calls, else the least loaded. Prompts of up to `sticky_above` tokens
///   always go to the least loaded (locality in Autellix, arXiv 2502.13965: above 2,048).
///
/// A pool may overflow into others. It shares its calls with those that have room, which is fewer than `overflow_at`
/// calls at their emptiest replica; where none has, they stay. By `overflow_by`:
/// - load: the pool asked for, if it has room, else the emptiest.
/// - prefix: the one with the best score of a prefix-aware router.
/// - cost: the one whose tokens are cheapest, on a replica that decodes for as many calls as it has seats for, but for
///   64 at most, each with a context of 1,024 tokens: assumed.
/// Under a sticky router it is the task that overflows, with all its calls: the KV of its context grows in one place.
///
/// Cost per call: O(log replicas) for `least-loaded` and `task-sticky`, O(1) for `round-robin`, O(replicas) for
/// `prefix-aware`, which looks into every cache; each pool that it may overflow into costs as much as its own.
///
///   CallRouter router;
///   router.add_pool(options, replicas);
///   const std::uint32_t pool = router.pool_for(request), replica = router.replica_for(pool, request, tokens);
///   router.add_load(pool, replica, 1);

#include <memory>
#include <tsl/robin_map.h>
#include <vector>

#include "platforms/serving/load_index.hpp"
#include "platforms/serving/pool_options.hpp"
#include "platforms/serving/replica.hpp"

namespace tokenyard::platforms {

class CallRouter {
 public:
  using Replicas = std::vector<std::unique_ptr<Replica>>;

  /// The next one, in the fleet's order; both must stay where they are.
  void add_pool(const PoolOptions& options, const Replicas& replicas);
  /// The pool asked for, or one that it overflows into.
  std::uint32_t pool_for(const CallRequest& request);
  /// Of the pool's replicas. Settles those whose caches it looks into.
  std::uint32_t replica_for(std::uint32_t pool, const CallRequest& request, Tokens prompt);
  /// Calls more, running or waiting, or fewer.
  void add_load(std::uint32_t pool, std::uint32_t replica, std::int64_t change) {
    pools_[pool].loads.add(replica, change);
  }
  /// The task has ended.
  void forget(std::uint64_t task);

 private:
  struct Pool {
    const PoolOptions& options;
    const Replicas& replicas;
    LoadIndex loads;                                         ///< calls running and waiting
    double usd_per_token = 0;                                ///< none of a media pool
    std::uint32_t next = 0;                                  ///< of a round
    tsl::robin_map<std::uint64_t, std::uint32_t> home = {};  ///< task → replica, of a sticky router
    tsl::robin_map<std::uint64_t, std::uint32_t> away = {};  ///< task → the pool that it overflowed to, likewise

    std::int64_t least_load() const { return loads.load(loads.least()); }
  };
  struct BestPrefix {
    std::uint32_t replica;
    double score;  ///< the share of the prompt that is cached there, less the share of its seats that are taken
  };

  static BestPrefix best_prefix(const Pool& pool, const CallRequest& request);
  std::uint32_t pool_with_room(const CallRequest& request) const;

  std::vector<Pool> pools_;
};

}  // namespace tokenyard::platforms
