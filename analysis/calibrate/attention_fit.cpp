#include "analysis/calibrate/attention_fit.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/calibrate/measured_table.hpp"
#include "analysis/calibrate/nelder_mead.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Attention;
using platforms::AttentionFigures;
using platforms::AttentionShape;

constexpr double kCap = 0.5;
constexpr std::size_t kFittedRows = 2500;
constexpr std::int64_t kLongest = 32768, kLargestBatch = 512;

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

template <typename Model, typename Figures>
AttentionFit fit(const std::vector<AttentionSample>& samples, const Model& model, const Figures& figures_of,
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
      sum += std::min(kCap, std::abs(std::log(model(figures, used[i]) / used[i].seconds)));
    }
    return sum / static_cast<double>(rows);
  };
  AttentionFit result;
  result.figures = figures_of(minimize(error, start, steps));
  for (const AttentionSample& s : samples)
    (held_out(s) ? result.held_out : result.fitted).add(model(result.figures, s), s.seconds);
  return result;
}

}  // namespace

double decode_seconds(const AttentionFigures& figures, const AttentionSample& s) {
  const Attention attention(figures, shape_of(s));
  return attention.decode(static_cast<double>(s.batch)).total() +
         attention.per_token().total() * static_cast<double>(s.batch * s.tokens);
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

AttentionFit fit_decode_attention(const std::vector<AttentionSample>& samples, const AttentionFigures& known) {
  const auto figures_of = [&](std::span<const double> v) {
    AttentionFigures figures = known;
    figures.launch_s = 1e-6 * std::exp(v[0]);
    figures.decode = std::min(1.0, std::exp(v[1]));
    figures.decode_pad_tokens = 100 * std::exp(v[2]);
    return figures;
  };
  return fit(samples, decode_seconds, figures_of, {std::log(8.0), std::log(0.85), std::log(1.5)}, {0.3, 0.1, 0.5});
}

AttentionFit fit_prefill_attention(const std::vector<AttentionSample>& samples, const AttentionFigures& known) {
  const auto figures_of = [&](std::span<const double> v) {
    AttentionFigures figures = known;
    figures.launch_s = 1e-6 * std::exp(v[0]);
    figures.prefill = std::min(1.0, std::exp(v[1]));
    figures.prefill_tail = std::exp(v[2]);
    return figures;
  };
  return fit(samples, prefill_seconds, figures_of, {std::log(10.0), std::log(0.6), std::log(1.2)}, {0.3, 0.1, 0.5});
}

}  // namespace tokenyard::analysis
