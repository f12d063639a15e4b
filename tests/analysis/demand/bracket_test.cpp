#include "analysis/demand/bracket.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using tokenyard::analysis::fewest_meeting;

TEST_CASE("Bracket: the fewest that pass, whatever they are, in few tests") {
  for (std::int64_t answer = 1; answer <= 200; ++answer) {
    std::int64_t asked = 0;
    const auto found = fewest_meeting(200, [&](std::int64_t n) {
      ++asked;
      return n >= answer;
    });
    CHECK(found == answer);
    CHECK(static_cast<double>(asked) <= 2 * std::log2(static_cast<double>(answer)) + 3);
  }
}

TEST_CASE("Bracket: nothing where the most fails, and the most is asked") {
  CHECK_FALSE(fewest_meeting(100, [](std::int64_t) { return false; }));
  CHECK_FALSE(fewest_meeting(0, [](std::int64_t) { return true; }));
  CHECK(fewest_meeting(100, [](std::int64_t n) { return n == 100; }) == 100);
}
