#include "platforms/cost/attention.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {
namespace {
constexpr double kUsualTileKeys = 100;  // what a tile's beginning and end take on A100, in keys of 128 numbers
constexpr double kLargestBlock = 512, kBlocksOfUnit = 4;  // of threads that write to the cache

/// Graphs are captured for batches of 1, 2, 4, 8, and every eight more.
double graph_places(double calls) {
  for (const double size : {1.0, 2.0, 4.0}) {
    if (calls <= size) return size;
  }
  return 8 * std::ceil(calls / 8);
}

/// The table's last axis alone, for one shape: quicker to look up.
KernelResidual along_tokens(const KernelResidual& table, double heads, double heads_per_kv_head) {
  std::vector<double> tokens(table.points(2).begin(), table.points(2).end()), factors;
  for (const double point : tokens) factors.push_back(table.at({heads, heads_per_kv_head, point}));
  return {{std::vector{heads}, std::vector{heads_per_kv_head}, std::move(tokens)}, std::move(factors)};
}
}  // namespace

Attention::Attention(const AttentionFigures& figures, const AttentionShape& shape) : figures_(figures), shape_(shape) {
  if (figures.prefill_residual != nullptr)
    prefill_residual_ =
        along_tokens(*figures.prefill_residual, shape.query_heads * shape.ranks, shape.heads_per_kv_head);
}

KernelTime Attention::decode(double calls, double context) const {
  const double tokens = calls * context;
  const double memory = shape_.cached_bytes / (figures_.bytes_per_s * figures_.decode);
  const double compute = shape_.decode_flop / (figures_.peak_flops_per_s * figures_.prefill);
  const double longer = tokens * std::max(memory, compute);
  const double here = calls / shape_.ranks;
  const double tiles = figures_.units > 0 ? here * shape_.kv_heads / static_cast<double>(figures_.units) : 1;
  double modelled = std::max(1.0, tiles) * figures_.decode_tile_s + longer;
  if (figures_.decode_residual != nullptr)
    modelled *= figures_.decode_residual->at({here, shape_.kv_heads, std::max(1.0, context)});
  KernelTime time;
  time.bytes = shape_.layers * tokens * shape_.cached_bytes;
  time[compute > memory ? Bound::kCompute : Bound::kBandwidth] = shape_.layers * std::max(modelled, longer);
  time[Bound::kHost] = shape_.layers * figures_.launch_s;
  return time;
}

Attention::Places Attention::places(double calls) const {
  if (figures_.decode_skew == 0 || calls == 0) return {calls};
  const double of_rank = graph_places(calls / shape_.ranks);
  const double tiles = of_rank * shape_.kv_heads;
  const double alpha =
      figures_.decode_skew * (figures_.units > 0 ? std::min(1.0, static_cast<double>(figures_.units) / tiles) : 1);
  const double all = of_rank * shape_.ranks, stretch = 1 + alpha * (all / calls - 1);
  return {all, stretch, alpha * all / (calls * stretch)};
}

std::vector<double> contexts_of(const KernelResidual& decode_table) {
  std::vector<double> points{0};
  for (const double point : decode_table.points(2)) points.push_back(point);
  points.push_back(2 * points.back() + 1);
  return points;
}

std::vector<double> Attention::decode_points() const {
  return figures_.decode_residual == nullptr ? std::vector<double>{0, 1} : contexts_of(*figures_.decode_residual);
}

double Attention::prefill_flop(double tokens, double before) const {
  return 2 * shape_.layers * shape_.query_heads * (shape_.query_key_dim + shape_.value_dim) * tokens *
         (before + (tokens + 1) / 2);
}

KernelTime Attention::prefill(double tokens, double before) const {
  KernelTime time;
  if (tokens <= 0) return time;
  const double heads = shape_.query_heads * shape_.ranks, dims = shape_.query_key_dim + shape_.value_dim;
  time.bytes = shape_.layers * (shape_.cached_bytes * (before + tokens) + 2 * shape_.query_heads * dims * tokens);
  const double memory = time.bytes / (figures_.bytes_per_s * figures_.decode);

  const double sharing = std::clamp(shape_.heads_per_kv_head, 1.0, figures_.prefill_tile_heads);
  const double tokens_of_tile = figures_.prefill_tile_rows / sharing,
               tiles_of_head = std::ceil(tokens / tokens_of_tile);
  const double units = std::max(1.0, static_cast<double>(figures_.units));
  const double key_s = 2 * figures_.prefill_tile_rows * dims * units / (figures_.peak_flops_per_s * figures_.prefill);
  const double tile_s = figures_.prefill_tile_s.value_or(kUsualTileKeys * key_s);
  const double keys = before + tokens_of_tile * (tiles_of_head - 1) / 2 + tokens / tiles_of_head;  // of the mean tile
  const double longest = key_s * (before + tokens) + tile_s;
  const double evenly = heads / sharing * tiles_of_head * (key_s * keys + tile_s) / units;
  const double compute = shape_.layers / shape_.ranks * std::max(longest, evenly + figures_.prefill_wait * longest);

  const double whole = std::sqrt(tokens * (tokens + 2 * before));
  const double modelled = knee(compute, memory) * prefill_residual_.at({heads, shape_.heads_per_kv_head, whole});
  time[compute > memory ? Bound::kCompute : Bound::kBandwidth] =
      std::max({modelled, prefill_flop(tokens, before) / figures_.peak_flops_per_s, time.bytes / figures_.bytes_per_s});
  time[Bound::kHost] = shape_.layers * figures_.launch_s;
  if (figures_.write_s) time += write(tokens);
  return time;
}

KernelTime Attention::write(double tokens) const {
  const double of_rank = shape_.layers * tokens / shape_.ranks;
  const double read = 2 * shape_.kv_heads * (shape_.query_key_dim + shape_.value_dim);
  KernelTime time;
  time.bytes = of_rank * read + shape_.layers * tokens * shape_.cached_bytes;
  const double block = std::min(1.0, shape_.kv_heads * shape_.value_dim / kLargestBlock);
  const double units = std::max(1.0, static_cast<double>(figures_.units));
  const double blocks_s =
      of_rank * figures_.write_s.value_or(0) * block * std::sqrt(std::sqrt(block)) / (kBlocksOfUnit * units);
  time[Bound::kBandwidth] = knee(blocks_s, time.bytes / (figures_.bytes_per_s * figures_.decode));
  return time;
}

}  // namespace tokenyard::platforms
