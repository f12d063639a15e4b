#pragma once
/// Fits the figures of platforms/cost/experts.hpp to measured layers of experts: by robust least squares on the
/// logarithms of measured over modelled time (least_squares.hpp), then the table of what remains (residual_fit.hpp).
/// Held out: each model and division, compared with figures and table made without its fifth of them.
///
/// Tables in the format of aiconfigurator: moe_dtype, num_tokens, hidden_size, inter_size, topk, num_experts,
/// moe_tp_size, moe_ep_size, distribution, latency in ms; kernel_source where there are several. Rows of balanced
/// routing alone say how many experts were hit: min(E, tokens · k), of which this chip has its share.

#include <filesystem>
#include <string_view>
#include <vector>

#include "analysis/measured/fit_error.hpp"
#include "platforms/cost/experts.hpp"

namespace tokenyard::analysis {

struct ExpertSample {
  std::int64_t tokens = 0, hidden = 0, ffn = 0, per_token = 0, experts = 0, tp = 1, ep = 1;
  double seconds = 0;
};

struct ExpertFit {
  platforms::ExpertKernels kernels;  ///< of all samples
  FitError fitted, held_out;
};

/// Up to 16,384 tokens: larger steps are not taken. Of several kernels the one with the most rows; none of layers
/// without a gate, which have a product less. No model of which a row is faster than the peaks allow: there the kernel
/// routed tokens otherwise than the table says (DeepSeek's groups of experts), or the layer has no gate.
std::vector<ExpertSample> read_expert_samples(const std::filesystem::path& path, std::string_view format,
                                              const platforms::ExpertFigures& chip, double weight_bytes);

double expert_seconds(const platforms::ExpertFigures& figures, const ExpertSample& sample, double weight_bytes,
                      double input_bytes);

/// Peak, bandwidth and units of `known` stay.
ExpertFit fit_experts(const std::vector<ExpertSample>& samples, const platforms::ExpertFigures& known,
                      double weight_bytes, double input_bytes);

}  // namespace tokenyard::analysis
