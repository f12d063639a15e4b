#include <cstdlib>

#include "analysis/calibrate/attention_fit.hpp"
#include "analysis/calibrate/gemm_fit.hpp"
#include "analysis/calibrate/nelder_mead.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::analysis;
using namespace tokenyard::platforms;

TEST_CASE("Nelder and Mead find the bottom of Rosenbrock's valley") {
  const double steps[] = {0.5, 0.5};
  const auto x = minimize(
      [](std::span<const double> v) {
        return 100 * (v[1] - v[0] * v[0]) * (v[1] - v[0] * v[0]) + (1 - v[0]) * (1 - v[0]);
      },
      {-1.2, 1}, steps, {.restarts = 4, .evaluations_per_variable = 200, .tolerance = 1e-12});
  CHECK(x[0] == Approx(1).margin(1e-3));
  CHECK(x[1] == Approx(1).margin(1e-3));
}

TEST_CASE("A fit recovers the figures that made the times") {
  const GemmFigures known{.peak_flops_per_s = 1e15, .bytes_per_s = 3e12, .units = 132};
  GemmFigures truth = known;
  truth.compute = 0.8, truth.memory = 0.85, truth.launch_s = 3e-6, truth.tile_half = 3000, truth.depth_half = 150,
  truth.occupancy = 0.1, truth.wave = 0.3, truth.split_s = 2e-6;
  std::vector<GemmSample> samples;
  for (const std::int64_t m : {1, 8, 32, 100, 128, 256, 500, 1024, 4096}) {
    for (const std::int64_t n : {1024, 2560, 4096, 8192, 14336}) {
      for (const std::int64_t k : {1024, 4096, 8192})
        samples.push_back({m, n, k, Gemm(truth, n, k, 2, 2).at(m).total()});
    }
  }
  const GemmFit fit = fit_gemm(samples, known, 2, 2);
  CHECK(fit.held_out.rows() > 0);
  CHECK(fit.held_out.mean() < 0.03);
  CHECK(fit.figures.memory == Approx(0.85).epsilon(0.05));
}

namespace {

std::filesystem::path table_of(const char* name) {
  const char* root = std::getenv("TOKENYARD_DATA");
  return std::filesystem::path(root != nullptr ? root : TOKENYARD_SOURCE_DIR "/../shared/data") / "aiconfigurator" /
         name;
}

}  // namespace

TEST_CASE("The forms fit measured kernels on shapes held out") {
  const std::filesystem::path table = table_of("h100_sxm__gemm__vllm_0.14.0.csv.xz");
  if (!std::filesystem::exists(table)) {
    WARN("skipped: no " << table);
    return;
  }
  const GemmFit fit = fit_gemm(read_gemm_samples(table, "bfloat16"),
                               {.peak_flops_per_s = 989e12, .bytes_per_s = 3.35e12, .units = 132}, 2, 2);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.06);
  CHECK(fit.held_out.bias() == Approx(1).margin(0.02));
}

TEST_CASE("A table of measured over modelled time brings decode attention within 4 % on configurations held out") {
  const std::filesystem::path table = table_of("h100_sxm__generation_attention__vllm_0.14.0.csv.xz");
  if (!std::filesystem::exists(table)) {
    WARN("skipped: no " << table);
    return;
  }
  const AttentionFigures known{.peak_flops_per_s = 989e12, .bytes_per_s = 3.35e12, .prefill = 0.565, .units = 132};
  const AttentionFit fit = fit_decode_attention(read_decode_attention(table, "bfloat16"), known, true);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.04);
  CHECK(fit.held_out.bias() == Approx(1).margin(0.01));
}
