#include "analysis/calibrate/attention_fit.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include "analysis/calibrate/held_out.hpp"
#include "analysis/calibrate/nelder_mead.hpp"
#include "analysis/calibrate/residual_fit.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Attention;
using platforms::AttentionFigures;
using platforms::AttentionShape;
using platforms::KernelResidual;

constexpr double kCap = 0.5;
constexpr std::size_t kFittedRows = 2500;
constexpr MinimizeOptions kThorough{.restarts = 4, .evaluations_per_variable = 150, .tolerance = 1e-6};
constexpr std::int64_t kLongest = 32768, kLargestBatch = 512;
constexpr double kFirstContext = 64;     // shorter ones take as long
constexpr double kBeyondCaches = 512e6;  // bytes: several times the largest L2
constexpr double kLeastFactor = 0.05;    // of a sample no longer than the launch and the writing of the cache

/// Ways to divide prompts into tiles: FlashAttention-2's on A100 and others', FlashAttention-3's on Hopper.
struct Tiles {
  double rows, heads;
};
constexpr double kLeastGain = 0.9;  // of the error with its table, for a kernel more to be seen in it
constexpr Tiles kTiles[] = {{64, 1}, {128, 1}, {128, 128}};

bool held_out(const AttentionSample& s) {
  return one_in_five(static_cast<std::uint64_t>((s.batch * 1024 + s.heads) * 1024 + s.kv_heads) * kGoldenRatio, 31);
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
    s.batch = table.whole(row, "batch_size");
    s.heads = table.whole(row, "num_heads");
    s.kv_heads = table.whole(row, "num_key_value_heads", 1, s.heads);
    s.head_dim = table.whole(row, "head_dim");
    s.tokens = decode ? table.whole(row, "step", 0) + 1 : table.whole(row, "isl");
    s.kv_bytes = kv_format == "fp8" ? 1 : 2;
    s.seconds = table.positive(row, "latency") * 1e-3;
    if (!decode && ((table.has("step") && table.number(row, "step") != 0) || s.tokens == 1))
      continue;  // one token is a decode
    if (s.tokens <= kLongest && s.batch <= kLargestBatch && s.head_dim == 128) samples.push_back(s);
  }
  return samples;
}

/// What the two sides differ in.
struct Side {
  double (*seconds)(const AttentionFigures&, const AttentionSample&);
  double (*beside)(const AttentionFigures&, const AttentionSample&);  ///< of them, what the table does not multiply
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
  const bool judged = !used.empty();  // a table of one configuration may be held out whole: then it is fitted whole
  if (!judged) used = samples;
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
  const std::vector<double> best = minimize(error, start, steps, kThorough);
  AttentionFigures figures = figures_of(best);
  result.error = error(best);
  result.figures = figures;
  const auto table_of = [&](const std::vector<AttentionSample>& of) {
    std::vector<ResidualSample> factors;
    for (const AttentionSample& s : of) {
      const double beside = side.beside(result.figures, s), modelled = side.seconds(result.figures, s) - beside;
      factors.push_back({side.point(s), std::max(s.seconds - beside, kLeastFactor * modelled) / modelled});
    }
    return residual_of(side.axes(factors), factors);
  };
  const KernelResidual without = table_of(used);
  result.residual = table_of(samples);
  for (const AttentionSample& s : samples) {
    const bool out = judged && held_out(s);
    figures.*side.residual = out ? &without : &result.residual;
    (out ? result.held_out : result.fitted).add(side.seconds(figures, s), s.seconds);
  }
  return result;
}

/// The shortest kernel does some work, too: a fifth of its time, assumed.
double longest_launch_s(const std::vector<AttentionSample>& samples) {
  double shortest = samples.front().seconds;
  for (const AttentionSample& s : samples) shortest = std::min(shortest, s.seconds);
  return 0.8 * shortest;
}

/// A batch of prompts is one kernel: its tiles fill the units together.
Attention prompts(const AttentionFigures& figures, const AttentionSample& s) {
  AttentionShape shape = shape_of(s);
  shape.query_heads *= static_cast<double>(s.batch);
  shape.cached_bytes *= static_cast<double>(s.batch);
  return {figures, shape};
}

/// Their tokens are written one by one, each with the cached heads of one prompt.
double writing_seconds(const AttentionFigures& figures, const AttentionSample& s) {
  return figures.write_s ? Attention(figures, shape_of(s)).write(static_cast<double>(s.batch * s.tokens)).total() : 0;
}

constexpr Side kDecode = {
    decode_seconds, [](const AttentionFigures& figures, const AttentionSample&) { return figures.launch_s; },
    [](const AttentionSample& s) -> KernelResidual::Point {
      return {static_cast<double>(s.batch), static_cast<double>(s.kv_heads), static_cast<double>(s.tokens)};
    },
    [](const std::vector<ResidualSample>& samples) -> std::array<std::vector<double>, 3> {
      return {powers_of_two(samples, 0), powers_of_two(samples, 1), powers_of_two(kFirstContext, kLongest)};
    },
    &AttentionFigures::decode_residual};

/// Where contexts are never divided.
constexpr Side kUndivided = {kDecode.seconds, kDecode.beside, kDecode.point, kDecode.axes,
                             &AttentionFigures::undivided_residual};

constexpr Side kPrefill = {prefill_seconds,
                           [](const AttentionFigures& figures, const AttentionSample& s) {
                             return figures.launch_s + writing_seconds(figures, s);
                           },
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

double prefill_seconds(const AttentionFigures& figures, const AttentionSample& s) {
  AttentionFigures kernel = figures;
  kernel.write_s.reset();
  return prompts(kernel, s).prefill(static_cast<double>(s.tokens), 0).total() + writing_seconds(figures, s);
}

std::vector<AttentionSample> read_decode_attention(const std::filesystem::path& path, std::string_view kv_format) {
  return read(path, kv_format, true);
}
std::vector<AttentionSample> read_prefill_attention(const std::filesystem::path& path, std::string_view kv_format) {
  return read(path, kv_format, false);
}

namespace {

/// The share of the bandwidth that the quickest kernels reach whose caches are too large for any L2: no figure below it
/// is the kernel's, and decode() goes no faster than the figure. 0: there are none.
double reached_share(const std::vector<AttentionSample>& samples, double bytes_per_s) {
  std::vector<double> shares;
  for (const AttentionSample& s : samples) {
    const double bytes = shape_of(s).cached_bytes * static_cast<double>(s.batch * s.tokens);
    if (bytes > kBeyondCaches) shares.push_back(bytes / (s.seconds * bytes_per_s));
  }
  return shares.empty() ? 0 : std::min(1.0, quantile_of(shares, 0.95));
}

/// As one kernel.
AttentionFit fit_together(const std::vector<AttentionSample>& samples, const AttentionFigures& known, Fitted fitted) {
  const bool shares = fitted == Fitted::kFiguresAndTable;
  const double longest = longest_launch_s(samples), reached = reached_share(samples, known.bytes_per_s);
  const auto figures_of = [&](std::span<const double> v) {
    AttentionFigures figures = known;
    figures.decode_residual = nullptr;
    figures.launch_s = std::min(1e-6 * std::exp(v[0]), longest);
    if (!shares) return figures;
    figures.decode = std::clamp(std::exp(v[1]), reached, 1.0);
    figures.decode_tile_s = 1e-6 * std::exp(v[2]);
    return figures;
  };
  if (!shares) return fit(samples, kDecode, figures_of, {std::log(8.0)}, {0.3});
  return fit(samples, kDecode, figures_of, {std::log(8.0), std::log(0.9), std::log(3.0)}, {0.3, 0.1, 0.5});
}

/// Samples whose heads share no cached one, with the other figures known.
AttentionFit fit_undivided(const std::vector<AttentionSample>& samples, const AttentionFigures& known, Fitted fitted) {
  const bool shares = fitted == Fitted::kFiguresAndTable;
  const double longest = longest_launch_s(samples);
  const auto figures_of = [&](std::span<const double> v) {
    AttentionFigures figures = known;
    figures.undivided_residual = nullptr;
    figures.launch_s = std::min(1e-6 * std::exp(v[0]), longest);
    if (shares) figures.decode_key_s = 1e-9 * std::exp(v[1]);
    return figures;
  };
  if (!shares) return fit(samples, kUndivided, figures_of, {std::log(8.0)}, {0.3});
  return fit(samples, kUndivided, figures_of, {std::log(8.0), std::log(20.0)}, {0.3, 0.5});
}

}  // namespace

AttentionFit fit_decode_attention(const std::vector<AttentionSample>& samples, const AttentionFigures& known,
                                  Fitted fitted) {
  AttentionFigures divided = known;
  divided.decode_key_s = 0;
  AttentionFit together = fit_together(samples, divided, fitted);
  const bool may_be_undivided = fitted == Fitted::kFiguresAndTable || known.decode_key_s > 0;
  std::vector<AttentionSample> sharing, alone;
  for (const AttentionSample& s : samples) (s.heads > s.kv_heads ? sharing : alone).push_back(s);
  if (!may_be_undivided || sharing.empty() || alone.empty()) return together;

  AttentionFit apart = fit_together(sharing, divided, fitted);
  AttentionFigures undivided = apart.figures;
  undivided.decode_key_s = known.decode_key_s;
  AttentionFit second = fit_undivided(alone, undivided, fitted);
  apart.figures.decode_key_s = second.figures.decode_key_s;
  apart.undivided = std::move(second.residual);
  apart.fitted.add(second.fitted);
  apart.held_out.add(second.held_out);
  if (apart.fitted.mean() < kLeastGain * together.fitted.mean()) return apart;
  together.divides = true;
  return together;
}

AttentionFit fit_prefill_attention(const std::vector<AttentionSample>& samples, const AttentionFigures& known,
                                   Fitted fitted) {
  const bool shares = fitted == Fitted::kFiguresAndTable;
  const double longest = longest_launch_s(samples);
  AttentionFigures way = known;
  way.prefill_residual = nullptr;
  const auto fit_from = [&](double launch_us, bool writes) {
    const auto figures_of = [&](std::span<const double> v) {
      AttentionFigures figures = way;
      std::size_t next = 0;
      figures.launch_s = std::min(1e-6 * std::exp(v[next++]), longest);
      figures.write_s.reset();
      if (writes) figures.write_s = 1e-6 * std::exp(v[next++]);
      if (!shares) return figures;
      figures.prefill = std::min(1.0, std::exp(v[next++]));
      figures.prefill_wait = std::exp(v[next++]);
      figures.prefill_tile_s = 1e-6 * std::exp(v[next++]);
      return figures;
    };
    std::vector<double> start{std::log(launch_us)}, steps{0.3};
    if (writes) start.push_back(std::log(4.0)), steps.push_back(0.5);
    if (shares) {
      start.insert(start.end(), {std::log(0.6), std::log(0.5), std::log(3.0)});
      steps.insert(steps.end(), {0.1, 0.5, 0.5});
    }
    return fit(samples, kPrefill, figures_of, start, steps);
  };
  const Tiles those_known{known.prefill_tile_rows, known.prefill_tile_heads};
  const auto best_of = [&](bool writes) {
    AttentionFit best;
    best.error = std::numeric_limits<double>::infinity();
    for (const Tiles& tiles : shares ? std::span<const Tiles>(kTiles) : std::span<const Tiles>(&those_known, 1)) {
      way.prefill_tile_rows = tiles.rows;
      way.prefill_tile_heads = tiles.heads;
      // Two valleys: a long launch and short tiles, and the other way round.
      for (const double launch_us : {8.0, 5.0}) {
        AttentionFit next = fit_from(launch_us, writes);
        if (next.error < best.error) best = std::move(next);
      }
    }
    return best;
  };
  AttentionFit alone = best_of(false), writing = best_of(true);
  return writing.fitted.mean() < kLeastGain * alone.fitted.mean() ? writing : alone;
}

}  // namespace tokenyard::analysis
