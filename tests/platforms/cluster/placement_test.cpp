/// Where replicas lie, over which links they speak, and how long a transfer takes: worked out by hand for each
/// topology.

#include "platforms/cluster/placement.hpp"

#include <set>

#include "sim/network/analytic_network.hpp"
#include "tests/platforms/cluster/written_cluster.hpp"
#include "tests/sim/network/arrivals.hpp"
#include "tests/support/cpu_clock.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;
using Catch::Matchers::Contains;
using sim::Time;

namespace {

PlacementRequest pool(const std::string& name, const std::string& chip_name, std::int64_t replicas, std::int64_t chips,
                      std::int64_t tp = 0) {
  return {.name = name, .chip = &chip(chip_name), .replicas = replicas, .chips = chips, .tp = tp == 0 ? chips : tp};
}

struct Sent {
  const ReplicaPlace& from;
  const ReplicaPlace& to;
};

/// When transfers of `bytes` that begin together at 0 arrive.
std::vector<Time> arrivals(const Placement& placement, double bytes, const std::vector<Sent>& sent) {
  sim::Simulation simulation;
  sim::AnalyticNetwork network(placement.topology, simulation);
  sim::Arrivals noted(sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) noted.send(network, sent[i].from.host, sent[i].to.host, bytes, i);
  network.run(simulation);
  return noted.dates;
}

Time arrival(const Placement& placement, double bytes, const ReplicaPlace& from, const ReplicaPlace& to) {
  return arrivals(placement, bytes, {{from, to}}).front();
}

std::vector<std::string> links(const Placement& placement, const ReplicaPlace& from, const ReplicaPlace& to) {
  sim::Topology::Route route;
  placement.topology.route(from.host, to.host, route);
  std::vector<std::string> names;
  for (const sim::LinkId link : route.links) names.push_back(placement.topology.links()[link].name);
  return names;
}
using Names = std::vector<std::string>;

std::vector<std::uint32_t> nodes(const std::vector<ReplicaPlace>& places) {
  std::vector<std::uint32_t> result;
  for (const ReplicaPlace& place : places) result.push_back(place.node);
  return result;
}
using Nodes = std::vector<std::uint32_t>;

std::string infeasible(const Cluster& cluster, const std::vector<PlacementRequest>& pools) {
  try {
    place(cluster, pools);
  } catch (const sim::Infeasible& why) {
    return why.what();
  }
  return "";
}

const Time kFabric = Time::microseconds(5);
const Time kInNode = Time::microseconds(2);

}  // namespace

TEST_CASE("Within a switched node the scale-up links of a replica's chips carry its transfers") {
  const Placement p = place(one_site("h100-sxm", 1, 8), {pool("a", "h100-sxm", 2, 2)});
  CHECK(links(p, p.pools[0][0], p.pools[0][1]) == Names{"east/h100-sxm0:a/0.up", "east/h100-sxm0:a/1.down"});
  // 2 chips at 450 GB/s.
  CHECK(arrival(p, 9e9, p.pools[0][0], p.pools[0][1]) == kInNode + Time::milliseconds(10));
}

TEST_CASE("Between nodes the NICs of a replica's chips do") {
  const Placement p = place(one_site("h100-sxm", 2, 8), {pool("a", "h100-sxm", 2, 8)});
  CHECK(links(p, p.pools[0][0], p.pools[0][1]) == Names{"east/h100-sxm0:a/0.nic.up", "east/h100-sxm1:a/1.nic.down"});
  // 8 chips at 50 GB/s.
  CHECK(arrival(p, 4e9, p.pools[0][0], p.pools[0][1]) == kFabric + Time::milliseconds(10));
}

TEST_CASE("In a star the replicas of a node share its port; in a rail fabric each has its part of it") {
  const std::vector<PlacementRequest> pools = {pool("a", "h100-sxm", 4, 4)};
  const auto both = [](const Placement& p) {
    return std::vector<Sent>{{p.pools[0][0], p.pools[0][2]}, {p.pools[0][1], p.pools[0][3]}};
  };

  const Placement star =
      place(one_site("h100-sxm", 2, 8, R"("fabric": {"bytes_per_s": 1e11, "latency_s": 8e-6})"), pools);
  CHECK(links(star, star.pools[0][0], star.pools[0][2]) ==
        Names{"east/h100-sxm0:a/0.nic.up", "east/h100-sxm0.up", "east/h100-sxm1.down", "east/h100-sxm1:a/2.nic.down"});
  CHECK(arrival(star, 1e9, star.pools[0][0], star.pools[0][2]) == Time::microseconds(8) + Time::milliseconds(10));
  CHECK(arrivals(star, 1e9, both(star)) == std::vector<Time>(2, Time::microseconds(8) + Time::milliseconds(20)));

  const Placement rail = place(
      one_site("h100-sxm", 2, 8, R"("fabric": {"topology": "rail", "bytes_per_s": 1e11, "latency_s": 8e-6})"), pools);
  CHECK(links(rail, rail.pools[0][0], rail.pools[0][2]) ==
        Names{"east/h100-sxm0:a/0.nic.up", "east/h100-sxm1:a/2.nic.down"});
  CHECK(arrival(rail, 1e9, rail.pools[0][0], rail.pools[0][2]) == Time::microseconds(8) + Time::milliseconds(20));
  CHECK(arrivals(rail, 1e9, both(rail)) == std::vector<Time>(2, Time::microseconds(8) + Time::milliseconds(20)));
}

TEST_CASE("A remote store hangs beside the nodes and sends into the NICs of a replica's chips") {
  std::vector<PlacementRequest> pools = {pool("a", "h100-sxm", 4, 4)};
  pools[0].store_bytes_per_s = 0;
  const Placement p = place(one_site("h100-sxm", 2, 8), pools);
  const ReplicaPlace store{.host = p.stores[0]};
  CHECK(links(p, store, p.pools[0][3]) == Names{"east/a:store.up", "east/h100-sxm1:a/3.nic.down"});
  CHECK(arrival(p, 2e9, store, p.pools[0][3]) == kFabric + Time::milliseconds(10));  // 4 chips at 50 GB/s
  CHECK(p.nodes(0) == Nodes{0, 0, 1, 1});
  pools[0].store_bytes_per_s = 1e9;
  const Placement slow = place(one_site("h100-sxm", 2, 8), pools);
  CHECK(arrival(slow, 2e9, {.host = slow.stores[0]}, slow.pools[0][0]) == kFabric + Time::seconds(2));
  CHECK_THAT(infeasible(one_site("h100-sxm", 2, 8, R"("fabric": {"topology": "none"})"), pools),
             Contains("a remote store of KV needs a fabric"));
}

TEST_CASE("Between sites the wide-area link is crossed, and its latency adds to the fabric's") {
  const Cluster cluster = cluster_of(
      R"({"sites": [{"name": "east", "nodes": [{"chip": "h100-sxm"}]}, {"name": "west", "nodes": [{"chip": "h100-sxm"}]}],
                                       "wan": {"bytes_per_s": 1e10, "latency_s": 0.03}})");
  const Placement p = place(cluster, {pool("a", "h100-sxm", 2, 8)});
  CHECK(p.pools[0][1].site == 1);
  CHECK(links(p, p.pools[0][0], p.pools[0][1]) ==
        Names{"east/h100-sxm0:a/0.nic.up", "east.up", "west.down", "west/h100-sxm0:a/1.nic.down"});
  CHECK(arrival(p, 1e9, p.pools[0][0], p.pools[0][1]) == kFabric + Time::milliseconds(30) + Time::milliseconds(100));
}

TEST_CASE("In a mesh every pair of chips has its link") {
  const Placement p = place(one_site("mi300x", 1, 8),
                            {pool("a", "mi300x", 1, 4), pool("b", "mi300x", 1, 2), pool("c", "mi300x", 2, 1)});
  const auto& [a, b, c] = std::tie(p.pools[0][0], p.pools[1][0], p.pools[2]);
  // 64 GB/s a link: one between two chips, 4 · 2 between 4 chips and 2.
  CHECK(arrival(p, 64e7, c[0], c[1]) == kInNode + Time::milliseconds(10));
  CHECK(arrival(p, 512e7, a, b) == kInNode + Time::milliseconds(10));
  CHECK(links(p, a, b) == Names{"east/mi300x0:0>1"});
  // Pairs do not disturb one another.
  CHECK(arrivals(p, 64e7, {{c[0], c[1]}, {c[0], b}}) ==
        std::vector<Time>{kInNode + Time::milliseconds(10), kInNode + Time::milliseconds(5)});
}

TEST_CASE("In a 2-D torus the faces between the boxes of replicas carry transfers, hop by hop") {
  const Placement p = place(one_site("tpu-v6e", 1, 256), {pool("a", "tpu-v6e", 32, 8)});
  const auto& a = p.pools[0];
  // Boxes of 4x2 chips, 4x8 of them. A link has 100 GB/s: 2 of them join neighbours along x, 4 along y.
  CHECK(links(p, a[0], a[1]) == Names{"east/tpu-v6e0[0,0,0]+x"});
  CHECK(arrival(p, 2e9, a[0], a[1]) == Time::microseconds(1) + Time::milliseconds(10));
  CHECK(arrival(p, 4e9, a[0], a[4]) == Time::microseconds(1) + Time::milliseconds(10));
  CHECK(links(p, a[0], a[5]) == Names{"east/tpu-v6e0[0,0,0]+x", "east/tpu-v6e0[1,0,0]+y"});
  CHECK(arrival(p, 2e9, a[0], a[5]) == Time::microseconds(2) + Time::milliseconds(10));
  // Around the edge: one hop back, not three ahead.
  CHECK(links(p, a[0], a[3]) == Names{"east/tpu-v6e0[0,0,0]-x"});
  // A hop that two share gives each half, from 2 us on, when the second has come to it; alone again, the second has 1
  // us to go.
  CHECK(arrivals(p, 2e9, {{a[0], a[1]}, {a[3], a[1]}}) ==
        std::vector<Time>{Time::milliseconds(20), Time::milliseconds(20) + Time::microseconds(1)});
}

TEST_CASE("In a 3-D torus too; pods are joined by the NICs") {
  const Placement p = place(one_site("tpu-v7", 2, 64), {pool("a", "tpu-v7", 16, 8)});
  const auto& a = p.pools[0];
  // Boxes of 2x2x2; 4 links of 100 GB/s in each direction.
  CHECK(links(p, a[0], a[7]) == Names{"east/tpu-v70[0,0,0]+x", "east/tpu-v70[1,0,0]+y", "east/tpu-v70[1,1,0]+z"});
  CHECK(arrival(p, 4e9, a[0], a[7]) == Time::microseconds(3) + Time::milliseconds(10));
  CHECK(a[8].node == 1);
  CHECK(links(p, a[0], a[8]) == Names{"east/tpu-v70:a/0.nic.up", "east/tpu-v71:a/8.nic.down"});
  CHECK(arrival(p, 1e9, a[0], a[8]) == kFabric + Time::milliseconds(10));  // 8 at 12.5 GB/s
}

TEST_CASE("Pools with other boxes in one pod meet on the positions of their common unit") {
  const Placement p = place(one_site("tpu-v6e", 1, 16), {pool("a", "tpu-v6e", 1, 4), pool("b", "tpu-v6e", 2, 1)});
  // Single chips: a hop is one link of 100 GB/s. The 2x2 box lies at [0,0], the chips at its right.
  CHECK(links(p, p.pools[1][0], p.pools[1][1]) == Names{"east/tpu-v6e0[2,0,0]+x"});
  CHECK(links(p, p.pools[0][0], p.pools[1][0]) == Names{"east/tpu-v6e0[0,0,0]+x", "east/tpu-v6e0[1,0,0]+x"});
  CHECK(arrival(p, 1e9, p.pools[0][0], p.pools[1][0]) == Time::microseconds(2) + Time::milliseconds(10));
}

TEST_CASE("Nodes in a torus pass traffic on from neighbour to neighbour") {
  const Placement p =
      place(one_site("trainium2", 4, 16,
                     R"("fabric": {"topology": "torus", "shape": [4], "bytes_per_s": 1e11, "latency_s": 3e-6})"),
            {pool("a", "trainium2", 4, 16)});
  const auto& a = p.pools[0];
  CHECK(arrival(p, 1e9, a[0], a[1]) == Time::microseconds(3) + Time::milliseconds(10));
  CHECK(arrival(p, 1e9, a[0], a[2]) == Time::microseconds(6) + Time::milliseconds(10));
  CHECK(arrival(p, 1e9, a[0], a[3]) == Time::microseconds(3) + Time::milliseconds(10));
}

TEST_CASE("A replica on several nodes speaks with all their NICs") {
  const Placement p = place(one_site("h100-sxm", 4, 8, R"("fabric": {"bytes_per_s": 2e11})"),
                            {pool("big", "h100-sxm", 1, 16), pool("a", "h100-sxm", 2, 8)});
  CHECK(p.pools[0][0].nodes == 2);
  CHECK(nodes(p.pools[1]) == Nodes{2, 3});
  // To one node at its 200 GB/s; to both of the others at twice that, its own limit.
  CHECK(arrival(p, 2e9, p.pools[0][0], p.pools[1][0]) == kFabric + Time::milliseconds(10));
  CHECK(arrivals(p, 2e9, {{p.pools[0][0], p.pools[1][0]}, {p.pools[0][0], p.pools[1][1]}}) ==
        std::vector<Time>(2, kFabric + Time::milliseconds(10)));
}

TEST_CASE("Pools take the first free chips; a replica that a node can hold is not spread over two") {
  const Placement p = place(one_site("h100-sxm", 2, 8),
                            {pool("a", "h100-sxm", 1, 6), pool("b", "h100-sxm", 1, 4), pool("c", "h100-sxm", 2, 2)});
  CHECK(nodes(p.pools[0]) == Nodes{0});
  CHECK(nodes(p.pools[1]) == Nodes{1});
  CHECK(nodes(p.pools[2]) == Nodes{0, 1});
  CHECK_THAT(infeasible(one_site("h100-sxm", 2, 8), {pool("a", "h100-sxm", 2, 5), pool("b", "h100-sxm", 1, 4)}),
             Contains("pool \"b\": replica 0 of 4 chips h100-sxm") && Contains("no node") && Contains("fewer"));
}

TEST_CASE("A larger replica takes whole nodes and shares the last") {
  const Placement p = place(one_site("h100-sxm", 3, 8), {pool("a", "h100-sxm", 2, 12, 4)});
  CHECK(nodes(p.pools[0]) == Nodes{0, 2});  // 8 + 4 on nodes 0 and 1, 8 + 4 on nodes 2 and 1
  CHECK(p.pools[0][1].nodes == 2);
  // Tensor-parallel groups of 6 are not cut: one a node.
  CHECK(place(one_site("h100-sxm", 3, 8), {pool("a", "h100-sxm", 1, 18, 6)}).pools[0][0].nodes == 3);
  CHECK_THAT(infeasible(one_site("h100-sxm", 2, 8), {pool("a", "h100-sxm", 1, 18, 6)}),
             Contains("not enough free nodes"));
}

TEST_CASE("A replica stays at one site, and leaves no chips taken where it found too few") {
  const Cluster cluster = cluster_of(
      R"({"sites": [{"name": "east", "nodes": [{"chip": "h100-sxm", "count": 2}]}, {"name": "west", "nodes": [{"chip": "h100-sxm", "count": 3}]}]})");
  const Placement p = place(cluster, {pool("a", "h100-sxm", 1, 20, 4), pool("b", "h100-sxm", 1, 16)});
  CHECK(p.pools[0][0].site == 1);
  CHECK(p.pools[1][0].site == 0);
  CHECK_THAT(infeasible(cluster, {pool("a", "h100-sxm", 1, 32)}), Contains("not enough free nodes"));
}

TEST_CASE("A pool that names a site stays there") {
  const Cluster cluster = cluster_of(
      R"({"sites": [{"name": "east", "nodes": [{"chip": "h100-sxm"}]}, {"name": "west", "nodes": [{"chip": "h100-sxm"}]}]})");
  PlacementRequest west = pool("a", "h100-sxm", 2, 4);
  west.site = "west";
  const Placement p = place(cluster, {west});
  CHECK(p.pools[0][0].site == 1);
  CHECK(p.pools[0][1].site == 1);
  west.replicas = 3;
  CHECK_THAT(infeasible(cluster, {west}), Contains("site \"west\""));
  west.chip = &chip("mi300x");
  west.pointer = "/pools/3";
  CHECK_THAT(infeasible(cluster, {west}),
             Catch::Matchers::StartsWith("/pools/3: pool \"a\"") && Contains("finds none in site \"west\""));
}

TEST_CASE("Without a fabric a replica and its KV stay in a node") {
  const Cluster cluster = one_site("h100-sxm", 2, 8, R"("fabric": {"topology": "none"})");
  CHECK_THAT(infeasible(cluster, {pool("a", "h100-sxm", 1, 16)}), Contains("joins no nodes"));
  PlacementRequest prefill = pool("p", "h100-sxm", 1, 4);
  prefill.sends_to = 1;
  CHECK(infeasible(cluster, {prefill, pool("d", "h100-sxm", 1, 4)}).empty());
  CHECK_THAT(infeasible(cluster, {prefill, pool("d", "h100-sxm", 2, 4)}),
             Contains("\"p\" hands its KV over to pool \"d\"") && Contains("fabric"));
}

TEST_CASE("Replicas in a torus take boxes, and never a chip twice") {
  CHECK(infeasible(one_site("tpu-v7", 1, 64), {pool("a", "tpu-v7", 8, 8)}).empty());
  CHECK_THAT(infeasible(one_site("tpu-v7", 1, 64), {pool("a", "tpu-v7", 9, 8)}), Contains("no node"));
  // Rows of 3 in a 4x4: one a row, the fourth chip is left over, for a pool of single chips.
  CHECK(infeasible(one_site("tpu-v6e", 1, 16), {pool("a", "tpu-v6e", 4, 3), pool("b", "tpu-v6e", 4, 1)}).empty());
  CHECK_FALSE(infeasible(one_site("tpu-v6e", 1, 16), {pool("a", "tpu-v6e", 5, 3)}).empty());
  // 7 chips take a box of 8.
  CHECK_FALSE(infeasible(one_site("tpu-v6e", 1, 16), {pool("a", "tpu-v6e", 2, 7), pool("b", "tpu-v6e", 1, 1)}).empty());
  // Larger than a pod: whole pods.
  CHECK(place(one_site("tpu-v6e", 2, 16), {pool("a", "tpu-v6e", 1, 32)}).pools[0][0].nodes == 2);
}

TEST_CASE("A million chips are placed in about a second") {
  const auto seconds = [](const Cluster& cluster, const std::vector<PlacementRequest>& pools) {
    const CpuClock clock;
    const Placement p = place(cluster, pools);
    const double took = clock.seconds();
    std::set<sim::HostId> hosts;
    for (std::size_t i = 0; i < pools.size(); ++i) {
      CHECK(std::ssize(p.pools[i]) == pools[i].replicas);
      for (const sim::HostId host : p.hosts(i)) hosts.insert(hosts.end(), host);
    }
    CHECK(hosts.size() == p.topology.hosts());
    WARN(p.topology.hosts() << " replicas on " << cluster.chips() << " chips: " << took << " s, "
                            << p.topology.links().size() << " links");
    return took;
  };
  // Ten times the second, for slow and busy machines; a scan of nodes for each replica takes minutes.
  CHECK(seconds(one_site("h100-sxm", 125'000, 8),
                {pool("large", "h100-sxm", 30'000, 16), pool("node", "h100-sxm", 60'000, 8),
                 pool("half", "h100-sxm", 10'000, 4)}) < 10);
  CHECK(seconds(one_site("tpu-v7", 108, 9216),
                {pool("cube", "tpu-v7", 1'000, 64), pool("block", "tpu-v7", 99'000, 8)}) < 10);
}
