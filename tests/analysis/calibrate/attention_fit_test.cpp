#include "analysis/calibrate/attention_fit.hpp"

#include "tests/support/public_data.hpp"

using namespace tokenyard::analysis;
using namespace tokenyard::platforms;

TEST_CASE("A table of measured over modelled time brings decode attention within 4 % on configurations held out") {
  const auto table = tokenyard::public_data("aiconfigurator/h100_sxm__generation_attention__vllm_0.14.0.csv.xz");
  if (!table) return;
  const AttentionFigures known{.peak_flops_per_s = 989e12, .bytes_per_s = 3.35e12, .prefill = 0.565, .units = 132};
  const AttentionFit fit =
      fit_decode_attention(read_decode_attention(*table, "bfloat16"), known, Fitted::kFiguresAndTable);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.04);
  CHECK(fit.held_out.bias() == Approx(1).margin(0.01));
}

TEST_CASE("A100's rows without shared heads are of a kernel that divides no context, H100's are not") {
  const auto fit_of = [](const char* name, double peak, double bandwidth, std::int64_t units) {
    const auto table = tokenyard::public_data(name);
    const AttentionFigures known{.peak_flops_per_s = peak, .bytes_per_s = bandwidth, .prefill = 0.6, .units = units};
    return table ? std::optional(
                       fit_decode_attention(read_decode_attention(*table, "bfloat16"), known, Fitted::kFiguresAndTable))
                 : std::nullopt;
  };
  const auto a100 = fit_of("aiconfigurator/a100_sxm__generation_attention__vllm_0.14.0.csv.xz", 312e12, 2.039e12, 108);
  const auto h100 = fit_of("aiconfigurator/h100_sxm__generation_attention__vllm_0.14.0.csv.xz", 989e12, 3.35e12, 132);
  if (!a100 || !h100) return;
  CHECK_FALSE(a100->undivided.empty());
  CHECK(a100->held_out.mean() < 0.045);
  CHECK(a100->figures.decode_key_s == Approx(22.5e-9).epsilon(0.05));
  CHECK(h100->undivided.empty());
  CHECK(h100->divides);
}

TEST_CASE("A table of one configuration, which would be held out whole, is fitted whole") {
  const AttentionFigures known{.peak_flops_per_s = 989e12, .bytes_per_s = 3.35e12, .prefill = 0.565, .units = 132};
  std::size_t fitted = 0;
  for (std::int64_t batch = 1; batch <= 8; ++batch) {  // some of them are held out
    std::vector<AttentionSample> samples;
    for (const std::int64_t tokens : {1024, 2048, 4096}) {
      samples.push_back({.batch = batch, .heads = 32, .kv_heads = 8, .head_dim = 128, .tokens = tokens, .kv_bytes = 2});
      samples.back().seconds = 1e-5 + 1e-9 * static_cast<double>(tokens * batch);
    }
    fitted += fit_decode_attention(samples, known, Fitted::kFiguresAndTable).fitted.rows();
  }
  CHECK(fitted == 24);
}

namespace {

AttentionFit fit_of_prompts(const std::filesystem::path& table) {
  const AttentionFigures known{.peak_flops_per_s = 989e12, .bytes_per_s = 3.35e12, .decode = 0.9, .units = 132};
  return fit_prefill_attention(read_prefill_attention(table, "bfloat16"), known, Fitted::kFiguresAndTable);
}

}  // namespace

TEST_CASE("Prompts on H100 are within 5.5 % on configurations held out: heads packed, the cache written beside") {
  const auto table = tokenyard::public_data("aiconfigurator/h100_sxm__context_attention__vllm_0.14.0.csv.xz");
  if (!table) return;
  const AttentionFit fit = fit_of_prompts(*table);
  CHECK(fit.held_out.rows() > 1000);
  CHECK(fit.held_out.mean() < 0.055);
  CHECK(fit.held_out.bias() == Approx(1).margin(0.01));
  CHECK(fit.figures.prefill_tile_rows == 128);
  CHECK(fit.figures.prefill_tile_heads > 1);
  CHECK(fit.figures.prefill_wait < 1);
  REQUIRE(fit.figures.write_s.has_value());
  CHECK(*fit.figures.write_s == Approx(4e-6).epsilon(0.25));
}

TEST_CASE("vLLM 0.22 writes the cache elsewhere, and its table says so") {
  const auto table = tokenyard::public_data("aiconfigurator/h200_sxm__context_attention__vllm_0.22.0.csv.xz");
  if (!table) return;
  const AttentionFit fit = fit_of_prompts(*table);
  CHECK(fit.held_out.mean() < 0.065);
  CHECK_FALSE(fit.figures.write_s.has_value());
}
