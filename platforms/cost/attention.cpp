#include "platforms/cost/attention.hpp"

#include <algorithm>
#include <cmath>

#include "platforms/spec/log2_between_powers.hpp"
#include "platforms/spec/step_shape.hpp"

namespace tokenyard::platforms {
namespace {
constexpr double kTilesOfUnit = 2, kWavesToHalf = 8;  // of decoding
constexpr double kUsualTileKeys = 100;  // what a tile's beginning and end take on A100, in keys of 128 numbers
constexpr double kLargestBlock = 512, kBlocksOfUnit = 4;  // of threads that write to the cache
}  // namespace

Attention::Attention(const AttentionFigures& figures, const AttentionShape& shape) : figures_(figures), shape_(shape) {
  Tiles& t = tiles_;
  t.heads = shape.query_heads;
  if (const KernelResidual* table = figures.prefill_residual; table != nullptr) {
    for (const double tokens : table->points(2)) {
      t.factor_at.push_back(log2_between_powers(tokens));
      t.factors.push_back(table->at({t.heads, shape.heads_per_kv_head, tokens}));
    }
  }
  const double dims = shape.query_key_dim + shape.value_dim;
  const double sharing = std::clamp(shape.heads_per_kv_head, 1.0, figures.prefill_tile_heads);
  const double units = figures.units > 0 ? static_cast<double>(figures.units) : 1;
  t.tokens = figures.prefill_tile_rows / sharing;
  t.of_units = t.heads / sharing / units;
  t.key_s =
      2 * figures.prefill_tile_rows * dims * units * shape.prefill_time / (figures.peak_flops_per_s * figures.prefill);
  t.begin_s = kUsualTileKeys * t.key_s;
  if (figures.units > 0) t.begin_s = figures.prefill_tile_s.value_or(t.begin_s);
  t.layers = shape.layers;

  // Both linear in the tokens: so is the longer of them.
  t.token_bytes = shape.layers * (shape.cached_bytes + 2 * shape.query_heads * dims);
  if (!figures.write_s) return;
  t.write_bytes = t.layers * 2 * shape.kv_heads * dims + shape.layers * shape.cached_bytes;
  const double block = std::min(1.0, shape.kv_heads * shape.value_dim / kLargestBlock);
  const double at_once = kBlocksOfUnit * static_cast<double>(figures.units);  // 0: unknown
  const double blocks_s = at_once > 0 ? t.layers * *figures.write_s * block * std::sqrt(std::sqrt(block)) / at_once : 0;
  t.write_s = knee(blocks_s, t.write_bytes / (figures.bytes_per_s * figures.decode));
}

KernelTime Attention::decode(double calls, double context) const {
  const double tokens = calls * context;
  const double memory = shape_.cached_bytes / (figures_.bytes_per_s * figures_.decode);
  const double compute = shape_.decode_flop / (figures_.peak_flops_per_s * figures_.prefill);
  const double longer = tokens * std::max(memory, compute);
  const double tiles = figures_.units > 0 ? calls * shape_.kv_heads / static_cast<double>(figures_.units) : 1;
  const double tile_s = figures_.decode_tile_s.value_or(0);
  double modelled = std::max(1.0, tiles) * tile_s + longer;
  if (undivided()) modelled = std::max(modelled, tile_s + key_s() * context);
  if (const KernelResidual* table = decode_table(); table != nullptr) {
    const double heads = std::min(shape_.kv_heads, table->points(1).back());
    modelled *= table->at({calls * shape_.kv_heads / heads, heads, std::max(1.0, context)});
  }
  KernelTime time;
  time.bytes = shape_.layers * tokens * shape_.cached_bytes;
  time[compute > memory ? Bound::kCompute : Bound::kBandwidth] = shape_.layers * std::max(modelled, longer);
  time[Bound::kHost] = shape_.layers * figures_.launch_s;
  return time;
}

Attention::Places Attention::places(double calls) const {
  if (figures_.decode_skew == 0 || calls == 0) return {calls};
  const double all = graph_places(calls), tiles = all * shape_.kv_heads;
  const double alpha =
      figures_.decode_skew * (figures_.units > 0 ? std::min(1.0, static_cast<double>(figures_.units) / tiles) : 1);
  const double stretch = 1 + alpha * (all / calls - 1);
  return {all, stretch, alpha * all / (calls * stretch)};
}

double Attention::longest_alone(double calls, bool beside_prompts) const {
  if (figures_.decode_key_s == 0 || calls == 0) return 0;
  const double tiles = beside_prompts ? calls * shape_.query_heads : graph_places(calls) * shape_.kv_heads;
  const double of_unit = figures_.units > 0 ? tiles / static_cast<double>(figures_.units) : 1;
  if (!beside_prompts && !undivided() && of_unit < figures_.decode_split_below) return 0;
  return shape_.layers * key_s() / calls / (1 + of_unit / (kTilesOfUnit * kWavesToHalf));
}

std::vector<double> contexts_of(const KernelResidual& decode_table) {
  std::vector<double> points{0};
  for (const double point : decode_table.points(2)) points.push_back(point);
  points.push_back(2 * points.back() + 1);
  return points;
}

std::vector<double> Attention::decode_points() const {
  return decode_table() == nullptr ? std::vector<double>{0, 1} : contexts_of(*decode_table());
}

double Attention::prefill_flop(double tokens, double before) const {
  return 2 * shape_.layers * shape_.query_heads * (shape_.query_key_dim + shape_.value_dim) * tokens *
         (before + (tokens + 1) / 2);
}

/// The chip's table along its last axis.
double Attention::Tiles::factor(double of_tokens) const {
  if (factors.empty()) return 1;
  const double x = log2_between_powers(of_tokens);
  if (x <= factor_at.front()) return factors.front();
  if (x >= factor_at.back()) return factors.back();
  std::size_t high = 1;
  while (factor_at[high] <= x) ++high;
  const double share = (x - factor_at[high - 1]) / (factor_at[high] - factor_at[high - 1]);
  return factors[high - 1] + share * (factors[high] - factors[high - 1]);
}

KernelTime Attention::prefill(double tokens, double before) const {
  KernelTime time;
  if (tokens <= 0) return time;
  const Tiles& t = tiles_;
  time.bytes = shape_.layers * shape_.cached_bytes * before + t.token_bytes * tokens;
  const double memory = time.bytes / (figures_.bytes_per_s * figures_.decode);

  const double of_head = std::ceil(tokens / t.tokens);
  const double keys = before + t.tokens * (of_head - 1) / 2 + tokens / of_head;  // of the mean tile
  const double longest = t.key_s * (before + tokens) + t.begin_s;
  const double evenly = t.of_units * of_head * (t.key_s * keys + t.begin_s);
  const double compute = t.layers * std::max(longest, evenly + figures_.prefill_wait * longest);

  const double modelled = knee(compute, memory) * t.factor(std::sqrt(tokens * (tokens + 2 * before)));
  time[compute > memory ? Bound::kCompute : Bound::kBandwidth] =
      std::max({modelled, prefill_flop(tokens, before) / figures_.peak_flops_per_s, time.bytes / figures_.bytes_per_s});
  time[Bound::kHost] = shape_.layers * figures_.launch_s;
  time[Bound::kBandwidth] += t.write_s * tokens;
  time.bytes += t.write_bytes * tokens;
  return time;
}

KernelTime Attention::write(double tokens) const {
  KernelTime time;
  time[Bound::kBandwidth] = tiles_.write_s * tokens;
  time.bytes = tiles_.write_bytes * tokens;
  return time;
}

}  // namespace tokenyard::platforms
