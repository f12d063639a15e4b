#include "sim/network/analytic_network.hpp"

#include <cmath>
#include <limits>

#include "sim/core/error.hpp"
#include "tests/sim/network/arrivals.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/cpu_clock.hpp"

using namespace tokenyard::sim;

namespace {

constexpr double kRate = 1e9;

/// Hosts on one switch, each with a port of 1 GB/s and 1 us.
struct Star {
  explicit Star(std::size_t hosts, double rate = kRate, Time latency = Time::microseconds(1)) {
    const ZoneId fabric = topology.add_star("fabric");
    for (std::size_t i = 0; i < hosts; ++i) topology.add_host("h" + std::to_string(i), fabric, {{rate, latency}, {}});
  }
  Topology topology;
  Simulation simulation;
};

double bytes_over(const Network& network, const std::string& name) {
  for (const LinkUse& use : network.busiest_links(1000)) {
    if (use.link == name) return use.bytes;
  }
  return 0;
}

}  // namespace

TEST_CASE("One flow takes its latency and its bytes' time, rounded up to the nanosecond") {
  Star star(2);
  AnalyticNetwork network(star.topology, star.simulation);
  const auto [bytes, ns] = GENERATE(table<double, std::int64_t>({{1e9, 1'000'000'000}, {1, 1}, {3, 3}, {0.25, 1}}));
  Arrivals arrivals(1);
  arrivals.send(network, 0, 1, bytes, 0);
  network.run(star.simulation);
  CHECK(arrivals.dates[0] == Time::nanoseconds(ns) + Time::microseconds(2));
}

TEST_CASE("An end within a nanosecond is published at the next whole one") {
  Star star(2, 3e9);
  AnalyticNetwork network(star.topology, star.simulation);
  const auto [bytes, ns] =
      GENERATE(table<double, std::int64_t>({{1, 1}, {2, 1}, {3, 1}, {4, 2}, {6, 2}, {3e9 + 1, 1'000'000'001}}));
  Arrivals arrivals(1);
  arrivals.send(network, 0, 1, bytes, 0);
  network.run(star.simulation);
  CHECK(arrivals.dates[0] == Time::nanoseconds(ns) + Time::microseconds(2));
}

TEST_CASE("N equal flows through one link take N times as long") {
  const std::size_t n = GENERATE(2U, 3U, 7U, 64U);
  Star star(n + 1);
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(n);
  for (std::size_t i = 0; i < n; ++i) arrivals.send(network, static_cast<HostId>(i + 1), 0, 1e9, i);
  network.run(star.simulation);
  for (const Time date : arrivals.dates) CHECK(date == Time::seconds(static_cast<double>(n)) + Time::microseconds(2));
  CHECK(network.flows() == n);
  CHECK(network.peak_in_flight() == n);
  CHECK(network.flows_in_flight() == 0);
}

TEST_CASE("What ends leaves its share to the others from its exact end") {
  // Both share 3 GB/s until the first ends, after 2/3 ns; the second has 9 bytes left, which take 3 ns: 3 2/3 in all.
  Star star(3, 3e9, {});
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(2);
  arrivals.send(network, 1, 0, 1, 0);
  arrivals.send(network, 2, 0, 10, 1);
  network.run(star.simulation);
  CHECK(arrivals.dates[0] == Time::nanoseconds(1));
  CHECK(arrivals.dates[1] == Time::nanoseconds(4));
}

TEST_CASE("Shares are max-min fair with two bottlenecks") {
  // Bertsekas and Gallager's pattern: flow 0 crosses a link of 1 and one of 2 GB/s; flow 1 the first, flow 2 the
  // second.
  Topology topology;
  const ZoneId fabric = topology.add_star("fabric");
  const auto port = [](double rate) { return Ports{{rate, {}}, {}}; };
  const HostId narrow = topology.add_host("narrow", fabric, port(1e9)),
               wide = topology.add_host("wide", fabric, port(2e9));
  const HostId sink = topology.add_host("sink", fabric, port(1e12)),
               source = topology.add_host("source", fabric, port(1e12));
  Simulation simulation;
  AnalyticNetwork network(topology, simulation);
  Arrivals arrivals(3);
  arrivals.send(network, narrow, wide, 5e8, 0);   // 0.5 GB/s, the half of narrow.up
  arrivals.send(network, narrow, sink, 5e8, 1);   // 0.5 GB/s
  arrivals.send(network, source, wide, 15e8, 2);  // the rest of wide.down: 1.5 GB/s
  network.run(simulation);
  for (const Time date : arrivals.dates) CHECK(date == Time::seconds(1));
}

TEST_CASE("A long flow gets its share of its tightest link, the short ones the rest") {
  // A ring of 8 with 1.2 GB/s a hop: one flow over four hops, short ones over some of them.
  Topology topology;
  const ZoneId ring = topology.add_torus("ring", {8, 1, 1}, {12e8, {}});
  for (int i = 0; i < 8; ++i) topology.add_host("r" + std::to_string(i), ring, {});
  Simulation simulation;
  AnalyticNetwork network(topology, simulation);
  Arrivals arrivals(6);
  arrivals.send(network, 0, 4, 4e8, 0);  // three flows on hops 1-2 and 2-3 give 0.4 GB/s, from 0.75 s on two give 0.6
  arrivals.send(network, 0, 1, 9e8, 1);  // what the long flow leaves of hop 0-1: 0.8, then 0.6, then 1.2
  arrivals.send(network, 1, 2, 3e8, 2);  // merged with number 5: 6e8 bytes at 0.4, 0.6, then 1.2
  arrivals.send(network, 2, 3, 9e8, 3);  // 0.4, 0.6, then 1.2
  arrivals.send(network, 1, 3, 3e8, 4);  // 0.4 to its end at 0.75 s
  arrivals.send(network, 1, 2, 3e8, 5);
  network.run(simulation);
  CHECK(arrivals.dates[4] == Time::milliseconds(750));
  CHECK(arrivals.dates[0] == Time::nanoseconds(916'666'667));  // 0.75 s + 1e8 / 0.6e9
  CHECK(arrivals.dates[1] == Time::nanoseconds(1'083'333'334));
  CHECK(arrivals.dates[2] == Time::nanoseconds(1'083'333'334));
  CHECK(arrivals.dates[5] == arrivals.dates[2]);
  CHECK(arrivals.dates[3] == Time::nanoseconds(1'333'333'334));
}

TEST_CASE("A late flow slows an early one down") {
  Star star(3, kRate, {});
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(2);
  Sender sender(star.simulation, network, arrivals);
  sender.at(Time(), 1, 0, 1e9);                   // 0.5 s alone, then the half of its rate for 1 s
  sender.at(Time::milliseconds(500), 2, 0, 2e9);  // 0.5 GB by 1.5 s, then alone
  network.run(star.simulation);
  CHECK(arrivals.dates[0] == Time::milliseconds(1500));
  CHECK(arrivals.dates[1] == Time::milliseconds(3000));
}

TEST_CASE("Transfers to itself and of no bytes take the latency alone and are no flow") {
  Star star(2);
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(2);
  arrivals.send(network, 0, 0, 1e9, 0);
  arrivals.send(network, 0, 1, 0, 1);
  network.run(star.simulation);
  CHECK(arrivals.dates[0] == Time());
  CHECK(arrivals.dates[1] == Time::microseconds(2));
  CHECK(network.flows() == 0);
  CHECK(network.bytes_moved() == 0);
  CHECK(network.busiest_links(3).empty());
}

TEST_CASE("Transfers of one source, target and date are one flow; the reverse and a later one are not") {
  Star star(3, kRate, GENERATE(Time(), Time::microseconds(1)));
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(5);
  Sender sender(star.simulation, network, arrivals);
  sender.at(Time(), 0, 1, 3e8);
  sender.at(Time(), 1, 0, 1e8);
  sender.at(Time(), 2, 1, 5e8);
  sender.at(Time(), 0, 1, 2e8);
  sender.at(Time::nanoseconds(1), 1, 0, 1e8);
  network.run(star.simulation);
  CHECK(network.flows() == 4);
  const Time latency = arrivals.dates[0] - Time::seconds(1);
  CHECK(latency <= Time::microseconds(2));
  // Two flows of 5e8 bytes share the port of host 1: not three.
  CHECK(arrivals.dates[3] == arrivals.dates[0]);
  CHECK(arrivals.dates[2] == arrivals.dates[0]);
  CHECK_FALSE(arrivals.twice);
}

TEST_CASE("Bytes are counted on every link of the route") {
  Star star(4);
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(3);
  arrivals.send(network, 0, 1, 1000, 0);
  arrivals.send(network, 0, 2, 500, 1);
  arrivals.send(network, 3, 1, 70.5, 2);
  network.run(star.simulation);
  CHECK(network.bytes_moved() == 1571);
  CHECK(bytes_over(network, "h0.up") == 1500);
  CHECK(bytes_over(network, "h1.down") == 1071);
  CHECK(bytes_over(network, "h2.down") == 500);
  CHECK(bytes_over(network, "h3.up") == 71);
  const std::vector<LinkUse> busiest = network.busiest_links(2);
  REQUIRE(busiest.size() == 2);
  CHECK(busiest[0].link == "h0.up");
  CHECK(busiest[1].link == "h1.down");
}

TEST_CASE("A byte count that is none is refused") {
  Star star(2);
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(1);
  for (const double bytes : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(arrivals.send(network, 0, 1, bytes, 0), InternalError);
  }
}

TEST_CASE("Flows that share no link do not move each other's dates") {
  const auto dates = [](bool others) {
    Star star(40, 7e8 / 3);
    AnalyticNetwork network(star.topology, star.simulation);
    Arrivals arrivals(400);
    Sender sender(star.simulation, network, arrivals);
    SmallRandom random{1};
    for (int i = 0; i < 200; ++i) {
      const auto from = static_cast<HostId>(random.below(8)), to = static_cast<HostId>(8 + random.below(8));
      sender.at(Time::nanoseconds(static_cast<std::int64_t>(random.below(1'000'000))), from, to,
                static_cast<double>(random.below(1'000'000)));
    }
    if (others) {
      for (int i = 0; i < 200; ++i) {
        const auto from = static_cast<HostId>(16 + random.below(10)), to = static_cast<HostId>(26 + random.below(10));
        sender.at(Time::nanoseconds(static_cast<std::int64_t>(random.below(1'000'000))), from, to,
                  static_cast<double>(random.below(1'000'000)));
      }
    }
    network.run(star.simulation);
    arrivals.dates.resize(200);
    return arrivals.dates;
  };
  const std::vector<Time> alone = dates(false);
  CHECK(std::count(alone.begin(), alone.end(), Time::never()) == 0);
  CHECK(alone == dates(true));
}

TEST_CASE("No link carries more than its bandwidth, and none that could go on idles") {
  // N flows of random sizes into one sink begin together: it is busy to the end, which is the sum of the bytes.
  Star star(101, kRate, {});
  AnalyticNetwork network(star.topology, star.simulation);
  Arrivals arrivals(100);
  SmallRandom random{2};
  double sum = 0;
  for (HostId i = 0; i < 100; ++i) {
    const double bytes = 1 + static_cast<double>(random.below(100'000'000));
    sum += bytes;
    arrivals.send(network, i + 1, 0, bytes, i);
  }
  network.run(star.simulation);
  CHECK(*std::max_element(arrivals.dates.begin(), arrivals.dates.end()) ==
        Time::nanoseconds(static_cast<std::int64_t>(sum)));
  CHECK(bytes_over(network, "h0.down") == sum);
}

TEST_CASE("Thousands of disjoint flows cost no more than each by itself") {
  const auto seconds = [](std::size_t pairs) {
    Star star(2 * pairs);
    AnalyticNetwork network(star.topology, star.simulation);
    Arrivals arrivals(pairs);
    Sender sender(star.simulation, network, arrivals);
    for (std::size_t i = 0; i < pairs; ++i) {
      sender.at(Time::nanoseconds(static_cast<std::int64_t>(i)), static_cast<HostId>(2 * i),
                static_cast<HostId>(2 * i + 1), 1e9 + static_cast<double>(i * 7919 % pairs));
    }
    const tokenyard::CpuClock clock;
    network.run(star.simulation);
    const double took = clock.seconds();
    CHECK(network.peak_in_flight() == pairs);
    CHECK(std::count(arrivals.dates.begin(), arrivals.dates.end(), Time::never()) == 0);
    return took;
  };
  const double few = seconds(2000), many = seconds(32'000);
  CHECK(many < 80 * few + 0.05);  // 16 times the flows; a quadratic algorithm would take 256 times as long
}
