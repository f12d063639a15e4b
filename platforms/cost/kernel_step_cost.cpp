#include "platforms/cost/kernel_step_cost.hpp"

#include <algorithm>
#include <cmath>

#include "platforms/cost/kernel_figures.hpp"
#include "sim/core/rounded.hpp"

namespace tokenyard::platforms {

namespace {

// Small kernels of a layer after fusion (two norms with the residual, rotation, cache write, activation), and of a step
// (embedding, last norm, sampling).
constexpr double kPointwiseOfLayer = 5, kPointwiseOfStep = 4;

double count(std::int64_t number) { return static_cast<double>(number); }
/// Bytes of so many numbers between the kernels.
double activations(std::int64_t numbers) { return kActivationBytes * count(numbers); }

/// The step's row count as the kernels see it.
std::size_t row_class(std::int64_t rows) { return static_cast<std::size_t>(rows <= 8 ? rows : 8 + (rows - 1) / 8); }
std::int64_t rows_of_class(std::int64_t rows) { return rows <= 8 ? rows : (rows + 7) / 8 * 8; }

template <typename T, typename Make>
const T& cached(std::vector<std::optional<T>>& cache, std::size_t index, const Make& make) {
  if (index >= cache.size()) cache.resize(index + 1);
  if (!cache[index]) cache[index] = make();
  return *cache[index];
}

}  // namespace

KernelStepCost::KernelStepCost(const ReplicaSpec& spec)
    : spec_(spec),
      gemm_(gemm_figures(*spec.chip, spec.chip->compute_precision(spec.weights).value())),
      stages_(static_cast<double>(spec.parallelism.pp)),
      head_(gemm_figures(*spec.chip, attention_precision(spec)), largest_share(spec.model->vocab, spec.parallelism.tp),
            spec.model->hidden, kActivationBytes, kActivationBytes),
      attention_(spec),
      tensor_(*spec.chip, spec.parallelism.tp, spec.span),
      exchange_(*spec.chip, spec.parallelism.dp > 1 ? spec.parallelism.tp * spec.parallelism.dp : 1, spec.span),
      host_(spec.host, *spec.model) {
  add_pointwise();
  add_projections();
  if (spec_.model->dense_layers() > 0) add_dense();
  if (spec_.model->moe) add_experts();
}

void KernelStepCost::add_product(double layers, const Gemm& gemm) {
  products_.push_back({gemm, layers});
  token_flop_ += layers * gemm.flop(1);
}

void KernelStepCost::add_products(double layers, std::int64_t n, std::int64_t k) {
  if (layers <= 0 || n <= 0 || k <= 0) return;
  add_product(layers, product_of(gemm_, spec_.weights, n, k));
  const Precision compute = spec_.chip->compute_precision(spec_.weights).value();
  if (compute == Precision::kBf16) return;
  const double bytes = layers * (kActivationBytes + input_bytes(compute)) * static_cast<double>(k);
  pointwise_kernels_ += layers;
  quantised_bytes_ += bytes;
  quantise_s_ += bytes / (gemm_.bytes_per_s * gemm_.quantise);
}

/// The small kernels between the products: the launches of all, and the bytes of the norms. A norm reads and writes the
/// residual stream and writes its result; two of them in a layer. Attention and dense blocks add the bytes of theirs.
void KernelStepCost::add_pointwise() {
  const ModelArchitecture& model = *spec_.model;
  pointwise_bytes_ += 6 * count(model.layers) * activations(model.hidden);
  pointwise_kernels_ += kPointwiseOfLayer * count(model.layers) + kPointwiseOfStep;
}

/// The projections of all layers.
void KernelStepCost::add_projections() {
  const ModelArchitecture& model = *spec_.model;
  const std::int64_t tp = spec_.parallelism.tp;
  const std::int64_t heads = largest_share(model.heads, tp), kv = largest_share(model.kv_heads, tp),
                     full_kv = largest_share(model.full_kv_heads, tp);
  if (model.mla) {
    add_latent(heads);
  } else {
    const std::int64_t projected =
        heads * (model.attention_output_gate ? 2 : 1) + full_kv * (model.full_shared_key_value ? 1 : 2);
    if (model.full_layers > 0) add_grouped(model.full_layers, {heads, full_kv, model.full_head_dim}, projected);
    if (model.sliding_layers > 0) add_grouped(model.sliding_layers, {heads, kv, *model.head_dim}, heads + 2 * kv);
  }
  if (model.linear_layers > 0) {
    // Its projections as one product of the same weights.
    const auto n = static_cast<std::int64_t>(model.linear_attention_parameters() / count(model.hidden * tp));
    add_products(count(model.linear_layers), n, model.hidden);
  }
}

/// Of layers in which groups of query heads share a cached one. A product makes queries, keys and values, as much as
/// `projected` heads in all; a second one puts the heads' results together.
void KernelStepCost::add_grouped(std::int64_t layers, const Heads& on_chip, std::int64_t projected) {
  const auto [heads, kv, width] = on_chip;
  const std::int64_t d = spec_.model->hidden;
  add_products(count(layers), projected * width, d);
  add_products(count(layers), d, heads * width);
  pointwise_bytes_ += count(layers) * activations(2 * (heads + kv) * width);
}

/// Of full-attention layers in which all heads share a latent vector, with their indexers.
void KernelStepCost::add_latent(std::int64_t heads) {
  const ModelArchitecture& model = *spec_.model;
  const double layers = count(model.full_layers);
  for (const WeightShape& weights : latent_products(model, heads)) add_products(layers, weights.columns, weights.depth);
  pointwise_bytes_ +=
      layers * kActivationBytes * 2 * count(heads) * count(model.mla->qk_nope_dim + model.mla->qk_rope_dim);
  if (!model.sparse) return;
  const double indexers = count(model.sparse->index_layers);
  add_products(indexers, model.sparse->index_heads * model.sparse->index_dim, model.mla->q_lora_rank);
  add_products(indexers, model.sparse->index_dim + model.sparse->index_heads, model.hidden);
}

void KernelStepCost::add_dense() {
  const ModelArchitecture& model = *spec_.model;
  const double layers = count(model.dense_layers());
  const std::int64_t ffn = largest_share(model.ffn_dense.value_or(0), spec_.parallelism.tp);
  add_products(layers, 2 * ffn, model.hidden);
  add_products(layers, model.hidden, ffn);
  pointwise_bytes_ += layers * activations(3 * ffn);
}

/// With their router and the experts that all tokens share.
void KernelStepCost::add_experts() {
  const ModelArchitecture& model = *spec_.model;
  const ModelArchitecture::Moe& moe = *model.moe;
  const Parallelism& p = spec_.parallelism;
  const std::int64_t d = model.hidden, spread = p.expert_ranks();
  const double layers = count(model.moe_layers()), top = count(moe.experts_per_token.value_or(1));
  const Precision compute = spec_.chip->compute_precision(spec_.weights).value();
  experts_.emplace(expert_figures(*spec_.chip, spec_.weights, moe.fp8_scales),
                   Experts::Shape{.hidden = d,
                                  .ffn = largest_share(moe.ffn_expert, p.expert_slices()),
                                  .experts = count(moe.experts) / count(spread),
                                  .all_experts = count(moe.experts),
                                  .per_token = top,
                                  .weight_bytes = bytes_per_weight(spec_.weights),
                                  .input_bytes = input_bytes(compute)});
  expert_flop_ = layers * top / count(spread) * experts_->flop();
  const Precision unquantised = attention_precision(spec_);  // the router
  add_product(layers, product_of(gemm_figures(*spec_.chip, unquantised), unquantised, moe.experts, d));
  const std::int64_t shared = largest_share(moe.shared_experts * moe.ffn_shared, p.tp);
  add_products(layers, 2 * shared, d);
  add_products(layers, d, shared);
}

/// What depends on the number of tokens alone, but for experts.
const KernelTime& KernelStepCost::token_time(std::int64_t tokens) const {
  const auto of_stage = static_cast<std::int64_t>(std::ceil(static_cast<double>(tokens) / stages_));
  return cached(token_cache_, row_class(of_stage), [&] { return compute_token_time(rows_of_class(of_stage)); });
}

KernelTime KernelStepCost::compute_token_time(std::int64_t tokens) const {
  const ModelArchitecture& model = *spec_.model;
  const Parallelism& p = spec_.parallelism;
  const auto t = static_cast<double>(tokens);
  KernelTime time;
  for (const Product& product : products_) {
    KernelTime each = product.gemm.at(tokens);
    each *= product.count;
    time += each;
  }
  KernelTime pointwise;
  pointwise.bytes = t * (pointwise_bytes_ + quantised_bytes_);
  pointwise[Bound::kBandwidth] = t * (pointwise_bytes_ / (gemm_.bytes_per_s * gemm_.memory) + quantise_s_);
  pointwise[Bound::kHost] = pointwise_kernels_ * gemm_.launch_s;
  time += pointwise;

  const double activation = t * static_cast<double>(model.hidden) * kActivationBytes;
  if (p.tp > 1) {
    KernelTime reduce = tensor_.all_reduce(activation);
    reduce *= 2 * static_cast<double>(model.layers);
    time += reduce;
  }
  if (p.pp > 1) {
    // Every micro-batch passes every stage.
    const Chip& chip = *spec_.chip;
    const double pair = link_bytes_per_s(chip) * chip.scale_up.ring_share(2);
    const double link = spec_.span.crosses(p.chips()) ? spec_.span.bytes_per_s : pair;
    time[Bound::kNetwork] += static_cast<double>(p.pp) * activation / link;
  }
  return time;
}

/// The experts of all layers, for the tokens of all data-parallel ranks in a micro-batch.
const KernelTime& KernelStepCost::experts_time(std::int64_t tokens) const {
  const auto everyone =
      static_cast<std::int64_t>(std::ceil(static_cast<double>(tokens) / static_cast<double>(spec_.parallelism.pp)));
  return cached(experts_cache_, row_class(everyone), [&] { return compute_experts_time(rows_of_class(everyone)); });
}

KernelTime KernelStepCost::compute_experts_time(std::int64_t everyone) const {
  const ModelArchitecture& model = *spec_.model;
  const Parallelism& p = spec_.parallelism;
  const auto experts = static_cast<double>(model.moe->experts),
             top = static_cast<double>(model.moe->experts_per_token.value_or(1));
  const auto spread = static_cast<double>(p.expert_ranks());
  KernelTime each = experts_->at(static_cast<double>(everyone) * top / spread,
                                 experts_hit(experts, top, everyone) / spread, static_cast<double>(everyone));
  if (spec_.padded_experts) each += experts_->padding(spec_.padded_experts);
  if (p.dp > 1) {
    // A token goes once to each other rank that has one of its experts, and back.
    const double copies = std::min(top, static_cast<double>(p.dp - 1));
    const double of_rank = static_cast<double>(everyone) / static_cast<double>(p.dp);
    for (int way = 0; way < 2; ++way)
      each += exchange_.all_to_all(of_rank * static_cast<double>(model.hidden) * kActivationBytes * copies);
  }
  each *= static_cast<double>(model.moe_layers());
  return each;
}

const KernelTime& KernelStepCost::head_time(std::int64_t rows) const {
  return cached(head_cache_, row_class(rows), [&] { return head_.at(rows_of_class(rows)); });
}

StepPiece KernelStepCost::piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                                const OtherRanks& others) const {
  StepPiece piece = attention_.decode(decoding);
  // Not `+=`: the rest has no slopes and no limit, and this is done for every change of the batch.
  const StepPiece rest = kernels(decoding.calls, chunks, others);
  const bool with_prompts = !chunks.empty() || others.prompts;
  for (std::size_t i = 0; i < kBounds; ++i) piece.base_ticks[i] += rest.base_ticks[i];
  piece.base_ticks[Bound::kBandwidth] += longest_alone(decoding, !chunks.empty());
  piece.base_flop += rest.base_flop;
  piece.base_bytes += rest.base_bytes;
  piece.padding_flop += rest.padding_flop;
  piece.unpacked += rest.unpacked;
  const double sequences = static_cast<double>(decoding.calls) + static_cast<double>(chunks.size());
  host_.add_to(piece, decoding.context, sequences, with_prompts);
  return piece;
}

/// All but attention to the cache.
StepPiece KernelStepCost::kernels(std::int32_t decoding, std::span<const PrefillChunk> chunks,
                                  const OtherRanks& others) const {
  if (!chunks.empty() || others.tokens > 0) return compute_kernels(decoding, chunks, others);
  return cached(decode_cache_, static_cast<std::size_t>(decoding),
                [&] { return compute_kernels(decoding, chunks, others); });
}

StepPiece KernelStepCost::compute_kernels(std::int32_t decoding, std::span<const PrefillChunk> chunks,
                                          const OtherRanks& others) const {
  const Parallelism& p = spec_.parallelism;
  const std::int64_t queries = spec_.speculation.queries(), decoded = decoding * queries;
  std::int64_t tokens = decoded, computed = decoded;  // with what steps are filled up to
  std::int64_t rows = decoded;
  KernelTime time;
  double flop = 0;
  for (const PrefillChunk& chunk : chunks) {
    const Tokens places = spec_.step_shape.chunk_places(chunk.tokens, chunk.before);
    tokens += chunk.tokens;
    computed += places;
    rows += chunk.last ? 1 : 0;
    const CacheAttention::Prompt attention = attention_.prompt(
        static_cast<double>(chunk.tokens), static_cast<double>(places), static_cast<double>(chunk.before));
    time += attention.time;
    flop += attention.flop;
  }
  const std::int64_t everyone = tokens + others.tokens, made = rows;
  if (chunks.empty() && !others.prompts) {
    const std::int64_t places =
        spec_.step_shape.decoding_places(std::max(decoded, others.fullest * queries), queries, p.pp);
    time += token_time(places);
    if (experts_) time += experts_time(places * p.dp);
    if (spec_.step_shape.compiled) rows = places;
  } else {
    computed = spec_.step_shape.prompt_places(computed, p.pp);
    time += token_time(computed);
    if (experts_) time += experts_time(computed + others.tokens);
  }
  if (rows > 0) time += head_time(rows);
  flop += (token_flop_ * static_cast<double>(tokens) + expert_flop_ * static_cast<double>(everyone)) / stages_ +
          head_.flop(static_cast<double>(made));

  StepPiece piece;
  book(piece, time);
  piece.base_flop = sim::counted(flop);
  return piece;
}

}  // namespace tokenyard::platforms
