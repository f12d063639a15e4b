#include "platforms/cost/node_span.hpp"

#include "tests/platforms/cluster/written_cluster.hpp"

using namespace tokenyard::platforms;

TEST_CASE("A group within a node pays nothing for crossing") {
  for (const NodeSpan span : {NodeSpan(), NodeSpan{8, 50e9, 5e-6}}) {
    CHECK(span.nodes(8) == 1);
    CHECK(span.within(4) == 4);
    CHECK(span.all_reduce_s(1e9, 8) == 0);
    CHECK(span.all_to_all_s(1e9, 8) == 0);
  }
}

TEST_CASE("A group on several nodes pays a ring between them for its share") {
  const NodeSpan span{8, 50e9, 5e-6};
  CHECK(span.nodes(16) == 2);
  CHECK(span.within(16) == 8);
  // 2 steps of 5 us and of 16 MB / 8 chips / 2 nodes at 50 GB/s = 20 us.
  CHECK(span.all_reduce_s(16e6, 16) == Approx(2 * (5e-6 + 20e-6)));
  // 4 nodes: 6 steps of a quarter of an eighth.
  CHECK(span.all_reduce_s(16e6, 32) == Approx(6 * (5e-6 + 10e-6)));
  // 12 chips are 8 and 4: the node of 4 has half as many NICs.
  CHECK(span.all_reduce_s(16e6, 12) == Approx(2 * (5e-6 + 40e-6)));
  // Of 32 chips, 24 are elsewhere.
  CHECK(span.all_to_all_s(1e6, 32) == Approx(5e-6 + 0.75e6 / 50e9));
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
