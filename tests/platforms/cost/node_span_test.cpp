#include "platforms/cost/node_span.hpp"

#include "tests/support/catch.hpp"

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
