#include "platforms/cost/gemm.hpp"

#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;

namespace {
const GemmFigures kIdeal{.peak_flops_per_s = 1e15, .bytes_per_s = 3e12};
}

TEST_CASE("A large product on an ideal chip takes its arithmetic, a thin one its weights") {
  const Gemm gemm(kIdeal, 8192, 8192, 2, 2);
  CHECK(gemm.at(16384).total() == Approx(gemm.flop(16384) / 1e15).epsilon(0.02));
  CHECK(gemm.at(1).total() == Approx(2.0 * 8192 * 8192 / 3e12).epsilon(0.02));
  CHECK(gemm.at(1)[Bound::kBandwidth] > 0);
  CHECK(gemm.at(16384)[Bound::kCompute] > 0);
  CHECK(gemm.at(0).total() == 0);
}

TEST_CASE("A row too many costs a wave of tiles") {
  GemmFigures figures = kIdeal;
  figures.units = 100;
  figures.tile_half = 1e9;  // only the largest tiles are worth their while
  figures.wave = 1;
  figures.split_s = 1;                          // and nobody splits
  const Gemm gemm(figures, 25600, 4096, 2, 2);  // 100 tiles of 256 columns, 128 rows each
  CHECK(gemm.at(128).total() == Approx(gemm.at(97).total()).epsilon(0.02));
  CHECK(gemm.at(129).total() > 1.2 * gemm.at(128).total());
}

TEST_CASE("Groups are as many products with their own weights") {
  const Gemm gemm(kIdeal, 4096, 4096, 1, 2);
  CHECK(gemm.at(8, 64).bytes == Approx(64 * gemm.at(8).bytes));
  CHECK(gemm.at(8, 64).total() == Approx(64 * gemm.at(8).total()).epsilon(0.01));
}
