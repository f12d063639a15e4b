#pragma once
/// Max-min fair sharing, computed by progressive filling whenever the set of flows changes (Bertsekas and Gallager,
/// "Data Networks", 1992, §6.5.2). No globals: any number of them may live in one process.
///
/// Invariants: a flow's rate changes at the exact end of another flow (fixed point, 2^-20 ns), not at the whole
/// nanosecond where that end is published; and a change touches only the flows that are connected to it through shared
/// links, so that flows that share nothing never affect each other, not even by a rounding error.
///
/// Cost: O(m log m) per change, where m is the sum of the routes' lengths over the connected flows.
///
///   AnalyticNetwork network(topology, simulation);
///   network.transfer({.from = a, .to = b, .bytes = 1e9, .on_delivered = &handler, .entity = &entity});
///   network.run(simulation);

#include "sim/core/slab.hpp"
#include "sim/network/flow_network.hpp"

namespace tokenyard::sim {

class AnalyticNetwork : public FlowNetwork {
 public:
  AnalyticNetwork(const Topology& topology, Simulation& simulation);

  void run(Simulation& simulation) override { simulation.run(); }

 private:
  using Slot = std::uint32_t;
  struct Active {
    Flow flow;
    std::uint64_t ordinal = 0;  ///< of all flows begun, from 1; 0: the slot is free
    double left = 0;            ///< bytes, at `since`
    double rate = 0;            ///< bytes per second from then on
    FineTime since;
    FineTime end;
    Time published;             ///< its end, rounding errors aside
    std::uint64_t reached = 0;  ///< the last sharing that changed it
    std::uint64_t filled = 0;   ///< the last sharing that set its rate
  };
  struct LinkState {
    std::vector<Slot> flows;
    double room = 0;           ///< bandwidth not yet given away by this sharing
    std::size_t unfilled = 0;  ///< flows without a rate yet
    std::uint64_t reached = 0;
  };
  /// An end that was valid when noted; it is stale unless flow and end still match. One per flow is not.
  struct End {
    FineTime end;
    std::uint64_t ordinal;
    Slot slot;
  };
  struct Wake final : tokenyard::sim::EventHandler {  // FlowNetwork hides its own
    explicit Wake(AnalyticNetwork& owner) : network(owner) {}
    void on_event(Time now, std::uint64_t) override { network.wake(now); }
    AnalyticNetwork& network;
  };

  void start(Time now, std::vector<Flow>& flows) override;
  void wake(Time now);
  /// Takes the flow off its links, which become changed ones.
  void remove(Slot slot);
  /// New rates, from `at`, for whatever is connected to a changed link.
  void share(FineTime at);
  void reach(FineTime at);
  void fill();
  void note_end(Slot slot);
  /// The earliest valid end; null when there is none.
  const End* next_end();
  void schedule_wake(Time now);

  Slab<Active> active_;
  std::vector<LinkState> link_state_;
  std::vector<LinkId> changed_;  ///< links
  std::vector<LinkId> reached_links_;
  std::vector<Slot> reached_flows_;
  std::vector<End> ends_;  ///< heap
  std::uint64_t begun_ = 0;
  std::uint64_t sharings_ = 0;
  Wake wake_{*this};
  Entity entity_;
  EventHandle wake_event_;
  Time wake_date_;
};

}  // namespace tokenyard::sim
