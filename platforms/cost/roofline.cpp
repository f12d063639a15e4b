#include "platforms/cost/roofline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {
namespace {

constexpr double kTicksPerSecond = 1e9 * static_cast<double>(sim::FineTime::kTicksPerNanosecond);
constexpr double kActivationBytes = 2;  // bf16

/// x^n for a whole n >= 0, by squaring: only products, so the same on every machine.
double power(double x, std::int64_t n) {
  double result = 1;
  for (; n > 0; n /= 2, x *= x) {
    if (n % 2 == 1) result *= x;
  }
  return result;
}

std::int64_t ticks(double seconds) { return std::llround(seconds * kTicksPerSecond); }
constexpr std::size_t at(Bound bound) { return static_cast<std::size_t>(bound); }

}  // namespace

std::vector<std::string> missing_numbers(const ReplicaSpec& spec) {
  std::vector<std::string> missing;
  for (const std::string& key : spec.chip->missing(spec.weights, spec.parallelism.chips())) {
    missing.push_back(fmt::format("chip {}: {}", spec.chip->name, key));
  }
  if (spec.span.crosses(spec.parallelism.chips()) && spec.span.bytes_per_s <= 0) {
    missing.push_back(fmt::format("chip {}: scale_out_bytes_per_s, which a replica on several nodes needs (or the fabric's bytes_per_s),", spec.chip->name));
  }
  for (const std::string& key : spec.model->missing()) missing.push_back(fmt::format("model {}: {}", spec.model->name, key));
  return missing;
}

double kv_bytes_per_token_per_chip(const ReplicaSpec& spec) {
  // MLA's latent vector is not divided among the tensor-parallel chips; keys and values are, down to one head each.
  const auto heads = static_cast<double>(spec.model->kv_heads);
  const double split = spec.model->mla ? 1 : std::min(static_cast<double>(spec.parallelism.tp), heads);
  return spec.model->kv_bytes_per_token(spec.kv) / (split * static_cast<double>(spec.parallelism.pp * spec.parallelism.dp));
}

double weight_bytes_per_chip(const ReplicaSpec& spec) {
  const auto parameters = spec.model->parameters();
  const double experts = parameters.experts * bytes_per_weight(spec.weights);
  const double rest = spec.model->weight_bytes(spec.weights) - experts;
  const Parallelism& p = spec.parallelism;
  return rest / static_cast<double>(p.tp * p.pp) + experts / static_cast<double>(p.chips());
}

double kv_capacity_tokens(const ReplicaSpec& spec, double memory_utilization, double reserved_bytes) {
  const double room = *spec.chip->memory_bytes * memory_utilization - weight_bytes_per_chip(spec) - reserved_bytes;
  return room / kv_bytes_per_token_per_chip(spec);
}

Roofline::Roofline(const ReplicaSpec& spec)
    : spec_(spec), compute_(spec.chip->compute_precision(spec.weights).value()),
      launch_s_(spec.chip->efficiency.launch_s.value_or(2e-6)) {}

Roofline::Work& Roofline::Work::operator+=(const Work& other) {
  for (std::size_t i = 0; i < kBounds; ++i) seconds[i] += other.seconds[i];
  flop += other.flop;
  bytes += other.bytes;
  return *this;
}

void Roofline::add(Work& work, const Kernel& kernel) const {
  // The engine's scale corrects the fit, but not beyond the chip's peaks.
  const double scale = spec_.host.kernel_scale;
  const double compute = kernel.flop / kernel.peak * std::max(1.0, scale / kernel.compute_efficiency);
  const double memory = kernel.bytes / *spec_.chip->memory_bytes_per_s * std::max(1.0, scale / kernel.memory_efficiency);
  work.seconds[at(compute > memory ? Bound::kCompute : Bound::kBandwidth)] += std::max(compute, memory);
  work.seconds[at(Bound::kHost)] += kernel.launches * launch_s_ * scale;
  work.flop += kernel.flop;
  work.bytes += kernel.bytes;
}

/// Everything that depends on the number of tokens alone.
Roofline::Work Roofline::token_work(std::int64_t tokens) const {
  const auto index = static_cast<std::size_t>(tokens);
  if (index < token_cache_.size() && token_cache_[index]) return *token_cache_[index];

  const Chip& chip = *spec_.chip;
  const ModelArchitecture& model = *spec_.model;
  const Parallelism& p = spec_.parallelism;
  const auto hidden = static_cast<double>(model.hidden);
  const auto tp = static_cast<double>(p.tp);
  // One micro-batch on one data-parallel rank; each of the pp stages takes all of its layers' time.
  const double t = std::ceil(static_cast<double>(tokens) / static_cast<double>(p.pp * p.dp));
  const double peak = *chip.peak_flops_per_s[compute_];
  const double e_c = chip.efficiency.gemm_compute[compute_].value_or(0.7);
  const double e_m = chip.efficiency.gemm_memory.value_or(0.8);
  const double weight = bytes_per_weight(spec_.weights);

  Work work;
  const auto dense = [&](double parameters, double kernels) {
    add(work, {2 * t * parameters / tp, parameters / tp * weight + kernels * 2 * t * hidden * kActivationBytes, e_c, e_m, peak, kernels});
  };
  const auto layers = [&](std::int64_t count, double parameters, double kernels) {
    for (std::int64_t i = 0; i < count; ++i) dense(parameters, kernels);
  };
  layers(model.full_layers, model.full_attention_parameters(), 2);
  layers(model.sliding_layers, model.sliding_layers > 0 ? model.sliding_attention_parameters() : 0, 2);
  layers(model.linear_layers, model.linear_layers > 0 ? model.linear_attention_parameters() : 0, 2);
  if (model.dense_layers() > 0) {
    layers(model.dense_layers(), 3 * hidden * static_cast<double>(model.ffn_dense.value_or(0)), 2);
  }
  if (model.moe) {
    const auto experts = static_cast<double>(model.moe->experts);
    const auto top = static_cast<double>(model.moe->experts_per_token.value_or(1));
    const double of_one = 3 * hidden * static_cast<double>(model.moe->ffn_expert);
    const double shared = 3 * hidden * static_cast<double>(model.moe->shared_experts * model.moe->ffn_shared);
    const double everyone = t * static_cast<double>(p.dp);
    const double hit = experts * (1 - power(1 - top / experts, static_cast<std::int64_t>(everyone)));
    const double split = tp * static_cast<double>(p.dp);
    for (std::int64_t i = 0; i < model.moe_layers(); ++i) {
      add(work, {2 * everyone * top * of_one / split, hit * of_one / split * weight,
                 chip.efficiency.moe_compute.value_or(e_c), chip.efficiency.moe_memory.value_or(e_m), peak, 2});
      if (shared > 0) dense(shared, 2);
    }
  }
  const double activation = t * hidden * kActivationBytes;
  if (p.tp > 1) {
    const std::int64_t near = spec_.span.within(p.tp);
    const auto n = static_cast<double>(near);
    const Chip::AllReduce reduce = near > 1 ? chip.all_reduce(near).value_or(Chip::AllReduce{}) : Chip::AllReduce{};
    const double wire = reduce.bytes_per_s > 0 ? 2 * (n - 1) / n * activation / reduce.bytes_per_s : 0;
    work.seconds[at(Bound::kNetwork)] +=
        2 * static_cast<double>(model.layers) * (reduce.alpha_s + wire + spec_.span.all_reduce_s(activation, p.tp));
  }
  const double link = chip.scale_up.bytes_per_s.value_or(chip.scale_out_bytes_per_s.value_or(1e10));
  if (p.dp > 1 && model.moe) {
    const double exchanged = activation * static_cast<double>(model.moe->experts_per_token.value_or(1));
    const double seconds = std::max(exchanged / link, spec_.span.all_to_all_s(exchanged, p.tp * p.dp)) + 10e-6;
    work.seconds[at(Bound::kNetwork)] += 2 * static_cast<double>(model.moe_layers()) * seconds;
  }
  if (p.pp > 1) {
    // Layers ran once with 1/pp of the tokens; all micro-batches pass every stage.
    const double hop = spec_.span.crosses(p.chips()) ? spec_.span.bytes_per_s : link;
    work.seconds[at(Bound::kNetwork)] += static_cast<double>(p.pp) * activation / hop;
  }
  if (index >= token_cache_.size()) token_cache_.resize(index + 1);
  token_cache_[index] = work;
  return work;
}

Roofline::Work Roofline::head_work(std::int64_t rows) const {
  const Chip& chip = *spec_.chip;
  const double matrix = static_cast<double>(spec_.model->hidden * spec_.model->vocab) / static_cast<double>(spec_.parallelism.tp);
  const double peak = chip.peak_flops_per_s[Precision::kBf16].value_or(*chip.peak_flops_per_s[compute_]);
  Work work;
  if (rows > 0) {
    add(work, {2 * static_cast<double>(rows) / static_cast<double>(spec_.parallelism.dp) * matrix, matrix * kActivationBytes,
               chip.efficiency.gemm_compute[Precision::kBf16].value_or(0.7), chip.efficiency.gemm_memory.value_or(0.8), peak, 1});
  }
  return work;
}

void Roofline::book(StepPiece& piece, const Work& work) {
  for (std::size_t i = 0; i < kBounds; ++i) piece.base_ticks[i] += ticks(work.seconds[i]);
  piece.base_flop += std::llround(work.flop);
  piece.base_bytes += std::llround(work.bytes);
}

/// Attention over the contexts of `decoding` calls: the affine part.
StepPiece Roofline::decode_piece(std::int32_t decoding) const {
  const Chip& chip = *spec_.chip;
  const ModelArchitecture& model = *spec_.model;
  const Parallelism& p = spec_.parallelism;
  StepPiece piece;
  if (decoding == 0) return piece;
  const double scale = spec_.host.kernel_scale;
  const double e_m = chip.efficiency.attention_decode.value_or(0.7);
  const double per_byte = std::max(1.0, scale / e_m) / *chip.memory_bytes_per_s;
  // A step passes every chip's share of the layers in turn: per chip of a stage, times the stages.
  const double bytes = kv_bytes_per_token_per_chip(spec_) * static_cast<double>(p.pp);
  const double head_dim = static_cast<double>(model.mla ? model.mla->kv_lora_rank + model.mla->qk_rope_dim : model.head_dim.value_or(128));
  const double flop = 4 * static_cast<double>(model.heads) * head_dim * static_cast<double>(model.full_layers) /
                      static_cast<double>(p.tp * p.dp);
  const double peak = chip.peak_flops_per_s[Precision::kBf16].value_or(*chip.peak_flops_per_s[compute_]);
  const double compute = flop / peak * std::max(1.0, scale / chip.efficiency.attention_prefill.value_or(0.5));
  const double memory = bytes * per_byte;
  piece.slope_ticks[at(compute > memory ? Bound::kCompute : Bound::kBandwidth)] = ticks(std::max(compute, memory));
  piece.slope_flop = std::llround(flop);
  piece.slope_bytes = std::llround(bytes);

  Work base;
  const double kernels = static_cast<double>(model.full_layers + model.sliding_layers);
  base.seconds[at(Bound::kBandwidth)] += kernels * chip.efficiency.attention_decode_half_bytes.value_or(4e6) * per_byte;
  base.seconds[at(Bound::kHost)] += kernels * launch_s_ * scale;
  if (model.sliding_layers > 0) {
    const double window = model.sliding_kv_bytes_per_token(spec_.kv) * static_cast<double>(model.window) * decoding /
                          static_cast<double>(std::min(p.tp, model.kv_heads) * p.dp);
    base.seconds[at(Bound::kBandwidth)] += window * per_byte;
    base.bytes += window;
  }
  if (model.linear_layers > 0) {
    const double state = 2 * model.linear_state_bytes() * decoding / static_cast<double>(p.tp * p.dp);
    base.seconds[at(Bound::kBandwidth)] += state * per_byte;
    base.bytes += state;
  }
  book(piece, base);
  return piece;
}

StepPiece Roofline::piece(std::int32_t decoding, std::span<const PrefillChunk> chunks) const {
  const auto index = static_cast<std::size_t>(decoding);
  if (chunks.empty() && index < decode_cache_.size() && decode_cache_[index]) return *decode_cache_[index];

  const Chip& chip = *spec_.chip;
  const ModelArchitecture& model = *spec_.model;
  const Parallelism& p = spec_.parallelism;
  std::int64_t tokens = decoding;
  std::int64_t rows = decoding;
  Work work;
  const double peak = chip.peak_flops_per_s[Precision::kBf16].value_or(*chip.peak_flops_per_s[compute_]);
  for (const PrefillChunk& chunk : chunks) {
    tokens += chunk.tokens;
    rows += chunk.last ? 1 : 0;
    const auto c = static_cast<double>(chunk.tokens);
    const double reach = static_cast<double>(chunk.before) + (c + 1) / 2;
    const double head_dim = static_cast<double>(model.mla ? model.mla->qk_nope_dim + model.mla->qk_rope_dim : model.head_dim.value_or(128));
    const double pairs = c * (static_cast<double>(model.full_layers) * reach +
                              static_cast<double>(model.sliding_layers) * std::min(reach, static_cast<double>(model.window)));
    const double flop = 4 * static_cast<double>(model.heads) * head_dim * pairs / static_cast<double>(p.tp * p.dp);
    const double read = kv_bytes_per_token_per_chip(spec_) * static_cast<double>(p.pp * (chunk.before + chunk.tokens));
    add(work, {flop, read, chip.efficiency.attention_prefill.value_or(0.5), chip.efficiency.attention_decode.value_or(0.7), peak,
               static_cast<double>(model.full_layers + model.sliding_layers)});
  }
  work += token_work(tokens);
  work += head_work(rows);
  const auto sequences = static_cast<double>(decoding) + static_cast<double>(chunks.size());
  work.seconds[at(Bound::kHost)] += spec_.host.step_s + sequences * spec_.host.sequence_s;

  StepPiece piece = decode_piece(decoding);
  book(piece, work);
  if (chunks.empty()) {
    if (index >= decode_cache_.size()) decode_cache_.resize(index + 1);
    decode_cache_[index] = piece;
  }
  return piece;
}

}  // namespace tokenyard::platforms
