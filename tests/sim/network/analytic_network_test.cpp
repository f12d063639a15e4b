#include "sim/network/analytic_network.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

namespace {
struct Arrivals final : EventHandler {
  void on_event(Time now, std::uint64_t argument) override { dates[argument] = now; }
  std::array<Time, 8> dates{};
  Entity entity{1};
};
}  // namespace

TEST_CASE("One flow, equal flows and two bottlenecks share as max-min does") {
  Topology topology;
  const ZoneId fabric = topology.add_star("fabric");
  HostId host[3];
  for (HostId& h : host) h = topology.add_host("h", fabric, {{1e9, Time::microseconds(1)}, {}});
  Simulation simulation;
  AnalyticNetwork network(topology, simulation);
  Arrivals arrivals;
  const auto send = [&](HostId from, HostId to, double bytes, std::uint64_t n) {
    network.transfer({from, to, bytes, &arrivals, n, &arrivals.entity});
  };
  SECTION("one") {
    send(host[0], host[1], 1e9, 0);
    network.run(simulation);
    CHECK(arrivals.dates[0] == Time::seconds(1) + Time::microseconds(2));
  }
  SECTION("four equal") {
    for (std::uint64_t i = 0; i < 4; ++i) send(host[0], host[1], 1e9, i);
    network.run(simulation);
    for (std::size_t i = 0; i < 4; ++i) CHECK(arrivals.dates[i] == Time::seconds(4) + Time::microseconds(2));
    CHECK(network.busiest_links(1)[0].bytes == 4e9);
  }
  SECTION("to itself, and nothing") {
    send(host[0], host[0], 1e9, 0);
    send(host[0], host[1], 0, 1);
    network.run(simulation);
    CHECK(arrivals.dates[0] == Time());
    CHECK(arrivals.dates[1] == Time::microseconds(2));
  }
}
