#include "analysis/calibrate/latent_fit.hpp"

#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/public_data.hpp"

using namespace tokenyard::analysis;
using namespace tokenyard::platforms;

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
  const auto table = tokenyard::public_data("aiconfigurator/h200_sxm__mla_generation_module__vllm_0.22.0.csv.xz");
  if (!table) return;
  const LatentFit fit = fit_latent_decode(read_latent_decode(*table, "fp8"), *built_in_catalog().find_chip("h200-sxm"),
                                          *built_in_catalog().find_model("deepseek-v3"), Precision::kFp8);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.06);
}
