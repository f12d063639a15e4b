#pragma once
/// All pools of a scenario: replicas of a model behind a router each, and the calls in flight.
///
/// A call enters through `submit()`. A mixed pool runs it whole. A prefill pool makes its first token. Then its KV
/// moves over the network to a replica of the decode pool, which admits the call when its blocks fit and makes the
/// rest. That replica is chosen by the decode pool's router when the prefill ends. The gap between the first two tokens
/// holds the transfer and the wait for admission. A call that the decode pool preempts is computed again there.
///
/// With KV tiers a replica loads what it has evicted from its host's memory, its node's SSD or the pool's remote store
/// (kv/kv_tiers.hpp).
///
/// Where a call goes is said in call_router.hpp. If its pool overflows into another, at another site perhaps, its text
/// travels there, and the answer back, over the network between the two pools' first replicas (cause: network); the
/// first token is late by the way back, too.
///
/// With data-parallel attention each rank of a replica has calls and a KV cache of its own (lockstep.hpp), and what is
/// said here of replicas is true of ranks. The first ranks of all replicas are numbered first, then the second ones: of
/// equally loaded ranks a router takes those of different replicas first.
///
/// A call whose text takes time to become tokens (`tokenize_s_per_token`) reaches its replica that much later, though
/// the router counts it from the start. Its cause is prefill.
///
/// A pool with a media model makes pictures (media_queue.hpp): it has no replicas of the other kind and no router.
///
/// Cost per call: the router's and the replica's.
///
///   Fleet fleet(simulation, network, pools);
///   fleet.add_observer(metrics);
///   fleet.submit(request);

#include <map>
#include <memory>
#include <vector>

#include "platforms/serving/call_router.hpp"
#include "platforms/serving/front_door.hpp"
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
    std::unique_ptr<PoolContext> context;  ///< of the replicas
    bool parts = false;                    ///< parts of prompts have come, and may be held
    PoolTally tally;

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
  /// Something of the call has arrived: what, its stage says.
  void on_event(sim::Time now, std::uint64_t index) override;
  void on_text_there(std::uint32_t index);
  void on_answer_back(std::uint32_t index);
  void on_kv_there(std::uint32_t index);
  void on_part_loaded(std::uint32_t index);
  Replica& replica_of(const ActiveCall& call) { return *pools_[call.record.pool].replicas[call.record.replica]; }
  bool fits(const Pool& pool, const CallRecord& call) const;
  void send_text(std::uint32_t index, std::uint32_t from_pool, std::uint32_t to_pool, Tokens tokens);
  void send_kv(std::uint32_t index);
  void tokenize(std::uint32_t index);
  void end(std::uint32_t index);
  /// Throws sim::Infeasible where that happens for ever at one instant.
  void reject(std::uint32_t index);

  sim::Simulation& simulation_;
  sim::Network& network_;
  ActiveCalls calls_;
  std::vector<Pool> pools_;
  CallRouter router_;
  std::vector<ServingObserver*> observers_;
  std::map<std::uint32_t, std::shared_ptr<KvLink>> ssds_;  ///< by node
  std::unique_ptr<RemainingTime> remaining_;               ///< if some pool schedules by it
  sim::Entity entity_;
  std::uint64_t submitted_ = 0, parts_ = 0;
  sim::Time rejecting_;
  std::uint64_t rejected_now_ = 0;  ///< at that date
};

}  // namespace tokenyard::platforms
