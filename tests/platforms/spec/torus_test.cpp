#include "platforms/spec/torus.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;

TEST_CASE("The most compact box of a number of chips") {
  CHECK(most_compact(256, 2) == TorusShape{16, 16, 1});
  CHECK(most_compact(8, 2) == TorusShape{2, 4, 1});
  CHECK(most_compact(64, 3) == TorusShape{4, 4, 4});
  CHECK(most_compact(128, 3) == TorusShape{4, 4, 8});
  CHECK(most_compact(9216, 3) == TorusShape{16, 24, 24});
  CHECK(most_compact(7, 3) == TorusShape{7, 1, 1});
  CHECK(most_compact(1, 3) == TorusShape{1, 1, 1});
  CHECK(most_compact(12, 1) == TorusShape{12, 1, 1});
  for (std::int64_t chips = 1; chips <= 300; ++chips) {
    CHECK(volume(most_compact(chips, 2)) == chips);
    CHECK(volume(most_compact(chips, 3)) == chips);
  }
}

TEST_CASE("A block holds its chips with the least to spare, and tiles the pod if it can") {
  CHECK(smallest_block(8, {16, 16, 1}) == TorusShape{4, 2, 1});
  CHECK(smallest_block(8, {4, 4, 4}) == TorusShape{2, 2, 2});
  CHECK(smallest_block(4, {2, 8, 1}) == TorusShape{2, 2, 1});
  CHECK(smallest_block(16, {16, 2, 1}) == TorusShape{8, 2, 1});
  CHECK(smallest_block(7, {4, 4, 1}) == TorusShape{4, 2, 1});  // 7 in a row do not go in
  CHECK(smallest_block(64, {4, 4, 4}) == TorusShape{4, 4, 4});
  const TorusShape pod{6, 4, 3};
  for (std::int64_t chips = 1; chips <= volume(pod); ++chips) {
    const TorusShape block = smallest_block(chips, pod);
    CHECK(volume(block) >= chips);
    CHECK((block[0] <= 6 && block[1] <= 4 && block[2] <= 3));
  }
}

TEST_CASE("A box fits if some turn of it does; its text leaves absent dimensions out") {
  CHECK(fits_within({2, 16, 1}, {16, 16, 1}));
  CHECK(fits_within({4, 1, 2}, {2, 4, 1}));
  CHECK_FALSE(fits_within({2, 32, 1}, {16, 16, 1}));
  CHECK_FALSE(fits_within({2, 2, 2}, {16, 16, 1}));
  CHECK(to_text({16, 16, 1}) == "16x16");
  CHECK(to_text({4, 1, 2}) == "4x1x2");
  CHECK(to_text({7, 1, 1}) == "7");
}
