#include "sim/network/topology.hpp"

#include "sim/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

namespace {
const LinkSpec kHop{1e9, Time::nanoseconds(10)};
const Ports kPort{{1e9, Time::nanoseconds(100)}, {}};

std::vector<std::string> names(const Topology& topology, HostId from, HostId to) {
  Topology::Route route;
  topology.route(from, to, route);
  std::vector<std::string> result;
  Time latency;
  for (const LinkId link : route.links) {
    result.push_back(topology.links()[link].name);
    latency += topology.links()[link].latency;
  }
  CHECK(latency == route.latency);
  return result;
}
using Names = std::vector<std::string>;
}  // namespace

TEST_CASE("A star's route is up and down; to itself there is none") {
  Topology topology;
  const ZoneId fabric = topology.add_star("fabric");
  const HostId a = topology.add_host("a", fabric, kPort), b = topology.add_host("b", fabric, kPort);
  CHECK(names(topology, a, b) == Names{"a.up", "b.down"});
  CHECK(names(topology, b, a) == Names{"b.up", "a.down"});
  CHECK(names(topology, a, a).empty());
  CHECK(topology.links().size() == 4);
}

TEST_CASE("A mesh has a link of its own for each ordered pair") {
  Topology topology;
  const ZoneId mesh = topology.add_mesh("m", kHop);
  for (const char* name : {"a", "b", "c", "d"}) topology.add_host(name, mesh, {});
  REQUIRE(topology.links().size() == 12);
  for (HostId from = 0; from < 4; ++from) {
    for (HostId to = 0; to < 4; ++to) {
      if (from == to) continue;
      CHECK(names(topology, from, to) == Names{"m:" + std::to_string(from) + '>' + std::to_string(to)});
    }
  }
}

TEST_CASE("A torus is crossed x first, the shorter way around") {
  Topology topology;
  const ZoneId torus = topology.add_torus("t", {4, 3, 2}, kHop);
  for (int i = 0; i < 24; ++i) topology.add_host("h" + std::to_string(i), torus, {});
  const auto host = [](HostId x, HostId y, HostId z) { return x + 4 * (y + 3 * z); };
  CHECK(names(topology, host(0, 0, 0), host(1, 0, 0)) == Names{"t[0,0,0]+x"});
  CHECK(names(topology, host(0, 0, 0), host(3, 0, 0)) == Names{"t[0,0,0]-x"});
  CHECK(names(topology, host(3, 0, 0), host(0, 0, 0)) == Names{"t[3,0,0]+x"});
  CHECK(names(topology, host(1, 0, 0), host(3, 0, 0)) == Names{"t[1,0,0]+x", "t[2,0,0]+x"});  // a tie: forward
  CHECK(names(topology, host(3, 1, 0), host(0, 0, 1)) == Names{"t[3,1,0]+x", "t[0,1,0]-y", "t[0,0,0]+z"});
  CHECK(names(topology, host(0, 0, 1), host(0, 2, 0)) == Names{"t[0,0,1]-y", "t[0,2,1]+z"});
  // Both ways in x and y; a ring of two has one link each way.
  CHECK(topology.links().size() == 24 * 5);
  // No route is longer than half of each ring.
  Topology::Route route;
  for (HostId from = 0; from < 24; ++from) {
    for (HostId to = 0; to < 24; ++to) {
      topology.route(from, to, route);
      CHECK(route.links.size() <= 2 + 1 + 1);
      CHECK((route.links.empty()) == (from == to));
    }
  }
}

TEST_CASE("Children that stand for many have their links in a mesh") {
  Topology topology;
  const ZoneId mesh = topology.add_mesh("m", kHop);
  for (const std::uint32_t lanes : {1u, 2u, 4u}) topology.add_host("h", mesh, {.lanes = lanes});
  Topology::Route route;
  const auto rate = [&](HostId from, HostId to) {
    topology.route(from, to, route);
    return topology.links()[route.links.at(0)].bytes_per_s;
  };
  CHECK(rate(0, 1) == 2e9);
  CHECK(rate(2, 0) == 4e9);
  CHECK(rate(1, 2) == 8e9);
}

TEST_CASE("A torus takes children at given places, and a link of its own kind in each dimension") {
  Topology topology;
  const std::array<LinkSpec, 3> hops = {LinkSpec{1e9, {}}, LinkSpec{2e9, {}}, LinkSpec{3e9, {}}};
  const ZoneId torus = topology.add_torus("t", {3, 3, 3}, hops);
  const HostId a = topology.add_host("a", torus, {.position = 26}), b = topology.add_host("b", torus, {.position = 13});
  CHECK(names(topology, a, b) == Names{"t[2,2,2]-x", "t[1,2,2]-y", "t[1,1,2]-z"});
  Topology::Route route;
  topology.route(a, b, route);
  for (std::size_t d = 0; d < 3; ++d) CHECK(topology.links()[route.links[d]].bytes_per_s == hops[d].bytes_per_s);
  CHECK_THROWS_AS(topology.add_host("c", torus, {.position = 13}), InternalError);
  CHECK_THROWS_AS(topology.add_host("c", torus, {.position = 27}), InternalError);
}

TEST_CASE("A flat torus has no links along its absent dimension, and positions without a host pass traffic on") {
  Topology topology;
  const ZoneId torus = topology.add_torus("t", {5, 2, 1}, kHop);
  for (int i = 0; i < 8; ++i) topology.add_host("h", torus, {});
  CHECK(topology.links().size() == 10 * 3);
  CHECK(names(topology, 7, 0) == Names{"t[2,1,0]-x", "t[1,1,0]-x", "t[0,1,0]+y"});
  CHECK(names(topology, 7, 5) == Names{"t[2,1,0]-x", "t[1,1,0]-x"});
  CHECK(names(topology, 0, 4) == Names{"t[0,0,0]-x"});
  CHECK(names(topology, 4, 6) == Names{"t[4,0,0]+x", "t[0,0,0]+x", "t[1,0,0]+y"});
}

TEST_CASE("Between sites, a route leaves by the outer ports and crosses the common zone by the inner ones") {
  Topology topology;
  const ZoneId wan = topology.add_star("wan");
  const Ports site_ports{{1e8, Time::milliseconds(20)}, {}};
  const ZoneId east = topology.add_star("east", wan, site_ports), west = topology.add_star("west", wan, site_ports);
  const Ports node_ports{{4e10, Time::microseconds(1)}, {1e10, Time::microseconds(3)}};
  const ZoneId node0 = topology.add_star("node0", east, node_ports),
               node1 = topology.add_star("node1", east, node_ports);
  const Ports gpu{{450e9, Time::nanoseconds(500)}, {50e9, Time::microseconds(2)}};
  const HostId g00 = topology.add_host("g00", node0, gpu), g01 = topology.add_host("g01", node0, gpu);
  const HostId g10 = topology.add_host("g10", node1, gpu);
  const HostId far = topology.add_host("far", west, gpu);
  const HostId bare = topology.add_host("bare", node1, {});
  CHECK(names(topology, g00, g01) == Names{"g00.up", "g01.down"});
  CHECK(names(topology, g00, g10) == Names{"g00.nic.up", "node0.up", "node1.down", "g10.nic.down"});
  CHECK(names(topology, g00, far) == Names{"g00.nic.up", "node0.nic.up", "east.up", "west.down", "far.nic.down"});
  CHECK(names(topology, far, g00) == Names{"far.nic.up", "west.up", "east.down", "node0.nic.down", "g00.nic.down"});
  CHECK(names(topology, bare, g00) == Names{"node1.up", "node0.down", "g00.nic.down"});
  Topology::Route route;
  topology.route(g00, far, route);
  CHECK(route.latency == Time::microseconds(2 + 3 + 20'000 + 20'000 + 2));
}

TEST_CASE("A host beside a zone reaches into it") {
  Topology topology;
  const ZoneId fabric = topology.add_star("fabric");
  const HostId store = topology.add_host("store", fabric, kPort);
  const ZoneId node = topology.add_star("node", fabric, kPort);
  const HostId gpu = topology.add_host("gpu", node, kPort);
  CHECK(names(topology, store, gpu) == Names{"store.up", "node.down", "gpu.down"});
  CHECK(names(topology, gpu, store) == Names{"gpu.up", "node.up", "store.down"});
}

TEST_CASE("A topology refuses what cannot be") {
  Topology topology;
  const ZoneId root = topology.add_star("root");
  CHECK_THROWS_AS(topology.add_star("second"), InternalError);
  CHECK_THROWS_AS(topology.add_star("orphan", 7), InternalError);
  CHECK_THROWS_AS(topology.add_host("orphan", 7, kPort), InternalError);
  CHECK_THROWS_AS(topology.add_torus("t", {2, 0, 1}, kHop, root), InternalError);
  CHECK_THROWS_AS(topology.add_torus("t", {2, 1, 1}, {}, root), InternalError);
  const ZoneId pair = topology.add_torus("pair", {2, 1, 1}, kHop, root);
  const HostId a = topology.add_host("a", pair, {});
  topology.add_host("b", pair, {});
  CHECK_THROWS_AS(topology.add_host("c", pair, {}), InternalError);
  Topology::Route route;
  CHECK_THROWS_AS(topology.route(a, 9, route), InternalError);
}
