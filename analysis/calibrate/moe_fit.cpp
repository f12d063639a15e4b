#include "analysis/calibrate/moe_fit.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/calibrate/measured_table.hpp"
#include "analysis/calibrate/nelder_mead.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::GemmFigures;

constexpr std::size_t kFittedRows = 1500;
constexpr std::int64_t kMostTokens = 16384;
constexpr double kCap = 0.5;

bool held_out(const MoeSample& s) {
  std::uint64_t hash = 0;
  for (const std::int64_t part : {s.hidden, s.ffn, s.experts, s.tp, s.ep}) {
    hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 31;
  }
  return (hash >> 32) % 5 == 0;
}

}  // namespace

std::vector<MoeSample> read_moe_samples(const std::filesystem::path& path, std::string_view format) {
  const MeasuredTable table(path);
  std::vector<MoeSample> samples;
  for (std::size_t row = 0; row < table.rows(); ++row) {
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

double moe_seconds(const GemmFigures& figures, const MoeSample& s, double weight_bytes, double input_bytes) {
  const platforms::Experts experts(figures, s.hidden, s.ffn / s.tp, weight_bytes, input_bytes);
  const auto copies = static_cast<double>(s.tokens * s.per_token) / static_cast<double>(s.ep);
  const double here = static_cast<double>(s.experts) / static_cast<double>(s.ep);
  return experts.at(copies, std::min(here, std::max(1.0, copies))).total();
}

MoeFit fit_moe(const std::vector<MoeSample>& samples, const GemmFigures& known, double weight_bytes,
               double input_bytes) {
  std::vector<MoeSample> used;
  for (const MoeSample& sample : samples) {
    if (!held_out(sample)) used.push_back(sample);
  }
  const auto figures_of = [&](std::span<const double> v) {
    GemmFigures figures = known;
    figures.launch_s = 1e-6 * std::exp(v[0]);
    figures.compute = std::min(1.0, std::exp(v[1]));
    figures.memory = std::min(1.0, std::exp(v[2]));
    figures.tile_half = 4096 * std::exp(v[3]);
    figures.depth_half = 100 * std::exp(v[4]);
    figures.split_s = 1;  // nobody splits a grouped product
    return figures;
  };
  const std::size_t stride = std::max<std::size_t>(1, used.size() / kFittedRows);
  const auto error = [&](std::span<const double> v) {
    const GemmFigures figures = figures_of(v);
    double sum = 0;
    std::size_t rows = 0;
    for (std::size_t i = 0; i < used.size(); i += stride, ++rows) {
      sum += std::min(kCap,
                      std::abs(std::log(moe_seconds(figures, used[i], weight_bytes, input_bytes) / used[i].seconds)));
    }
    return sum / static_cast<double>(rows);
  };
  const std::vector<double> steps{0.4, 0.3, 0.1, 0.5, 0.5};
  MoeFit fit;
  fit.figures =
      figures_of(minimize(error, {std::log(35.0), std::log(0.6), std::log(0.85), std::log(1.0), std::log(1.5)}, steps));
  for (const MoeSample& s : samples) {
    (held_out(s) ? fit.held_out : fit.fitted).add(moe_seconds(fit.figures, s, weight_bytes, input_bytes), s.seconds);
  }
  return fit;
}

}  // namespace tokenyard::analysis
