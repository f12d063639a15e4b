#include <cstdlib>

#include "analysis/calibrate/attention_fit.hpp"
#include "analysis/calibrate/gemm_fit.hpp"
#include "analysis/calibrate/latent_fit.hpp"
#include "analysis/calibrate/nelder_mead.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
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

TEST_CASE("A fit finds the table of latent attention, and what was not fused beside it") {
  const Chip& chip = *built_in_catalog().find_chip("h200-sxm");
  const ModelArchitecture& model = *built_in_catalog().find_model("deepseek-v3");
  // Twice the model above eight calls.
  const KernelResidual truth{{std::vector{1.0, 8.0, 16.0}, std::vector{16.0}, std::vector{64.0}}, {1, 1, 2}};
  constexpr double kUnfused = 40e-6;
  std::vector<LatentSample> samples;
  for (const std::int64_t batch : {1, 2, 4, 8, 16, 32}) {
    for (const std::int64_t heads : {8, 16, 32}) {
      for (const std::int64_t context : {32, 1024, 32768}) {
        LatentSample s{heads, batch, context, Precision::kFp8, 0};
        s.seconds = kUnfused + latent_seconds(chip, model, Precision::kFp8, s, &truth);
        samples.push_back(s);
      }
    }
  }
  const LatentFit fit = fit_latent_decode(samples, chip, model, Precision::kFp8);
  CHECK(fit.unfused_s == Approx(kUnfused));
  CHECK(fit.residual.at({4, 16, 1024}) == Approx(1));
  CHECK(fit.residual.at({32, 16, 1024}) == Approx(2));
  CHECK(fit.fitted.mean() < 1e-9);
}

TEST_CASE("A table brings layers of latent attention within 6 % on configurations held out") {
  const std::filesystem::path table = table_of("h200_sxm__mla_generation_module__vllm_0.22.0.csv.xz");
  if (!std::filesystem::exists(table)) {
    WARN("skipped: no " << table);
    return;
  }
  const LatentFit fit = fit_latent_decode(read_latent_decode(table, "fp8"), *built_in_catalog().find_chip("h200-sxm"),
                                          *built_in_catalog().find_model("deepseek-v3"), Precision::kFp8);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.06);
}
