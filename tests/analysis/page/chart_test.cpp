#include "analysis/page/chart.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;

TEST_CASE("axes have few round ticks, and hold what they are made for") {
  const double greatest = GENERATE(1e-9, 0.003, 0.99, 1.0, 7.0, 61.0, 4281.0, 1e6, 3e12);
  const Unit unit = GENERATE(Unit::kCount, Unit::kSeconds);
  const Axis linear = Axis::from_zero(greatest, unit);
  CHECK(linear.to >= greatest * (1 - 1e-9));
  const std::size_t ticks = linear.ticks().size();
  CHECK((ticks >= 2 && ticks <= 8));
  for (const double spread : {1.0, 1.5, 8.0, 1e3, 1e9}) {
    const Axis around = Axis::around(greatest, greatest * spread, unit);
    CHECK(around.position(greatest) <= 0.6);
    CHECK(around.position(greatest * spread) >= 0.4);
    const std::size_t count = around.ticks().size();
    CHECK((count >= 1 && count <= 9));
  }
}
