#pragma once
/// Fits the table of platforms/cost/latent_attention.hpp to measured layers of MLA in decode steps (residual_fit.hpp).
/// Held out: one configuration of batch and heads in five, compared with a table made without it.
///
/// Tables in the format of aiconfigurator's mla_generation_module, of a DeepSeek-V3-like model: gemm_type,
/// kv_cache_dtype, num_heads (on the chip), batch_size, step = context - 1, latency in ms of the whole module
/// (products, norms, rotation, attention). The module is measured without the fusion that engines compile into it: what
/// its smallest samples take beyond the model (the median of one call's) is no part of the table and goes no further.

#include <filesystem>
#include <string_view>
#include <vector>

#include "analysis/measured/fit_error.hpp"
#include "platforms/cost/latent_attention.hpp"
#include "platforms/spec/chip.hpp"

namespace tokenyard::analysis {

struct LatentSample {
  std::int64_t heads = 0, batch = 0, context = 0;
  platforms::Precision weights = platforms::Precision::kBf16;
  double seconds = 0;
};

struct LatentFit {
  double unfused_s = 0;
  platforms::KernelResidual residual;  ///< of all samples
  FitError fitted, held_out;
};

/// Every format of the weights, one of the KV.
std::vector<LatentSample> read_latent_decode(const std::filesystem::path& path, std::string_view kv_format);

/// Of `model` on `chip` with the given table (null: none), fused.
double latent_seconds(const platforms::Chip& chip, const platforms::ModelArchitecture& model, platforms::Precision kv,
                      const LatentSample& sample, const platforms::KernelResidual* table);

/// `samples`: at least one.
LatentFit fit_latent_decode(const std::vector<LatentSample>& samples, const platforms::Chip& chip,
                            const platforms::ModelArchitecture& model, platforms::Precision kv);

}  // namespace tokenyard::analysis
