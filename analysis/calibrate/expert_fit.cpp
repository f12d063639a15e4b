#include "analysis/calibrate/expert_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "analysis/calibrate/least_squares.hpp"
#include "analysis/calibrate/residual_fit.hpp"
#include "analysis/measured/measured_table.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::ExpertFigures;
using platforms::ExpertKernels;
using platforms::KernelResidual;

constexpr std::int64_t kMostTokens = 16384;
constexpr double kOutlier = 0.05;  // of a logarithm
const std::vector<double> kRowsPerExpert = {0.0625, 0.5, 2, 8, 16, 32, 64, 128, 512};
constexpr int kExpertsStep = 2;  // the table's every other power of two

constexpr std::uint64_t kFolds = 5;

/// By model and division.
std::uint64_t fold_of(const ExpertSample& s) {
  std::uint64_t hash = 0;
  for (const std::int64_t part : {s.hidden, s.ffn, s.experts, s.tp, s.ep}) {
    hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 31;
  }
  return (hash >> 32) % kFolds;
}

double experts_here(const ExpertSample& s) { return static_cast<double>(s.experts) / static_cast<double>(s.ep); }

double width_here(const ExpertSample& s) {
  const std::int64_t whole = s.ffn / s.tp;
  return static_cast<double>(whole);
}

KernelResidual::Point point_of(const ExpertSample& s) {
  return {static_cast<double>(s.tokens * s.per_token) / static_cast<double>(s.experts), width_here(s), experts_here(s)};
}

double copies_here(const ExpertSample& s) {
  return static_cast<double>(s.tokens * s.per_token) / static_cast<double>(s.ep);
}
double hit_here(const ExpertSample& s) { return std::min(experts_here(s), std::max(1.0, copies_here(s))); }

/// To read the experts that are hit, or to multiply.
double least_seconds(const ExpertSample& s, const ExpertFigures& chip, double weight_bytes) {
  const double weights = 3 * static_cast<double>(s.hidden) * width_here(s);
  return std::max(hit_here(s) * weights * weight_bytes / chip.bytes_per_s,
                  copies_here(s) * 2 * weights / chip.peak_flops_per_s);
}

using Model = std::array<std::int64_t, 4>;
Model model_of(const ExpertSample& s) { return {s.hidden, s.ffn, s.per_token, s.experts}; }

/// Where the search begins: logits of shares, logarithms of the rest.
const std::vector<double> kStart = {0, 1.5, 6, 4, -1.5, -10.5, -17, 1.5, 0.5, 0.5, 0, -1};

ExpertKernels kernels_of(std::span<const double> x) {
  ExpertKernels kernels;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const ExpertKernels::Figure& figure = ExpertKernels::kFigures[i];
    kernels.*figure.value =
        figure.rule.maximum == 1 ? 1 / (1 + std::exp(-x[i])) : std::exp(std::clamp(x[i], -35.0, 12.0));
  }
  return kernels;
}

}  // namespace

std::vector<ExpertSample> read_expert_samples(const std::filesystem::path& path, std::string_view format,
                                              const ExpertFigures& chip, double weight_bytes) {
  const MeasuredTable table(path);
  const auto kernel_of = [&, named = table.has("kernel_source")](std::size_t row) {
    return named ? table.text(row, "kernel_source") : std::string_view();
  };
  const auto wanted = [&](std::size_t row) {
    return table.text(row, "moe_dtype") == format && table.text(row, "distribution") == "balanced" &&
           table.number(row, "num_tokens") <= kMostTokens && kernel_of(row).find("nongated") == std::string_view::npos;
  };
  std::map<std::string_view, std::size_t> rows_of;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (wanted(row)) ++rows_of[kernel_of(row)];
  }
  const auto most = std::max_element(rows_of.begin(), rows_of.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<ExpertSample> samples;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (!wanted(row) || kernel_of(row) != most->first) continue;
    const auto whole = [&](const char* column) { return table.whole(row, column); };
    const std::int64_t width = whole("inter_size"), experts = whole("num_experts");
    samples.push_back({whole("num_tokens"), whole("hidden_size"), width, table.whole(row, "topk", 1, experts), experts,
                       table.whole(row, "moe_tp_size", 1, width), table.whole(row, "moe_ep_size", 1, experts),
                       table.positive(row, "latency") * 1e-3});
  }
  std::set<Model> impossible;
  for (const ExpertSample& sample : samples) {
    if (sample.seconds < least_seconds(sample, chip, weight_bytes)) impossible.insert(model_of(sample));
  }
  std::erase_if(samples, [&](const ExpertSample& sample) { return impossible.contains(model_of(sample)); });
  return samples;
}

double expert_seconds(const ExpertFigures& figures, const ExpertSample& s, double weight_bytes, double input_bytes) {
  const platforms::Experts experts(figures, {.hidden = s.hidden,
                                             .ffn = s.ffn / s.tp,
                                             .experts = experts_here(s),
                                             .all_experts = static_cast<double>(s.experts),
                                             .per_token = static_cast<double>(s.per_token),
                                             .weight_bytes = weight_bytes,
                                             .input_bytes = input_bytes});
  return experts.at(copies_here(s), hit_here(s), static_cast<double>(s.tokens)).total();
}

ExpertFit fit_experts(const std::vector<ExpertSample>& samples, const ExpertFigures& known, double weight_bytes,
                      double input_bytes) {
  const auto seconds = [&](const ExpertKernels& kernels, const ExpertSample& sample) {
    ExpertFigures figures = known;
    figures.kernels = &kernels;
    return expert_seconds(figures, sample, weight_bytes, input_bytes);
  };
  const auto fit_of = [&](const std::vector<ExpertSample>& used) {
    const auto residuals = [&](std::span<const double> x, std::span<double> out) {
      const ExpertKernels kernels = kernels_of(x);
      for (std::size_t i = 0; i < used.size(); ++i) out[i] = std::log(seconds(kernels, used[i]) / used[i].seconds);
    };
    ExpertKernels kernels = kernels_of(robust_least_squares(residuals, used.size(), kStart, kOutlier));
    std::vector<ResidualSample> factors;
    for (const ExpertSample& sample : used)
      factors.push_back({point_of(sample), sample.seconds / seconds(kernels, sample)});
    kernels.residual =
        residual_of({kRowsPerExpert, powers_of_two(factors, 1), powers_of_two(factors, 2, kExpertsStep)}, factors);
    return kernels;
  };
  ExpertFit fit{.kernels = fit_of(samples)};
  for (const ExpertSample& sample : samples) fit.fitted.add(seconds(fit.kernels, sample), sample.seconds);
  for (std::uint64_t fold = 0; fold < kFolds; ++fold) {
    std::vector<ExpertSample> inside, others;
    for (const ExpertSample& sample : samples) (fold_of(sample) == fold ? inside : others).push_back(sample);
    if (inside.empty() || others.size() < kStart.size()) continue;
    const ExpertKernels without = fit_of(others);
    for (const ExpertSample& sample : inside) fit.held_out.add(seconds(without, sample), sample.seconds);
  }
  return fit;
}

}  // namespace tokenyard::analysis
