#pragma once
/// What tests of the serving floor share: a step cost made of round numbers, pools on one star network, a log of what
/// ended.

#include <functional>
#include <memory>
#include <vector>

#include "platforms/serving/fleet.hpp"
#include "sim/network/analytic_network.hpp"
#include "sim/random/stream.hpp"
#include "tests/support/catch.hpp"

namespace tokenyard::platforms {

/// base + per call decoding + per token of prompt + per token of context and of skew, and per token that other ranks
/// compute, in ticks of sim::FineTime, spread over two bounds.
class LinearCost final : public StepCost {
 public:
  std::int64_t base = 0, per_call = 0, per_prompt_token = 0, per_context_token = 0, per_skew_token = 0;
  std::int64_t per_token_elsewhere = 0;

  using StepCost::piece;
  StepPiece piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                  const OtherRanks& others) const override {
    StepPiece piece;
    piece.base_ticks[0] = base + per_call * decoding.calls + per_skew_token * decoding.skew;
    piece.base_ticks[0] += per_token_elsewhere * others.tokens;
    piece.slope_ticks[1] = decoding.calls > 0 ? per_context_token : 0;
    piece.waiting_ticks = base / 3;
    piece.base_flop = decoding.calls;
    piece.slope_bytes = 2;
    for (const PrefillChunk& chunk : chunks) {
      piece.base_ticks[0] += per_prompt_token * chunk.tokens;
      piece.base_flop += chunk.tokens;
      piece.base_bytes += chunk.before;
    }
    return piece;
  }
  bool minds_skew() const override { return per_skew_token > 0; }
};

/// A call to come.
struct Planned {
  sim::Time arrival;
  std::vector<Extent> prompt;
  Tokens output_tokens = 1;
  std::uint64_t output_content = 0;
  std::uint64_t task = 0;
  std::uint32_t pool = 0;
  sim::Time task_arrival, task_served, path_served, task_waited, deadline;
  bool follows = false;  ///< the call planned before it
  sim::Time pause;       ///< between that one's end and its arrival
  sim::Time waited;      ///< of that pause, for the part of its prompt that was planned before it
  bool part = false;     ///< of the prompt of the call that follows
  std::uint32_t node = 0, next_node = CallRequest::kNoNode;
  std::span<const NextUse> next_uses;
  bool last = false;  ///< of its task, which ends with it
};

/// A pool of one replica whose steps take so long, whatever is in them.
inline PoolOptions pool_of_one(sim::Time step) {
  PoolOptions pool;
  pool.name = "main";
  const auto cost = std::make_shared<LinearCost>();
  cost->base = static_cast<std::int64_t>(sim::FineTime(step).ticks());
  pool.cost = cost;
  pool.hosts.resize(1);
  return pool;
}

/// A simulation of pools, and the calls that ended, by number. The first call of a task arrives at its date, each
/// further one at the very moment at which the one before ended, or after a pause; all are planned in order of arrival.
class Stand final : public ServingObserver, public CallListener, private sim::EventHandler {
 public:
  explicit Stand(std::vector<PoolOptions> pools, double link_bytes_per_s = 1e9) {
    const sim::ZoneId zone = topology.add_star("star");
    std::size_t hosts = 0;
    for (PoolOptions& pool : pools) {
      for (sim::HostId& host : pool.hosts) {
        const sim::LinkSpec link{link_bytes_per_s, sim::Time::microseconds(1)};
        host = topology.add_host("host" + std::to_string(hosts++), zone, {link, link});
      }
    }
    network = std::make_unique<sim::AnalyticNetwork>(topology, simulation);
    fleet = std::make_unique<Fleet>(simulation, *network, std::move(pools));
    fleet->add_observer(*this);
  }

  void plan(const std::vector<Planned>& calls) {
    planned_ = calls;
    parts_.assign(calls.size() + 1, {});
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      if (planned_[i].follows) continue;
      simulation.schedule(planned_[i].arrival, sim::Priority::kArrival, entity_, *this, i);
    }
  }
  void run() { network->run(simulation); }

  void on_call(const CallRecord& record) override {
    if (records.size() <= record.call) records.resize(record.call + 1);
    records[record.call] = record;
    ended.push_back(record.call);
    if (on_change) on_change();
  }
  void on_call_end(const CallRecord& record, std::uint64_t index) override {
    if (record.status == CallStatus::kUnfinished) return;
    if (planned_[index].last) fleet->forget(record.task);
    parts_[index + 1] = planned_[index].part ? Place{record.pool, record.replica} : Place{};
    if (++index == planned_.size() || !planned_[index].follows) return;
    if (planned_[index].pause == sim::Time()) return submit(index);
    simulation.schedule(simulation.now() + planned_[index].pause, sim::Priority::kArrival, entity_, *this, index);
  }
  void on_kv_transfer(const KvTransfer& transfer) override { transfers.push_back(transfer); }

  ServingTotals totals() {
    fleet->settle();
    ServingTotals sum;
    for (std::size_t p = 0; p < fleet->pools(); ++p) sum += fleet->tally_of(p).totals;
    return sum;
  }

  sim::Simulation simulation;
  sim::Topology topology;
  std::unique_ptr<sim::AnalyticNetwork> network;
  std::unique_ptr<Fleet> fleet;
  std::vector<CallRecord> records;
  std::vector<std::uint64_t> ended;  ///< numbers, in the order of their ends
  std::vector<KvTransfer> transfers;
  std::function<void()> on_change;  ///< a call has come or gone

 private:
  void on_event(sim::Time, std::uint64_t index) override { submit(index); }
  void submit(std::uint64_t index) {
    const Planned& call = planned_[index];
    CallRequest request;
    request.task = call.task;
    request.node = call.node;
    request.next_node = call.next_node;
    request.next_uses = call.next_uses;
    request.entity = index;
    request.pool = call.pool;
    request.task_arrival = call.task_arrival;
    request.task_served = call.task_served;
    request.path_served = call.path_served;
    request.task_waited = call.task_waited;
    request.deadline = call.deadline;
    request.part = call.part;
    request.part_pool = parts_[index].pool;
    request.part_replica = parts_[index].replica;
    request.waited = call.waited;
    request.prompt = call.prompt;
    request.output_tokens = call.output_tokens;
    request.output_content = call.output_content;
    request.listener = this;
    request.cookie = index;
    fleet->submit(request);
    if (on_change) on_change();
  }

  struct Place {
    std::uint32_t pool = CallRequest::kNoPool, replica = 0;
  };

  std::vector<Planned> planned_;
  std::vector<Place> parts_;  ///< by planned call: where a part of its prompt is held
  sim::Entity entity_;
};

}  // namespace tokenyard::platforms
