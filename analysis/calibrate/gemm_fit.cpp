#include "analysis/calibrate/gemm_fit.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/calibrate/held_out.hpp"
#include "analysis/calibrate/nelder_mead.hpp"
#include "analysis/measured/measured_table.hpp"
#include "platforms/cost/kernel_figures.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Gemm;
using platforms::GemmFigures;

constexpr std::size_t kFittedRows = 2500;  // enough for eight figures; the errors are taken over all rows
constexpr double kCap = 0.5;
constexpr double kNeverSplitS = 1;

bool held_out(const GemmSample& s) {
  constexpr std::uint64_t kOther = 0xc2b2ae3d27d4eb4fULL;  // so that (n, k) and (k, n) differ
  return one_in_five(static_cast<std::uint64_t>(s.n) * kGoldenRatio ^ static_cast<std::uint64_t>(s.k) * kOther, 29);
}

/// Logarithms of what is positive, so that a simplex cannot leave the domain; `wave` is clamped.
GemmFit fit_of_all(std::span<const double> v, const GemmFigures& known) {
  GemmFit fit{.figures = known};
  fit.figures.launch_s = 1e-6 * std::exp(v[0]);
  fit.figures.compute = std::min(1.0, std::exp(v[1]));
  fit.figures.memory = std::min(1.0, std::exp(v[2]));
  fit.figures.tile_half = 4096 * std::exp(v[3]);
  fit.figures.depth_half = 100 * std::exp(v[4]);
  fit.figures.occupancy = std::exp(v[5]);
  fit.figures.wave = std::clamp(v[6], 0.0, 1.0);
  fit.figures.split_s = 1e-6 * std::exp(v[7]);
  return fit;
}
GemmFit fit_of_quantised(std::span<const double> v, const GemmFigures& known) {
  GemmFit fit{.figures = known};
  fit.figures.compute = std::min(1.0, std::exp(v[0]));
  fit.quantise_s = 1e-6 * std::exp(v[1]);
  fit.figures.quantise = std::min(1.0, std::exp(v[2]));
  fit.figures.tile_half = 4096 * std::exp(v[3]);
  fit.figures.split_s = std::min(kNeverSplitS, 1e-6 * std::exp(v[4]));
  return fit;
}

}  // namespace

std::vector<GemmSample> read_gemm_samples(const std::filesystem::path& path, std::string_view format) {
  const MeasuredTable table(path);
  std::vector<GemmSample> samples;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (table.text(row, "gemm_dtype") != format) continue;
    GemmSample sample{table.whole(row, "m", 0), table.whole(row, "n"), table.whole(row, "k"),
                      table.positive(row, "latency") * 1e-3};
    if (sample.n >= 512 && sample.k >= 512) samples.push_back(sample);
  }
  return samples;
}

double gemm_seconds(const GemmFit& fit, const GemmSample& s, double weight_bytes, double input_bytes) {
  const double product = Gemm(fit.figures, s.n, s.k, weight_bytes, input_bytes).at(s.m).total();
  if (input_bytes >= platforms::kActivationBytes) return product;
  const double inputs = static_cast<double>(s.m) * static_cast<double>(s.k);
  return product + fit.quantise_s +
         (platforms::kActivationBytes + input_bytes) * inputs / (fit.figures.bytes_per_s * fit.figures.quantise);
}

GemmFit fit_gemm(const std::vector<GemmSample>& samples, const GemmFigures& known, double weight_bytes,
                 double input_bytes) {
  const bool quantised = input_bytes < platforms::kActivationBytes;
  std::vector<GemmSample> used;
  for (const GemmSample& sample : samples) {
    if (!held_out(sample)) used.push_back(sample);
  }
  const bool judged = !used.empty();  // a table of one shape may be held out whole: then it is fitted whole
  if (!judged) used = samples;
  const auto fit_of = [&](std::span<const double> v) {
    return quantised ? fit_of_quantised(v, known) : fit_of_all(v, known);
  };
  const auto seconds = [&](const GemmFit& fit, const GemmSample& s) {
    return gemm_seconds(fit, s, weight_bytes, input_bytes);
  };
  const std::size_t stride = std::max<std::size_t>(1, used.size() / kFittedRows);
  const auto error = [&](std::span<const double> v) {
    const GemmFit fit = fit_of(v);
    double sum = 0;
    std::size_t rows = 0;
    for (std::size_t i = 0; i < used.size(); i += stride, ++rows) {
      sum += std::min(kCap, std::abs(std::log(seconds(fit, used[i]) / used[i].seconds)));
    }
    return sum / static_cast<double>(rows);
  };
  std::vector<double> start{std::log(3.0), std::log(0.9), std::log(0.85), std::log(0.6), std::log(1.5),
                            std::log(0.1), 0.5,           std::log(2.0)};
  std::vector<double> steps{0.3, 0.1, 0.1, 0.3, 0.3, 0.4, 0.4, 0.4};
  if (quantised) {
    start = {std::log(0.7), std::log(8.0), std::log(0.4), std::log(4.0), std::log(8.0)};
    steps = {0.1, 0.3, 0.3, 0.6, 1};
  }
  GemmFit fit = fit_of(minimize(error, start, steps));
  for (const GemmSample& s : samples)
    (judged && held_out(s) ? fit.held_out : fit.fitted).add(seconds(fit, s), s.seconds);
  return fit;
}

}  // namespace tokenyard::analysis
