#include "platforms/cluster/cluster.hpp"

#include "platforms/cluster/placement.hpp"
#include "tests/platforms/cluster/written_cluster.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;
using Catch::Matchers::Contains;

TEST_CASE("A cluster has defaults for all but its nodes") {
  const Cluster cluster = cluster_of(
      R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}, {"nodes": [{"chip": "tpu-v6e", "chips_per_node": 256}]}]})");
  REQUIRE(cluster.sites.size() == 2);
  CHECK(cluster.site_names() == std::vector<std::string>{"site0", "site1"});
  CHECK(cluster.chips() == 8 + 256);
  CHECK(cluster.chips_of(chip("tpu-v6e")) == 256);
  CHECK(cluster.chips_of(chip("tpu-v6e"), "site0") == 0);
  CHECK(cluster.sites[1].groups[0].shape == TorusShape{16, 16, 1});
  CHECK(cluster.sites[0].fabric.topology == FabricTopology::kStar);
  CHECK(cluster.pue == 1.2);
  CHECK(cluster.warnings.empty());
}

TEST_CASE("A site may have a fabric of its own; a torus of nodes has the most compact shape unless it is written") {
  const Cluster cluster = cluster_of(R"({"sites": [
      {"name": "a", "nodes": [{"chip": "h100-sxm", "count": 4}]},
      {"name": "b", "nodes": [{"chip": "h100-sxm", "count": 12}], "fabric": {"topology": "torus", "bytes_per_s": 1e11}},
      {"name": "c", "nodes": [{"chip": "h100-sxm", "count": 12}], "fabric": {"topology": "torus", "bytes_per_s": 1e11, "shape": [12]}}],
      "fabric": {"topology": "rail", "bytes_per_s": 2e11}})");
  CHECK(cluster.sites[0].fabric.topology == FabricTopology::kRail);
  CHECK(cluster.sites[1].fabric.shape == TorusShape{2, 2, 3});
  CHECK(cluster.sites[2].fabric.shape == TorusShape{12, 1, 1});
  Site grown = cluster.sites[2];
  grown.add_nodes(grown.groups[0], 15);
  CHECK(grown.nodes() == 27);
  CHECK(grown.fabric.shape == TorusShape{3, 3, 3});
  // What a chip may send out of its node: the share of the fabric, the NIC, a link of the torus.
  CHECK(cluster.sites[0].chip_bytes_per_s(cluster.sites[0].groups[0]) == 2.5e10);
  CHECK(cluster.sites[1].chip_bytes_per_s(cluster.sites[1].groups[0]) == 1.25e10);
}

TEST_CASE("Every cluster of the catalogue can be built and filled, and its ends can speak") {
  for (const std::string& name : built_in_catalog().names(CatalogKind::kCluster)) {
    INFO(name);
    const Cluster cluster = cluster_of('"' + name + '"');
    CHECK(cluster.warnings.empty());
    std::vector<PlacementRequest> pools;
    for (const Site& site : cluster.sites) {
      for (const NodeGroup& group : site.groups)
        pools.push_back({.name = group.chip->name, .chip = group.chip, .replicas = group.chips(), .site = site.name});
    }
    const Placement placement = place(cluster, pools);
    CHECK(std::ssize(placement.pools.front()) == pools.front().replicas);
    CHECK(static_cast<std::int64_t>(placement.topology.hosts()) == cluster.chips());
    sim::Topology::Route route;
    placement.topology.route(placement.pools.front().front().host, placement.pools.back().back().host, route);
    CHECK_FALSE(route.links.empty());
  }
}

TEST_CASE("Every fault of a cluster is found, with its place and what is allowed there") {
  struct Case {
    const char* cluster;
    const char* pointer;
    const char* allowed;
  };
  const std::vector<Case> cases = {
      {R"("hgx-h100")", "/cluster", "hgx-h100-4x8"},
      {R"(7)", "/cluster", "object"},
      {R"({})", "/cluster/sites", "required"},
      {R"({"sites": []})", "/cluster/sites", "at least one site"},
      {R"({"sites": [{"nodes": []}]})", "/cluster/sites/0/nodes", "at least one group"},
      {R"({"sites": [{}]})", "/cluster/sites/0/nodes", "required"},
      {R"({"sites": [{"nodes": [{"chip": "h100"}]}]})", "/cluster/sites/0/nodes/0/chip", "h100-sxm"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm", "count": 0}]}]})", "/cluster/sites/0/nodes/0/count", "1"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm", "chips_per_node": 16}]}]})",
       "/cluster/sites/0/nodes/0/chips_per_node", "at most 8"},
      {R"({"sites": [{"nodes": [{"chip": "gb200-nvl72", "chips_per_node": 144}]}]})",
       "/cluster/sites/0/nodes/0/chips_per_node", "at most 72"},
      {R"({"sites": [{"nodes": [{"chip": "tpu-v6e", "chips_per_node": 512}]}]})",
       "/cluster/sites/0/nodes/0/chips_per_node", "at most 256"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm", "shape": [2, 4]}]}]})", "/cluster/sites/0/nodes/0/shape",
       "switch"},
      {R"({"sites": [{"nodes": [{"chip": "tpu-v6e", "chips_per_node": 64, "shape": [8, 4]}]}]})",
       "/cluster/sites/0/nodes/0/shape", "8x8"},
      {R"({"sites": [{"nodes": [{"chip": "tpu-v6e", "chips_per_node": 64, "shape": [4, 4, 4]}]}]})",
       "/cluster/sites/0/nodes/0/shape", "at most 2 extents"},
      {R"({"sites": [{"nodes": [{"chip": "tpu-v6e", "chips_per_node": 64, "shape": [2, 32]}]}]})",
       "/cluster/sites/0/nodes/0/shape", "16x16"},
      {R"({"sites": [{"nodes": [{"chip": "tpu-v6e", "chips_per_node": 64, "shape": "8x8"}]}]})",
       "/cluster/sites/0/nodes/0/shape", "array"},
      {R"({"sites": [{"nodes": [{"chip": "tpu-v6e", "chips_per_node": 34}]}]})",
       "/cluster/sites/0/nodes/0/chips_per_node", "16x16"},
      {R"({"sites": [{"name": "a", "nodes": [{"chip": "h100-sxm"}]}, {"name": "a", "nodes": [{"chip": "h100-sxm"}]}]})",
       "/cluster/sites/1/name", "no other site"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}], "fabric": {"topology": "ring"}})", "/cluster/fabric/topology",
       "rail"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}], "fabric": {"bytes_per_s": 0}})", "/cluster/fabric/bytes_per_s",
       "0"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}], "fabric": {"shape": [2, 2]}})", "/cluster/fabric/shape",
       "torus"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm", "count": 4}]}], "fabric": {"topology": "torus"}})",
       "/cluster/fabric/bytes_per_s", "torus needs"},
      {R"({"sites": [{"name": "a", "nodes": [{"chip": "h100-sxm", "count": 4}]}], "fabric": {"topology": "torus", "bytes_per_s": 1e9, "shape": [3, 2]}})",
       "/cluster/fabric/shape", "the 4 nodes of site \"a\""},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm", "count": 4}], "fabric": {"topology": "torus", "bytes_per_s": 1e9, "shape": [3]}}]})",
       "/cluster/sites/0/fabric/shape", "4 nodes"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}], "wan": {"latency_s": -1}})", "/cluster/wan/latency_s", "0"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}], "pue": 0.9})", "/cluster/pue", "1"},
      {R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}], "fabrik": {}})", "/cluster/fabrik", "fabric"},
  };
  for (const Case& bad : cases) {
    INFO(bad.cluster);
    sim::Faults faults;
    read_cluster(bad.cluster, faults);
    REQUIRE(faults.size() == 1);
    CHECK(faults.list()[0].place == bad.pointer);
    CHECK_THAT(faults.list()[0].message(), Contains(bad.allowed));
  }
}

TEST_CASE("Faults are collected, not one at a time") {
  sim::Faults faults;
  read_cluster(R"({"sites": [{"nodes": [{"chip": "h100", "count": -1}, {"chip": "mi300x", "chips_per_node": 9}]}],
                   "fabric": {"topology": "torus"}, "pue": 0})",
               faults);
  CHECK(faults.size() == 5);
}

TEST_CASE("What is allowed but seldom meant is a warning") {
  const Cluster wide = one_site("rtx-4090", 1, 10);
  REQUIRE(wide.warnings.size() == 1);
  CHECK_THAT(wide.warnings[0], Contains("/cluster/sites/0/nodes/0") && Contains("at most 8"));
  const Cluster fast = one_site("h100-sxm", 2, 8, R"("fabric": {"bytes_per_s": 8e11})");
  REQUIRE(fast.warnings.size() == 1);
  CHECK_THAT(fast.warnings[0], Contains("/cluster/fabric/bytes_per_s") && Contains("NICs"));
}

TEST_CASE("What a node may send is known from its chips' NICs or from the fabric") {
  const Chip& maia = chip("maia-200");
  CHECK_FALSE(one_site("maia-200", 2, 4).knows_rate_of(maia));
  CHECK(one_site("maia-200", 2, 4, R"("fabric": {"bytes_per_s": 2e11})").knows_rate_of(maia));
  CHECK(one_site("h100-sxm", 2, 8).knows_rate_of(chip("h100-sxm")));
}

TEST_CASE("A cluster says how replicas will lie on its nodes") {
  const Chip& h100 = chip("h100-sxm");
  const Cluster plain = one_site("h100-sxm", 4, 8);
  CHECK_FALSE(plain.span(h100, 8, 8).crosses(8));
  const NodeSpan two = plain.span(h100, 16, 16);
  CHECK(two.chips_per_node == 8);
  CHECK(two.bytes_per_s == 50e9);  // the NIC
  CHECK(two.latency_s == 5e-6);
  // Tensor-parallel groups of 6 stay whole: one in each node.
  CHECK(plain.span(h100, 12, 6).chips_per_node == 6);
  // The fabric's share, if it is less than the NIC.
  CHECK(one_site("h100-sxm", 4, 8, R"("fabric": {"bytes_per_s": 8e10})").span(h100, 16, 16).bytes_per_s == 1e10);
  // A larger node elsewhere holds the replica whole; at the site that is asked for, it does not.
  const Cluster mixed =
      cluster_of(R"({"sites": [{"name": "small", "nodes": [{"chip": "h100-sxm", "chips_per_node": 4, "count": 4}]},
                                               {"name": "large", "nodes": [{"chip": "h100-sxm"}]}]})");
  CHECK_FALSE(mixed.span(h100, 8, 8).crosses(8));
  CHECK(mixed.span(h100, 8, 8, "small").nodes(8) == 2);
  CHECK(mixed.span(h100, 16, 16).chips_per_node == 4);
}
