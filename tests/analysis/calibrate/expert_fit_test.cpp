#include "analysis/calibrate/expert_fit.hpp"

#include "platforms/cost/kernel_figures.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/public_data.hpp"

using namespace tokenyard::analysis;
using namespace tokenyard::platforms;

namespace {

const Chip& h200() { return *built_in_catalog().find_chip("h200-sxm"); }

}  // namespace

TEST_CASE("A fit to layers of experts that the model made finds their times again") {
  ExpertFigures figures = expert_figures(h200(), Precision::kBf16);
  ExpertKernels truth;
  truth.launch_s = 60e-6;
  truth.elsewhere = 0.3;
  truth.memory = 0.7;
  figures.kernels = &truth;
  std::vector<ExpertSample> samples;
  for (const std::int64_t tokens : {1, 4, 16, 64, 256, 1024, 4096}) {
    for (const std::int64_t ffn : {768, 2048, 14336}) {
      for (const std::int64_t experts : {8, 64, 256}) {
        for (const std::int64_t ep : {1, 4, 8}) {
          ExpertSample s{tokens, 4096, ffn, 2, experts, 1, ep, 0};
          s.seconds = expert_seconds(figures, s, 2, 2);
          samples.push_back(s);
        }
      }
    }
  }
  const ExpertFit fit = fit_experts(samples, figures, 2, 2);
  CHECK(fit.fitted.mean() < 0.01);
  CHECK(fit.held_out.rows() > 10);
  CHECK(fit.held_out.mean() < 0.02);
  CHECK(fit.kernels.launch_s == Approx(60e-6).epsilon(0.1));
  CHECK(fit.kernels.elsewhere == Approx(0.3).margin(0.1));
}

TEST_CASE("Layers of experts in 8 bits are met within 5 % on models and divisions held out") {
  const auto table = tokenyard::public_data("aiconfigurator/h100_sxm__moe__vllm_0.14.0.csv.xz");
  if (!table) return;
  const ExpertFigures figures = expert_figures(*built_in_catalog().find_chip("h100-sxm"), Precision::kFp8);
  const ExpertFit fit = fit_experts(read_expert_samples(*table, "fp8_block", figures, 1), figures, 1, 1);
  CHECK(fit.held_out.rows() > 500);
  CHECK(fit.held_out.mean() < 0.05);
}

TEST_CASE("Of several kernels the one with the most rows is read, none without a gate, no model faster than the chip") {
  const auto table = tokenyard::public_data("aiconfigurator/gb300__moe__vllm_0.24.0.csv.xz");
  if (!table) return;
  const ExpertFigures figures = expert_figures(*built_in_catalog().find_chip("gb300-nvl72"), Precision::kFp8);
  const std::vector<ExpertSample> samples = read_expert_samples(*table, "fp8_block", figures, 1);
  // Of the 3,807 rows of the monolithic kernel not DeepSeek-V3's 351, which hit half of its experts, nor 324 more.
  CHECK(samples.size() == 3132);
}
