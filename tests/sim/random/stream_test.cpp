#include "sim/random/stream.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

TEST_CASE("Philox gives the published answers (Random123, kat_vectors)") {
  using Block = std::array<std::uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t f = 0xffffffff;
  CHECK(philox4x32({f, f, f, f}, {f, f}) == Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("A stream depends on seed, name, entity and visit, and on nothing else") {
  Stream a(1, StreamName("x"), 7, 2), same(1, StreamName("x"), 7, 2);
  const std::uint64_t first = a.bits();
  CHECK(first == same.bits());
  CHECK(first != Stream(2, StreamName("x"), 7, 2).bits());
  CHECK(first != Stream(1, StreamName("y"), 7, 2).bits());
  CHECK(first != Stream(1, StreamName("x"), 8, 2).bits());
  CHECK(first != Stream(1, StreamName("x"), 7, 3).bits());
}
