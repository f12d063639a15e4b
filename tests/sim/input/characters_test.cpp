#include "sim/input/characters.hpp"

#include "tests/support/catch.hpp"

using tokenyard::sim::characters;

TEST_CASE("Characters are counted, not bytes") {
  CHECK(characters("") == 0);
  CHECK(characters("plain") == 5);
  CHECK(characters("50 µs → 1 €") == 11);
}
