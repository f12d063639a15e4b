#pragma once
/// Fits the table of platforms/spec/kernel_residual.hpp to measured layers of experts (residual_fit.hpp). Held out: one
/// model and division in five, compared with a table made without it.
///
/// Tables in the format of aiconfigurator: moe_dtype, num_tokens, hidden_size, inter_size, topk, num_experts,
/// moe_tp_size, moe_ep_size, distribution, latency in ms. Rows of balanced routing alone say how many experts were hit:
/// min(E, tokens · k), of which this chip has its share.

#include <filesystem>
#include <string_view>
#include <vector>

#include "analysis/calibrate/fit_error.hpp"
#include "platforms/cost/experts.hpp"

namespace tokenyard::analysis {

struct MoeSample {
  std::int64_t tokens = 0, hidden = 0, ffn = 0, per_token = 0, experts = 0, tp = 1, ep = 1;
  double seconds = 0;
};

struct MoeFit {
  platforms::KernelResidual residual;  ///< of all samples
  FitError fitted, held_out;
};

/// Up to 16,384 tokens: larger steps are not taken.
std::vector<MoeSample> read_moe_samples(const std::filesystem::path& path, std::string_view format);

double moe_seconds(const platforms::GemmFigures& figures, const MoeSample& sample, double weight_bytes,
                   double input_bytes, const platforms::KernelResidual& residual);

MoeFit fit_moe(const std::vector<MoeSample>& samples, const platforms::GemmFigures& figures, double weight_bytes,
               double input_bytes);

}  // namespace tokenyard::analysis
