#pragma once
/// A pool that makes pictures: replicas of a diffusion model behind one queue.
///
/// First come, first served; an idle replica (the first of them) takes the next call and makes it alone, all its steps
/// in a row: steps are compute-bound, so calls side by side would each take as much longer (spec/media_model.hpp).
/// There is no KV cache, no tokens and no network traffic. A call's time is queue, then media.
///
/// Cost: O(log replicas) and one event per call.

#include <deque>
#include <optional>
#include <queue>
#include <vector>

#include "platforms/cost/media_cost.hpp"
#include "platforms/serving/replica_owner.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::platforms {

class MediaQueue final : public sim::EventHandler {
 public:
  MediaQueue(sim::Simulation& simulation, ReplicaOwner& owner, const MediaCost& cost,
             const std::optional<StepPower>& power, std::uint32_t pool, std::uint32_t replicas, std::uint64_t entity);

  void submit(std::uint32_t call);
  void on_event(sim::Time now, std::uint64_t replica) override;
  /// Takes every call off the pool; causes accounted up to now. For the end of a run.
  std::vector<std::uint32_t> abandon();

  std::size_t replicas() const { return servers_.size(); }
  std::int64_t running() const { return static_cast<std::int64_t>(servers_.size() - idle_.size()); }
  std::int64_t waiting() const { return static_cast<std::int64_t>(waiting_.size()); }
  /// The elapsed share of the calls in progress, which the pool's totals do not have yet.
  ServingTotals share_in_progress() const;

 private:
  struct Server {
    std::uint32_t call = ActiveCall::kNone;
    sim::Time begin;
    sim::Int128 ticks = 0, flop = 0, above_limit_pj = 0;  ///< of the whole call
  };

  void begin(std::uint32_t replica, std::uint32_t call);

  sim::Simulation& simulation_;
  ReplicaOwner& owner_;
  ActiveCalls& calls_;
  MediaCost cost_;
  std::optional<StepPower> power_;
  std::uint32_t pool_;
  sim::Entity entity_;
  std::vector<Server> servers_;
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> idle_;  ///< the lowest first
  std::deque<std::uint32_t> waiting_;
};

}  // namespace tokenyard::platforms
