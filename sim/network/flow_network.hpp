#pragma once
/// What both networks have in common: transfers wait for their latency, are merged, and begin together as flows.
///
/// All transfers that begin on one date wait in one batch with a single event, at priority kObserve behind every other
/// entity: whoever asks for a transfer on that date, however late, is in. The flows of a batch are in the order of
/// (source, target), so that nothing depends on who asked first.
///
/// Cost: two look-ups of the route per transfer, and O(log n) in the number of dates that transfers wait for.
///
///   class MyNetwork final : public FlowNetwork {
///     void start(Time now, std::vector<Flow>& flows) override;  // and, later, deliver(flow, date)
///   };

#include <map>
#include <vector>

#include "sim/core/simulation.hpp"
#include "sim/network/network.hpp"

namespace tokenyard::sim {

class FlowNetwork : public Network, private EventHandler {
 public:
  /// Throws InternalError for a count of bytes that is none.
  void transfer(const Transfer& transfer) final;

 protected:
  /// Merged transfers. There are bytes to move, over at least one link.
  struct Flow {
    Topology::Route route;
    HostId from = 0;
    HostId to = 0;
    double bytes = 0;
    std::vector<Transfer> transfers;
  };

  FlowNetwork(const Topology& topology, Simulation& simulation) : Network(topology), simulation_(simulation) {}

  /// The flows of one date begin; take what is needed out of them.
  virtual void start(Time now, std::vector<Flow>& flows) = 0;
  /// The flow has ended: its transfers are delivered at `date`, now or later.
  void deliver(const Flow& flow, Time date);

  Simulation& simulation_;

 private:
  void on_event(Time now, std::uint64_t argument) override;

  std::map<Time, std::vector<Transfer>> waiting_;  ///< by the date they begin to flow
  Topology::Route route_;                          ///< scratch
  Entity starter_{(std::uint64_t{1} << 36) - 1};   ///< the last of its priority
};

}  // namespace tokenyard::sim
