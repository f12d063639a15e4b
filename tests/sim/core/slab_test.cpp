#include "sim/core/slab.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

TEST_CASE("Slab: places are used again, the last first, and objects stay where they are") {
  Slab<int> slab;
  for (std::uint32_t i = 0; i < 200; ++i) {
    REQUIRE(slab.take() == i);
    slab[i] = static_cast<int>(i);
  }
  const int* const first = &slab[0];
  slab.give_back(7);
  slab.give_back(130);
  CHECK(slab.in_use() == 198);
  CHECK(slab.take() == 130);
  CHECK(slab.take() == 7);
  CHECK(slab.take() == 200);
  CHECK(slab.size() == 201);
  CHECK(&slab[0] == first);
  for (std::uint32_t i = 0; i < 200; ++i) CHECK(slab[i] == static_cast<int>(i));
}
