#include "analysis/calibrate/moe_fit.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/calibrate/measured_table.hpp"
#include "analysis/calibrate/residual_fit.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::GemmFigures;
using platforms::KernelResidual;

constexpr std::int64_t kMostTokens = 16384;
constexpr std::string_view kLatest = "moe_torch_flow_min_latency";
const std::vector<double> kRowsPerExpert = {0.0625, 1, 8, 32, 128, 512};

bool held_out(const MoeSample& s) {
  std::uint64_t hash = 0;
  for (const std::int64_t part : {s.hidden, s.ffn, s.experts, s.tp, s.ep}) {
    hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 31;
  }
  return (hash >> 32) % 5 == 0;
}

KernelResidual::Point point_of(const MoeSample& s) {
  const std::int64_t ffn = s.ffn / s.tp;
  const double here = static_cast<double>(s.experts) / static_cast<double>(s.ep);
  return {static_cast<double>(s.tokens * s.per_token) / static_cast<double>(s.experts), static_cast<double>(ffn), here};
}

}  // namespace

std::vector<MoeSample> read_moe_samples(const std::filesystem::path& path, std::string_view format) {
  const MeasuredTable table(path);
  std::vector<MoeSample> samples;
  const bool kernels = table.has("kernel_source");
  // Two stacks of kernels may have been measured. Those made for small batches came later and are the ones in use.
  bool latest = false;
  for (std::size_t row = 0; kernels && row < table.rows(); ++row)
    latest |= table.text(row, "moe_dtype") == format && table.text(row, "kernel_source") == kLatest;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (latest && table.text(row, "kernel_source") != kLatest) continue;
    if (table.text(row, "moe_dtype") != format || table.text(row, "distribution") != "balanced") continue;
    const auto whole = [&](const char* column) {
      return static_cast<std::int64_t>(std::llround(table.number(row, column)));
    };
    MoeSample sample{
        whole("num_tokens"),  whole("hidden_size"), whole("inter_size"),  whole("topk"),
        whole("num_experts"), whole("moe_tp_size"), whole("moe_ep_size"), table.number(row, "latency") * 1e-3};
    if (sample.tokens <= kMostTokens) samples.push_back(sample);
  }
  return samples;
}

double moe_seconds(const GemmFigures& figures, const MoeSample& s, double weight_bytes, double input_bytes,
                   const KernelResidual& residual) {
  const double here = static_cast<double>(s.experts) / static_cast<double>(s.ep);
  const platforms::Experts experts(figures,
                                   {.hidden = s.hidden,
                                    .ffn = s.ffn / s.tp,
                                    .experts = here,
                                    .weight_bytes = weight_bytes,
                                    .input_bytes = input_bytes},
                                   residual);
  const auto copies = static_cast<double>(s.tokens * s.per_token) / static_cast<double>(s.ep);
  return experts.at(copies, std::min(here, std::max(1.0, copies)), copies * static_cast<double>(s.ep)).total();
}

MoeFit fit_moe(const std::vector<MoeSample>& samples, const GemmFigures& figures, double weight_bytes,
               double input_bytes) {
  std::vector<MoeSample> known;
  for (const MoeSample& sample : samples) {
    if (!held_out(sample)) known.push_back(sample);
  }
  const auto seconds = [&](const MoeSample& sample, const KernelResidual& residual) {
    return moe_seconds(figures, sample, weight_bytes, input_bytes, residual);
  };
  const auto table_of = [&](const std::vector<MoeSample>& used) {
    std::vector<ResidualSample> factors;
    for (const MoeSample& sample : used) factors.push_back({point_of(sample), sample.seconds / seconds(sample, {})});
    return residual_of({kRowsPerExpert, powers_of_two(factors, 1), powers_of_two(factors, 2)}, factors);
  };
  const KernelResidual without = table_of(known);
  MoeFit fit;
  fit.residual = table_of(samples);
  for (const MoeSample& sample : samples) {
    if (held_out(sample)) fit.held_out.add(seconds(sample, without), sample.seconds);
    fit.fitted.add(seconds(sample, fit.residual), sample.seconds);
  }
  return fit;
}

}  // namespace tokenyard::analysis
