#include "platforms/cost/attention.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {
namespace {
constexpr double kQueryBlock = 64;
// Beginning and ending a block of queries takes as long as so many keys; queries, keys, values and results cross the
// memory about three times (rotated, written to the cache, read back). Both from fits to A100 and H100 tables, 2026-08.
constexpr double kBlockOverhead = 100, kPasses = 3;

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
    prefill_residual_ = along_tokens(*figures.prefill_residual, shape.query_heads, shape.heads_per_kv_head);
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
  time.bytes = shape_.layers * (shape_.cached_bytes * (before + kPasses * tokens) +
                                kPasses * 2 * shape_.query_heads * (shape_.query_key_dim + shape_.value_dim) * tokens);
  const double memory = time.bytes / (figures_.bytes_per_s * figures_.decode);
  // Blocks are computed whole: the last of the queries, and the one on the diagonal.
  const double rows = std::ceil(tokens / kQueryBlock);
  const double pairs = kQueryBlock * rows * (before + kQueryBlock * (rows + 1) / 2 + kBlockOverhead);
  double compute = 2 * shape_.layers * shape_.query_heads * (shape_.query_key_dim + shape_.value_dim) * pairs /
                   (figures_.peak_flops_per_s * figures_.prefill);
  if (figures_.units > 0)
    compute *= 1 + figures_.prefill_tail * static_cast<double>(figures_.units) / (shape_.query_heads * rows);
  const double whole = std::sqrt(tokens * (tokens + 2 * before));
  const double modelled =
      knee(compute, memory) * prefill_residual_.at({shape_.query_heads, shape_.heads_per_kv_head, whole});
  time[compute > memory ? Bound::kCompute : Bound::kBandwidth] =
      std::max({modelled, prefill_flop(tokens, before) / figures_.peak_flops_per_s, time.bytes / figures_.bytes_per_s});
  time[Bound::kHost] = shape_.layers * figures_.launch_s;
  return time;
}

}  // namespace tokenyard::platforms
