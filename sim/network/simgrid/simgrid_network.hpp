#pragma once
/// Transfers as flows of SimGrid 3.32 (Casanova et al., JPDC 2014), driven without a single SimGrid actor: the
/// simulation's own events stay in its own queue, and SimGrid sees flows only.
///
/// The two clocks: own events *run ahead* of SimGrid's clock as long as they come before the *horizon*, the earliest
/// date at which SimGrid itself can do something, rounded up to the whole nanosecond where it will be published. Events
/// that start flows end the run-ahead: the flows are kept for their date, and the one armed SimGrid timer lets them
/// begin there. Latency is paid by our own event before a flow begins: SimGrid's links have none. `Pace::kLockStep`
/// never runs ahead; it is slower and gives the same dates in the same order, and exists to show that.
///
/// Invariants: one engine per process, hence one SimgridNetwork in a process' life: the second throws InternalError.
/// All bad input is refused before SimGrid sees it, because SimGrid aborts. Its clock is a double in seconds, which
/// resolves a nanosecond up to 2^22 s (48.5 days): a flow that begins or ends later throws InputError out of `run`.
///
/// Cost: 31 MiB plus about 3 KiB per host; per flow 2 to 5 µs with tens of flows in flight, 20 to 500 µs with a
/// thousand connected ones.
///
///   SimgridNetwork network(topology, simulation);
///   network.transfer({.from = a, .to = b, .bytes = 1e9, .on_delivered = &handler, .entity = &entity});
///   network.run(simulation);

#include <memory>

#include "sim/network/flow_network.hpp"

namespace tokenyard::sim {

class SimgridNetwork final : public FlowNetwork {
 public:
  enum class Pace : std::uint8_t { kRunAhead, kLockStep };
  static constexpr Time kLastDate = Time::nanoseconds((std::int64_t{1} << 22) * 1'000'000'000);

  SimgridNetwork(const Topology& topology, Simulation& simulation, Pace pace = Pace::kRunAhead);
  ~SimgridNetwork() override;

  /// Once, with the simulation given before. Returns when no event is left or it was stopped; what a handler throws
  /// comes out of here.
  void run(Simulation& simulation) override;
  Time last_date() const override { return kLastDate; }
  std::size_t cheap_flows() const override { return 256; }

 private:
  class Driver;
  void start(Time now, std::vector<Flow>& flows) override;

  std::unique_ptr<Driver> driver_;
};

}  // namespace tokenyard::sim
