#include "analysis/calibrate/gemm_fit.hpp"

#include "tests/support/public_data.hpp"

using namespace tokenyard::analysis;
using namespace tokenyard::platforms;

namespace {

constexpr GemmFigures kKnown{.peak_flops_per_s = 1e15, .bytes_per_s = 3e12, .units = 132};

GemmFigures true_figures() {
  GemmFigures truth = kKnown;
  truth.compute = 0.8, truth.memory = 0.85, truth.launch_s = 3e-6, truth.tile_half = 3000, truth.depth_half = 150,
  truth.occupancy = 0.1, truth.wave = 0.3, truth.split_s = 2e-6;
  return truth;
}

std::vector<GemmSample> samples_of(const GemmFit& truth, double bytes) {
  std::vector<GemmSample> samples;
  for (const std::int64_t m : {1, 8, 32, 100, 128, 256, 500, 1024, 4096}) {
    for (const std::int64_t n : {1024, 2560, 4096, 8192, 14336}) {
      for (const std::int64_t k : {1024, 4096, 8192}) {
        samples.push_back({m, n, k, 0});
        samples.back().seconds = gemm_seconds(truth, samples.back(), bytes, bytes);
      }
    }
  }
  return samples;
}

}  // namespace

TEST_CASE("A fit recovers the figures that made the times") {
  const GemmFit fit = fit_gemm(samples_of({.figures = true_figures()}, 2), kKnown, 2, 2);
  CHECK(fit.held_out.rows() > 0);
  CHECK(fit.held_out.mean() < 0.03);
  CHECK(fit.figures.memory == Approx(0.85).epsilon(0.05));
}

TEST_CASE(
    "Of products in 8 bits the share of the peak, tiles and the kernel that quantises are fitted, the rest stays") {
  GemmFit truth{.figures = true_figures(), .quantise_s = 9e-6};
  truth.figures.quantise = 0.3;
  GemmFigures known = truth.figures;
  known.compute = 0.5, known.tile_half = 9000, known.split_s = 1e-5;
  const GemmFit fit = fit_gemm(samples_of(truth, 1), known, 1, 1);
  CHECK(fit.held_out.mean() < 0.01);
  CHECK(fit.figures.compute == Approx(0.8).epsilon(0.02));
  CHECK(fit.quantise_s == Approx(9e-6).epsilon(0.02));
  CHECK(fit.figures.quantise == Approx(0.3).epsilon(0.02));
  CHECK(fit.figures.tile_half == Approx(3000).epsilon(0.1));
  CHECK(fit.figures.occupancy == known.occupancy);
  CHECK(fit.figures.memory == known.memory);
}

TEST_CASE("The form fits measured products on shapes held out") {
  const auto table = tokenyard::public_data("aiconfigurator/h100_sxm__gemm__vllm_0.14.0.csv.xz");
  if (!table) return;
  const GemmFit fit = fit_gemm(read_gemm_samples(*table, "bfloat16"),
                               {.peak_flops_per_s = 989e12, .bytes_per_s = 3.35e12, .units = 132}, 2, 2);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.06);
  CHECK(fit.held_out.bias() == Approx(1).margin(0.02));
}
