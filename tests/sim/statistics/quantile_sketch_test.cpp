#include "sim/statistics/quantile_sketch.hpp"

#include "sim/random/stream.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

TEST_CASE("A sketch without samples has no numbers") {
  QuantileSketch sketch;
  CHECK(!sketch.quantile_s(0.5));
  CHECK(!sketch.mean_s());
}

TEST_CASE("Quantiles are within 0.05 %, mean and maximum exact") {
  QuantileSketch sketch;
  for (int i = 1; i <= 1000; ++i) sketch.add(Time::milliseconds(i));
  CHECK(*sketch.quantile_s(0.5) == Approx(0.5).epsilon(5e-4));
  CHECK(*sketch.quantile_s(0.99) == Approx(0.99).epsilon(5e-4));
  CHECK(*sketch.max_s() == 1.0);
  CHECK(*sketch.mean_s() == Approx(0.5005).epsilon(1e-12));
}

TEST_CASE("A run is filed as its values one by one") {
  Stream stream(1, StreamName("runs"), 0);
  for (int round = 0; round < 300; ++round) {
    const Int128 first = static_cast<Int128>(stream.below(std::uint64_t{1} << (1 + round % 50)));
    const Int128 step = static_cast<Int128>(stream.below(std::uint64_t{1} << (round % 40)));
    const std::uint64_t count = 1 + stream.below(500), times = 1 + stream.below(9);
    QuantileSketch run, single;
    run.add_run(FineTime(first), FineTime(step), count, times);
    for (std::uint64_t i = 0; i < count; ++i) single.add(FineTime(first + step * static_cast<Int128>(i)), times);
    for (double q = 0; q <= 1; q += 0.05) REQUIRE(run.quantile_s(q) == single.quantile_s(q));
    REQUIRE(run.mean_s() == single.mean_s());
    REQUIRE(run.max_s() == single.max_s());
  }
}
