#include "platforms/cost/collective.hpp"

#include "platforms/spec/catalog.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

const Chip& chip(const char* name) { return *built_in_catalog().find_chip(name); }

}  // namespace

TEST_CASE("all-reduce: fitted, between fitted, and from the link") {
  const Chip& h100 = chip("h100-sxm");
  for (const double bytes : {1e4, 1e6, 1e8}) {
    CAPTURE(bytes);
    const double four = all_reduce_s(h100, 4, bytes).value(), eight = all_reduce_s(h100, 8, bytes).value();
    CHECK(all_reduce_s(h100, 6, bytes).value() == Approx((four + eight) / 2));
    CHECK(all_reduce_s(h100, 72, bytes) == eight);
  }
  CHECK(all_reduce_s(h100, 8, 1e8).value() > 1.75 * 1e8 / 450e9);  // not faster than the links
  const double latency = all_reduce_s(chip("mi300x"), 4, 0).value();
  CHECK(all_reduce_s(chip("mi300x"), 8, 1e9).value() == Approx(latency + 1.75 * 1e9 / (0.69 * 448e9)));
  CHECK(all_reduce_s(chip("mi300x"), 4, 1e9).value() == Approx(latency + 1.5 * 1e9 / (0.69 * 3 * 64e9)));  // 3 links
  CHECK_FALSE(all_reduce_s(chip("inferentia2"), 2, 1).has_value());
}
