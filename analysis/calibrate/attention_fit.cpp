#include "analysis/calibrate/attention_fit.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "analysis/calibrate/measured_table.hpp"
#include "analysis/calibrate/nelder_mead.hpp"
#include "analysis/calibrate/residual_fit.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Attention;
using platforms::AttentionFigures;
using platforms::AttentionShape;
using platforms::KernelResidual;

constexpr double kCap = 0.5;
constexpr std::size_t kFittedRows = 2500;
constexpr std::int64_t kLongest = 32768, kLargestBatch = 512;
constexpr double kFirstContext = 64;   // shorter ones take as long
constexpr double kLeastFactor = 0.05;  // of a sample no longer than the launch

bool held_out(const AttentionSample& s) {
  std::uint64_t hash =
      static_cast<std::uint64_t>((s.batch * 1024 + s.heads) * 1024 + s.kv_heads) * 0x9e3779b97f4a7c15ULL;
  hash ^= hash >> 31;
  hash *= 0xbf58476d1ce4e5b9ULL;
  return (hash >> 32) % 5 == 0;
}

AttentionShape shape_of(const AttentionSample& s) {
  AttentionShape shape;
  shape.layers = 1;
  shape.query_heads = static_cast<double>(s.heads);
  shape.kv_heads = static_cast<double>(s.kv_heads);
  shape.heads_per_kv_head = shape.query_heads / shape.kv_heads;
  shape.query_key_dim = shape.value_dim = static_cast<double>(s.head_dim);
  shape.cached_bytes = 2 * static_cast<double>(s.kv_heads * s.head_dim) * s.kv_bytes;
  shape.decode_flop = 4 * static_cast<double>(s.heads * s.head_dim);
  return shape;
}

std::vector<AttentionSample> read(const std::filesystem::path& path, std::string_view kv_format, bool decode) {
  const MeasuredTable table(path);
  std::vector<AttentionSample> samples;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (table.text(row, "kv_cache_dtype") != kv_format) continue;
    if (table.has("window_size") && table.number(row, "window_size") != 0) continue;
    AttentionSample s;
    s.batch = std::llround(table.number(row, "batch_size"));
    s.heads = std::llround(table.number(row, "num_heads"));
    s.kv_heads = std::llround(table.number(row, "num_key_value_heads"));
    s.head_dim = std::llround(table.number(row, "head_dim"));
    s.tokens = decode ? std::llround(table.number(row, "step")) + 1 : std::llround(table.number(row, "isl"));
    s.kv_bytes = kv_format == "fp8" ? 1 : 2;
    s.seconds = table.number(row, "latency") * 1e-3;
    if (!decode && ((table.has("step") && table.number(row, "step") != 0) || s.tokens == 1))
      continue;  // one token is a decode
    if (s.tokens <= kLongest && s.batch <= kLargestBatch && s.head_dim == 128) samples.push_back(s);
  }
  return samples;
}

/// What the two sides differ in.
struct Side {
  double (*seconds)(const AttentionFigures&, const AttentionSample&);
  KernelResidual::Point (*point)(const AttentionSample&);
  std::array<std::vector<double>, 3> (*axes)(const std::vector<ResidualSample>&);
  const KernelResidual* AttentionFigures::*residual;
};

AttentionFit fit(const std::vector<AttentionSample>& samples, const Side& side,
                 const std::function<AttentionFigures(std::span<const double>)>& figures_of,
                 const std::vector<double>& start, const std::vector<double>& steps) {
  std::vector<AttentionSample> used;
  for (const AttentionSample& s : samples) {
    if (!held_out(s)) used.push_back(s);
  }
  const std::size_t stride = std::max<std::size_t>(1, used.size() / kFittedRows);
  const auto error = [&](std::span<const double> v) {
    const AttentionFigures figures = figures_of(v);
    double sum = 0;
    std::size_t rows = 0;
    for (std::size_t i = 0; i < used.size(); i += stride, ++rows) {
      sum += std::min(kCap, std::abs(std::log(side.seconds(figures, used[i]) / used[i].seconds)));
    }
    return sum / static_cast<double>(rows);
  };
  AttentionFit result;
  AttentionFigures figures = figures_of(minimize(error, start, steps));
  result.figures = figures;
  const auto table_of = [&](const std::vector<AttentionSample>& of) {
    std::vector<ResidualSample> factors;
    for (const AttentionSample& s : of) {
      const double launch = result.figures.launch_s, modelled = side.seconds(result.figures, s) - launch;
      factors.push_back({side.point(s), std::max(s.seconds - launch, kLeastFactor * modelled) / modelled});
    }
    return residual_of(side.axes(factors), factors);
  };
  const KernelResidual without = table_of(used);
  result.residual = table_of(samples);
  for (const AttentionSample& s : samples) {
    figures.*side.residual = held_out(s) ? &without : &result.residual;
    (held_out(s) ? result.held_out : result.fitted).add(side.seconds(figures, s), s.seconds);
  }
  return result;
}

/// The shortest kernel does some work, too: a fifth of its time, assumed.
double longest_launch_s(const std::vector<AttentionSample>& samples) {
  double shortest = samples.front().seconds;
  for (const AttentionSample& s : samples) shortest = std::min(shortest, s.seconds);
  return 0.8 * shortest;
}

constexpr Side kDecode = {
    decode_seconds,
    [](const AttentionSample& s) -> KernelResidual::Point {
      return {static_cast<double>(s.batch), static_cast<double>(s.kv_heads), static_cast<double>(s.tokens)};
    },
    [](const std::vector<ResidualSample>& samples) -> std::array<std::vector<double>, 3> {
      return {powers_of_two(samples, 0), powers_of_two(samples, 1), powers_of_two(kFirstContext, kLongest)};
    },
    &AttentionFigures::decode_residual};

constexpr Side kPrefill = {prefill_seconds,
                           [](const AttentionSample& s) -> KernelResidual::Point {
                             return {static_cast<double>(s.batch * s.heads),
                                     static_cast<double>(s.heads) / static_cast<double>(s.kv_heads),
                                     static_cast<double>(s.tokens)};
                           },
                           [](const std::vector<ResidualSample>& samples) -> std::array<std::vector<double>, 3> {
                             return {powers_of_two(samples, 0), powers_of_two(samples, 1), powers_of_two(samples, 2)};
                           },
                           &AttentionFigures::prefill_residual};

}  // namespace

double decode_seconds(const AttentionFigures& figures, const AttentionSample& s) {
  return Attention(figures, shape_of(s)).decode(static_cast<double>(s.batch), static_cast<double>(s.tokens)).total();
}

/// A batch of prompts is one kernel: its blocks fill the units together.
double prefill_seconds(const AttentionFigures& figures, const AttentionSample& s) {
  AttentionShape shape = shape_of(s);
  shape.query_heads *= static_cast<double>(s.batch);
  shape.cached_bytes *= static_cast<double>(s.batch);
  return Attention(figures, shape).prefill(static_cast<double>(s.tokens), 0).total();
}

std::vector<AttentionSample> read_decode_attention(const std::filesystem::path& path, std::string_view kv_format) {
  return read(path, kv_format, true);
}
std::vector<AttentionSample> read_prefill_attention(const std::filesystem::path& path, std::string_view kv_format) {
  return read(path, kv_format, false);
}

AttentionFit fit_decode_attention(const std::vector<AttentionSample>& samples, const AttentionFigures& known,
                                  bool shares) {
  const double longest = longest_launch_s(samples);
  const auto figures_of = [&](std::span<const double> v) {
    AttentionFigures figures = known;
    figures.decode_residual = nullptr;
    figures.launch_s = std::min(1e-6 * std::exp(v[0]), longest);
    if (!shares) return figures;
    figures.decode = std::min(1.0, std::exp(v[1]));
    figures.decode_tile_s = 1e-6 * std::exp(v[2]);
    return figures;
  };
  if (!shares) return fit(samples, kDecode, figures_of, {std::log(8.0)}, {0.3});
  return fit(samples, kDecode, figures_of, {std::log(8.0), std::log(0.9), std::log(3.0)}, {0.3, 0.1, 0.5});
}

AttentionFit fit_prefill_attention(const std::vector<AttentionSample>& samples, const AttentionFigures& known,
                                   bool shares) {
  const double longest = longest_launch_s(samples);
  const auto figures_of = [&](std::span<const double> v) {
    AttentionFigures figures = known;
    figures.prefill_residual = nullptr;
    figures.launch_s = std::min(1e-6 * std::exp(v[0]), longest);
    if (!shares) return figures;
    figures.prefill = std::min(1.0, std::exp(v[1]));
    figures.prefill_tail = std::exp(v[2]);
    return figures;
  };
  if (!shares) return fit(samples, kPrefill, figures_of, {std::log(8.0)}, {0.3});
  return fit(samples, kPrefill, figures_of, {std::log(10.0), std::log(0.6), std::log(1.2)}, {0.3, 0.1, 0.5});
}

}  // namespace tokenyard::analysis
