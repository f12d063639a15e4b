#include "analysis/calibrate/attention_fit.hpp"

#include "tests/support/public_data.hpp"

using namespace tokenyard::analysis;
using namespace tokenyard::platforms;

TEST_CASE("A table of measured over modelled time brings decode attention within 4 % on configurations held out") {
  const auto table = tokenyard::public_data("aiconfigurator/h100_sxm__generation_attention__vllm_0.14.0.csv.xz");
  if (!table) return;
  const AttentionFigures known{.peak_flops_per_s = 989e12, .bytes_per_s = 3.35e12, .prefill = 0.565, .units = 132};
  const AttentionFit fit = fit_decode_attention(read_decode_attention(*table, "bfloat16"), known, true);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.04);
  CHECK(fit.held_out.bias() == Approx(1).margin(0.01));
}
