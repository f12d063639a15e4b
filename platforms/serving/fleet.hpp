#pragma once
/// All pools of a scenario: replicas of a model behind a router each, and the calls in flight.
///
/// A call enters through `submit()`. A mixed pool runs it whole. A prefill pool makes its first token, then its KV
/// moves over the network to a replica of the decode pool, which makes the rest; the replica is chosen by the decode
/// pool's router when the prefill ends, and admits the call when its blocks fit. The first token is the prefill pool's;
/// the gap to the second holds the transfer and the wait for admission. A call that the decode pool preempts is
/// computed again there.
///
/// With KV tiers a replica loads what it has evicted from its host's memory, its node's SSD or the pool's remote store
/// (kv/kv_tiers.hpp).
///
/// A pool may overflow into others, at other sites perhaps: where each of its replicas has `overflow_at` calls, a call
/// goes to the pool among `overflow` whose emptiest replica has fewest, if that is below `overflow_at`, too. Its
/// text travels there, and the answer back, over the network between the two pools' first replicas (cause: network);
/// the first token is late by the way back, too. Under a sticky router it is the task that overflows, with all its
/// calls: the KV cache of its context grows in one place.
///
/// With data-parallel attention each rank of a replica has calls and a KV cache of its own, and what is said here of
/// replicas is true of ranks (lockstep.hpp): they are numbered by rank, then by replica, so that of ranks alike those
/// of different replicas come first.
///
/// A call whose text takes time to become tokens (`tokenize_s_per_token`) reaches its replica that much later; the router
/// counts it from the start. To the call the time is one of prefill.
///
/// Cost per call: O(log replicas) for `least-loaded` and `task-sticky`, O(1) for `round-robin`, O(replicas) for
/// `prefix-aware`, which looks into every cache.
///
/// A pool with a media model makes pictures (media_queue.hpp): it has no replicas of the other kind and no router.
///
/// Routers choose among a pool's replicas: `round-robin` by order of arrival; `least-loaded` the fewest calls running
/// and waiting (ties: the lowest index); `prefix-aware` the longest cached prefix less its load, as a share of the
/// prompt (ties as before); `task-sticky` the replica of the task's earlier calls, else least loaded; prompts of up to
/// `sticky_above` tokens always go to the least loaded (locality in Autellix, arXiv 2502.13965: above 2,048).
///
///   Fleet fleet(simulation, network, pools);
///   fleet.add_observer(metrics);
///   fleet.submit(request);

#include <map>
#include <memory>
#include <tsl/robin_map.h>
#include <vector>

#include "platforms/serving/front_door.hpp"
#include "platforms/serving/load_index.hpp"
#include "platforms/serving/lockstep.hpp"
#include "platforms/serving/media_queue.hpp"
#include "platforms/serving/pool_options.hpp"
#include "platforms/serving/remaining_time.hpp"
#include "platforms/serving/replica.hpp"
#include "sim/network/network.hpp"

namespace tokenyard::platforms {

class Fleet final : public FrontDoor, private ReplicaOwner, private sim::EventHandler, private ServingObserver {
 public:
  Fleet(sim::Simulation& simulation, sim::Network& network, std::vector<PoolOptions> pools);
  ~Fleet() override;

  void submit(const CallRequest& request) override;
  void forget(std::uint64_t task) override;
  void add_observer(ServingObserver& observer) { observers_.push_back(&observer); }

  std::size_t pools() const { return pools_.size(); }
  const PoolOptions& pool(std::size_t pool) const { return pools_[pool].options; }
  /// Data-parallel ranks count each.
  std::size_t replicas(std::size_t pool) const { return pools_[pool].replicas.size(); }
  Replica& replica(std::size_t pool, std::size_t index) { return *pools_[pool].replicas[index]; }
  /// Null unless it is a media pool.
  const MediaQueue* media(std::size_t pool) const { return pools_[pool].media.get(); }
  void settle();

  /// Ends every call still in flight as unfinished, now.
  void finish_unfinished();
  std::size_t calls_in_flight() const { return calls_.in_use(); }
  const PoolTally& tally_of(std::size_t pool) const { return pools_[pool].tally; }
  /// From now on, tallies tell of the inter-token latency of tokens to come.
  void forget_itl();

 private:
  struct Pool {
    PoolOptions options;
    std::vector<std::unique_ptr<Replica>> replicas;    ///< or their ranks
    std::vector<std::unique_ptr<Lockstep>> locksteps;  ///< of replicas with several ranks
    std::unique_ptr<MediaQueue> media;
    std::unique_ptr<ReplicaPool> common;  ///< to the replicas
    LoadIndex loads;                      ///< calls running and waiting
    bool parts = false;                   ///< parts of prompts have come, and may be held
    double usd_per_token = 0;
    PoolTally tally;
    std::uint32_t next = 0;                             ///< of a round
    tsl::robin_map<std::uint64_t, std::uint32_t> home;  ///< task → replica, of a sticky router
    tsl::robin_map<std::uint64_t, std::uint32_t> away;  ///< task → the pool that it overflowed to, of a sticky router

    /// Of its replicas, the one that this one is, or is a rank of.
    std::size_t place_of(std::size_t replica) const { return replica % options.hosts.size(); }
    sim::HostId host_of(std::uint32_t replica) const { return options.hosts[place_of(replica)]; }
  };

  ActiveCalls& calls() override { return calls_; }
  PoolTally& tally(std::uint32_t pool) override { return pools_[pool].tally; }
  void load(std::uint32_t index, const KvFound& found) override;
  void add_replicas(Pool& pool, std::uint64_t& entity);
  void add_tiers(Pool& pool);
  void on_tokenized(std::uint32_t index) override;
  void on_completed(std::uint32_t index) override;
  ServingObserver* observer() override { return observers_.empty() ? nullptr : this; }
  void on_batch_phase(const BatchPhase& phase) override;
  void on_event(sim::Time now, std::uint64_t argument) override;  // KV has arrived, from a tier or another pool
  std::uint32_t route(Pool& pool, const ActiveCall& call);
  struct BestPrefix {
    std::uint32_t replica;
    double score;  ///< the share of the prompt that is cached there, less the share of its seats that are taken
  };
  BestPrefix best_prefix(Pool& pool, const CallRequest& request);
  std::uint32_t pool_for(const CallRequest& request);
  std::uint32_t shared_pool(const CallRequest& request);
  void send(std::uint32_t from_pool, std::uint32_t to_pool, Tokens tokens, std::uint64_t argument);
  void on_sent(std::uint32_t index, bool back);
  void enter(Pool& pool, std::uint32_t replica, std::uint32_t index);
  void tokenize(std::uint32_t index);
  void end(std::uint32_t index);
  /// Throws sim::Infeasible where that happens for ever at one instant.
  void reject(std::uint32_t index);

  sim::Simulation& simulation_;
  sim::Network& network_;
  ActiveCalls calls_;
  std::vector<Pool> pools_;
  std::vector<ServingObserver*> observers_;
  std::map<std::uint32_t, std::shared_ptr<KvLink>> ssds_;  ///< by node
  std::unique_ptr<RemainingTime> remaining_;               ///< if some pool schedules by it
  sim::Entity entity_;
  std::uint64_t submitted_ = 0, parts_ = 0;
  sim::Time rejecting_;
  std::uint64_t rejected_now_ = 0;  ///< at that date
};

}  // namespace tokenyard::platforms
