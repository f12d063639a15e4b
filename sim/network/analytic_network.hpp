#pragma once
/// Max-min fair sharing, computed by progressive filling whenever the set of flows changes (Bertsekas and Gallager, "Data
/// Networks", 1992, §6.5.2). No globals: any number of them may live in one process.
///
/// Cost: O(links used · flows) per change; meant for hundreds of flows at a time.
///
///   AnalyticNetwork network(topology, simulation);
///   network.transfer({.from = a, .to = b, .bytes = 1e9, .on_delivered = &handler, .entity = &entity});
///   network.run(simulation);

#include "sim/network/network.hpp"

namespace tokenyard::sim {

class AnalyticNetwork final : public Network, private EventHandler {
 public:
  AnalyticNetwork(const Topology& topology, Simulation& simulation) : Network(topology), simulation_(simulation) {}

  void transfer(const Transfer& transfer) override;
  void run(Simulation& simulation) override { simulation.run(); }

 private:
  struct Flow {
    Transfer transfer;
    Topology::Route route;
    double left = 0;  ///< bytes
    double rate = 0;  ///< bytes per second
  };
  static constexpr std::uint64_t kWake = ~std::uint64_t{0};

  void on_event(Time now, std::uint64_t argument) override;
  void advance(Time now);
  void share();
  void deliver(const Flow& flow);

  Simulation& simulation_;
  std::vector<Flow> waiting_;   ///< for their latency; index = event argument
  std::vector<std::uint32_t> spare_;
  std::vector<Flow> active_;
  Time since_;
  Entity entity_;
  EventHandle wake_;
};

}  // namespace tokenyard::sim
