#include "analysis/calibrate/latent_fit.hpp"

#include <algorithm>

#include "analysis/calibrate/held_out.hpp"
#include "analysis/calibrate/residual_fit.hpp"
#include "analysis/calibrate/table_formats.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"
#include "platforms/cost/kernel_figures.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::KernelResidual;
using platforms::Precision;

constexpr double kFirstContext = 64;  // shorter ones take as long
constexpr double kLeastFactor = 0.05;

bool held_out(const LatentSample& s) {
  return one_in_five(static_cast<std::uint64_t>(s.batch * 1024 + s.heads) * kGoldenRatio, 31);
}

platforms::LatentAttention attention_of(const platforms::Chip& chip, const platforms::ModelArchitecture& model,
                                        Precision kv, const LatentSample& s, const KernelResidual* table) {
  platforms::AttentionFigures figures = platforms::attention_figures(chip, Precision::kBf16, kv);
  figures.prefill_residual = figures.decode_residual = nullptr;
  const platforms::Attention attention(figures,
                                       platforms::latent_shape(model, s.heads, platforms::bytes_per_element(kv)));
  return {chip, table, attention, {.model = &model, .weights = s.weights, .heads = s.heads}};
}

}  // namespace

std::vector<LatentSample> read_latent_decode(const std::filesystem::path& path, std::string_view kv_format) {
  const MeasuredTable table(path);
  std::vector<LatentSample> samples;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto weights = latent_weights(table.text(row, "gemm_type"));
    if (!weights || table.text(row, "kv_cache_dtype") != kv_format) continue;
    samples.push_back({table.whole(row, "num_heads"), table.whole(row, "batch_size"), table.whole(row, "step", 0) + 1,
                       *weights, table.positive(row, "latency") * 1e-3});
  }
  return samples;
}

double latent_seconds(const platforms::Chip& chip, const platforms::ModelArchitecture& model, Precision kv,
                      const LatentSample& s, const KernelResidual* table) {
  const platforms::LatentAttention attention = attention_of(chip, model, kv, s, table);
  const platforms::LatentAttention::Batch batch = attention.batch(static_cast<double>(s.batch));
  return attention.decode(batch, static_cast<double>(s.context)).total() + batch.products_s;
}

LatentFit fit_latent_decode(const std::vector<LatentSample>& samples, const platforms::Chip& chip,
                            const platforms::ModelArchitecture& model, Precision kv) {
  std::vector<double> modelled, beyond;
  for (LatentSample s : samples) {
    s.weights = Precision::kFp8;  // the table's reference
    modelled.push_back(latent_seconds(chip, model, kv, s, nullptr));
    if (s.batch == 1 && static_cast<double>(s.context) <= kFirstContext) beyond.push_back(s.seconds - modelled.back());
  }
  LatentFit fit;
  if (!beyond.empty()) fit.unfused_s = std::max(0.0, median_of(std::move(beyond)));
  std::vector<ResidualSample> all, used;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const LatentSample& s = samples[i];
    all.push_back({{static_cast<double>(s.batch), static_cast<double>(s.heads), static_cast<double>(s.context)},
                   std::max((s.seconds - fit.unfused_s) / modelled[i], kLeastFactor)});
    if (!held_out(s)) used.push_back(all.back());
  }
  const auto table_of = [](const std::vector<ResidualSample>& of) {
    double longest = kFirstContext;
    for (const ResidualSample& s : of) longest = std::max(longest, s.point[2]);
    return residual_of({powers_of_two(of, 0), powers_of_two(of, 1), powers_of_two(kFirstContext, longest)}, of);
  };
  fit.residual = table_of(all);
  const KernelResidual without = used.empty() ? fit.residual : table_of(used);
  for (const LatentSample& s : samples) {
    const bool out = !used.empty() && held_out(s);
    const double fused = latent_seconds(chip, model, kv, s, out ? &without : &fit.residual);
    (out ? fit.held_out : fit.fitted).add(fit.unfused_s + fused, s.seconds);
  }
  return fit;
}

}  // namespace tokenyard::analysis
