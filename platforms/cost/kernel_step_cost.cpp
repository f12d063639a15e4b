#include "platforms/cost/kernel_step_cost.hpp"

#include <algorithm>
#include <cmath>

#include "platforms/cost/captured_graph.hpp"
#include "platforms/cost/kernel_figures.hpp"
#include "platforms/cost/replica_memory.hpp"
#include "sim/core/rounded.hpp"

namespace tokenyard::platforms {

using sim::FineTime;

namespace {

// Small kernels of a layer after fusion (two norms with the residual, rotation, cache write, activation), and of a step
// (embedding, last norm, sampling).
constexpr double kPointwiseOfLayer = 5, kPointwiseOfStep = 4;

double count(std::int64_t number) { return static_cast<double>(number); }
/// Bytes of so many numbers between the kernels.
double activations(std::int64_t numbers) { return kActivationBytes * count(numbers); }
std::int64_t share(std::int64_t whole, std::int64_t parts) { return (whole + parts - 1) / parts; }

/// The step's row count as the kernels see it.
std::size_t row_class(std::int64_t rows) { return static_cast<std::size_t>(rows <= 8 ? rows : 8 + share(rows - 8, 8)); }
std::int64_t rows_of_class(std::int64_t rows) { return rows <= 8 ? rows : share(rows, 8) * 8; }

template <typename T, typename Make>
const T& cached(std::vector<std::optional<T>>& cache, std::size_t index, const Make& make) {
  if (index >= cache.size()) cache.resize(index + 1);
  if (!cache[index]) cache[index] = make();
  return *cache[index];
}

/// Of all micro-batches, among which the tokens are dealt, where one computes `places` for what it has; 0 for none.
template <typename Places>
std::int64_t in_parts(std::int64_t tokens, std::int64_t parts, const Places& places) {
  return tokens == 0 ? 0 : parts * places((tokens + parts - 1) / parts);
}

}  // namespace

Precision attention_precision(const ReplicaSpec& spec) {
  return spec.chip->peak_flops_per_s[Precision::kBf16] ? Precision::kBf16
                                                       : spec.chip->compute_precision(spec.weights).value();
}

KernelStepCost::KernelStepCost(const ReplicaSpec& spec)
    : spec_(spec),
      gemm_(gemm_figures(*spec.chip, spec.chip->compute_precision(spec.weights).value())),
      stages_(static_cast<double>(spec.parallelism.pp)),
      head_(gemm_figures(*spec.chip, attention_precision(spec)), share(spec.model->vocab, spec.parallelism.tp),
            spec.model->hidden, kActivationBytes, kActivationBytes),
      tensor_(*spec.chip, spec.parallelism.tp, spec.span),
      exchange_(*spec.chip, spec.parallelism.dp > 1 ? spec.parallelism.tp * spec.parallelism.dp : 1, spec.span),
      host_(spec.host, *spec.model) {
  add_pointwise();
  add_attention();
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

/// Of all layers, with their projections.
void KernelStepCost::add_attention() {
  const ModelArchitecture& model = *spec_.model;
  const Parallelism& p = spec_.parallelism;
  const std::int64_t heads = share(model.heads, p.tp), kv = share(model.kv_heads, p.tp),
                     full_kv = share(model.full_kv_heads, p.tp);
  AttentionFigures figures = attention_figures(*spec_.chip, attention_precision(spec_), spec_.kv);
  if (model.mla) figures.prefill_residual = figures.decode_residual = nullptr;  // those are of cached heads
  if (model.sparse) figures.decode_skew = figures.decode_key_s = 0;             // all choose as many

  AttentionShape full;
  full.layers = count(model.full_layers);
  full.query_heads = count(heads);
  if (model.mla) {
    add_latent(full, heads);
  } else if (model.full_layers > 0) {
    const std::int64_t projected =
        heads * (model.attention_output_gate ? 2 : 1) + full_kv * (model.full_shared_key_value ? 1 : 2);
    add_grouped(full, {heads, full_kv, model.full_head_dim}, projected);
  }
  const double attended = model.kv_bytes_per_token(spec_.kv) - model.index_bytes_per_token();
  full.cached_bytes = full.layers > 0 ? attended / (kv_divisor(model, p.tp) * full.layers) : 0;
  full_.emplace(figures, full);
  if (model.mla)
    latent_.emplace(*spec_.chip, latent_table(*spec_.chip, spec_.kv), *full_,
                    LatentAttention::Shape{.model = &model,
                                           .weights = spec_.weights,
                                           .heads = heads,
                                           .queries = model.sparse ? 1 : spec_.speculation.queries()});
  if (model.sparse)
    sparse_.emplace(*spec_.chip, model, attention_precision(spec_), full.query_heads, spec_.speculation.queries());

  if (model.sliding_layers > 0) {
    AttentionShape sliding = full;
    sliding.layers = count(model.sliding_layers);
    if (!model.mla) add_grouped(sliding, {heads, kv, *model.head_dim}, heads + 2 * kv);
    sliding.cached_bytes =
        model.sliding_kv_bytes_per_token(spec_.kv) / (sliding.layers * count(std::min(p.tp, model.kv_heads)));
    sliding_.emplace(figures, sliding);
  }
  if (model.linear_layers > 0) {
    // Its projections as one product of the same weights.
    const auto n = static_cast<std::int64_t>(model.linear_attention_parameters() / count(model.hidden * p.tp));
    add_products(count(model.linear_layers), n, model.hidden);
  }
}

/// Projections and shape of layers in which groups of query heads share a cached one. A product makes queries, keys and
/// values, as much as `projected` heads in all; a second one puts the heads' results together.
void KernelStepCost::add_grouped(AttentionShape& shape, const Heads& on_chip, std::int64_t projected) {
  const auto [heads, kv, width] = on_chip;
  const std::int64_t d = spec_.model->hidden;
  add_products(shape.layers, projected * width, d);
  add_products(shape.layers, d, heads * width);
  shape.query_key_dim = shape.value_dim = count(width);
  shape.kv_heads = count(kv);
  shape.heads_per_kv_head = count(heads) / count(kv);
  shape.decode_flop = 4 * count(spec_.speculation.queries()) * shape.query_heads * count(width);
  pointwise_bytes_ += shape.layers * activations(2 * (heads + kv) * width);
}

/// Likewise, where all heads share a latent vector.
void KernelStepCost::add_latent(AttentionShape& shape, std::int64_t heads) {
  const ModelArchitecture& model = *spec_.model;
  for (const WeightShape& weights : latent_products(model, heads))
    add_products(shape.layers, weights.columns, weights.depth);
  const AttentionShape latent = latent_shape(model, heads, 1);
  shape.query_key_dim = latent.query_key_dim;
  shape.value_dim = latent.value_dim;
  shape.prefill_time = latent.prefill_time;
  shape.decode_flop = count(spec_.speculation.queries()) * latent.decode_flop;
  pointwise_bytes_ += shape.layers * kActivationBytes * 2 * count(heads) * shape.query_key_dim;
  if (!model.sparse) return;
  const double indexers = count(model.sparse->index_layers);
  add_products(indexers, model.sparse->index_heads * model.sparse->index_dim, model.mla->q_lora_rank);
  add_products(indexers, model.sparse->index_dim + model.sparse->index_heads, model.hidden);
}

void KernelStepCost::add_dense() {
  const ModelArchitecture& model = *spec_.model;
  const double layers = count(model.dense_layers());
  const std::int64_t ffn = share(model.ffn_dense.value_or(0), spec_.parallelism.tp);
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
  experts_.emplace(expert_figures(*spec_.chip, spec_.weights),
                   Experts::Shape{.hidden = d,
                                  .ffn = share(moe.ffn_expert, p.expert_slices()),
                                  .experts = count(moe.experts) / count(spread),
                                  .all_experts = count(moe.experts),
                                  .per_token = top,
                                  .weight_bytes = bytes_per_weight(spec_.weights),
                                  .input_bytes = input_bytes(compute)});
  expert_flop_ = layers * top / count(spread) * experts_->flop();
  const Precision unquantised = attention_precision(spec_);  // the router
  add_product(layers, product_of(gemm_figures(*spec_.chip, unquantised), unquantised, moe.experts, d));
  const std::int64_t shared = share(moe.shared_experts * moe.ffn_shared, p.tp);
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

bool KernelStepCost::minds_skew() const { return !spec_.compiled && full_->minds_skew(); }

const KernelStepCost::DecodeAttention& KernelStepCost::of_size(std::int32_t calls) const {
  const auto index = static_cast<std::size_t>(calls);
  if (index >= decode_attention_.size()) decode_attention_.resize(index + 1);
  DecodeAttention& size = decode_attention_[index];
  if (size.stretches.empty()) {
    if (calls == 0) {
      size.stretches.resize(1);
    } else if (spec_.compiled) {
      size.stretches = {compiled_attention(calls)};
    } else {
      const double batches = micro_batches(calls), of_batch = calls / batches;
      const Attention::Places places = full_->places(of_batch);
      size = {places.weight, full_->longest_alone(of_batch, false) / batches,
              full_->longest_alone(of_batch, true) / batches, decode_stretches(calls, places)};
    }
  }
  return size;
}

std::int64_t KernelStepCost::longest_alone(const DecodingCalls& decoding, bool beside_prompts) const {
  if (decoding.skew == 0) return 0;
  const DecodeAttention& size = of_size(decoding.calls);
  const double of_token_s = beside_prompts ? size.longest_beside_prompts_s : size.longest_s;
  return FineTime::ticks_in(of_token_s * static_cast<double>(decoding.skew));
}

StepPiece KernelStepCost::decode_attention(const DecodingCalls& decoding) const {
  const DecodeAttention& size = of_size(decoding.calls);
  const Tokens lacking =
      decoding.skew == 0 ? 0 : static_cast<Tokens>(size.skew_weight * static_cast<double>(decoding.skew));
  const Tokens context = decoding.context + lacking;
  const std::vector<StepPiece>& stretches = size.stretches;
  StepPiece piece = *std::find_if(stretches.begin(), stretches.end() - 1,
                                  [context](const StepPiece& stretch) { return context <= stretch.context_limit; });
  if (lacking > 0) piece.wait_by(lacking);
  return piece;
}

/// Attention over the cache of so many calls, by the sum of all their contexts. Each micro-batch passes all stages, so
/// its time is that of all layers; traffic and arithmetic are those of a stage's chip.
std::vector<StepPiece> KernelStepCost::decode_stretches(double calls, const Attention::Places& places) const {
  const ModelArchitecture& model = *spec_.model;
  const AttentionShape& full = full_->shape();

  const double batches = micro_batches(calls), of_batch = calls / batches, of_stage = calls / stages_;
  KernelTime windows;  // of layers that do not grow
  double window_flop = 0;
  if (sliding_) {
    windows += sliding_->decode(of_batch, static_cast<double>(model.window));
    window_flop =
        of_stage * static_cast<double>(model.window) * sliding_->shape().layers * sliding_->shape().decode_flop;
  }
  if (model.linear_layers > 0) {
    const double state = 2 * model.linear_state_bytes() * of_batch / static_cast<double>(spec_.parallelism.tp);
    windows[Bound::kBandwidth] += state / (gemm_.bytes_per_s * gemm_.memory);
    windows[Bound::kHost] += static_cast<double>(model.linear_layers) * gemm_.launch_s;
    windows.bytes += state;
  }
  windows.bytes *= batches / stages_;

  std::vector<StepPiece> stretches;
  std::vector<double> points = latent_ ? latent_->decode_points() : full_->decode_points();
  const double attended = sparse_ ? sparse_->top_k() : points.back();  // tokens of a context, at most
  if (sparse_) {
    points.erase(std::lower_bound(points.begin(), points.end(), attended), points.end());
    points.insert(points.end(), {attended, attended + 1, 2 * attended + 1});  // one more, and there is a choice
  }
  // Where queries choose, no two share what they read: each is as a call of its own.
  const double queries = sparse_ ? static_cast<double>(spec_.speculation.queries()) : 1;
  const LatentAttention::Batch latent_batch =
      latent_ ? latent_->batch(queries * places.calls) : LatentAttention::Batch{};
  const auto time_at = [&](double point) {
    const double reached = std::min(point, attended);
    KernelTime time = latent_ ? latent_->decode(latent_batch, reached) : full_->decode(places.calls, reached);
    if (sparse_) {
      time[Bound::kCompute] += std::max(0.0, sparse_->least_to_attend(places.calls, reached) - time.total());
      time += sparse_->choose(places.calls, point);
    }
    return time;
  };
  // The sum of contexts, of a call's in its place.
  const double of_point = batches * places.calls / places.stretch;
  KernelTime from = time_at(points.front());
  for (std::size_t i = 1; i < points.size(); ++i) {
    KernelTime to = time_at(points[i]);
    StepPiece stretch;
    KernelTime base = windows;
    for (std::size_t b = 0; b < kBounds; ++b) {
      to.seconds[b] = std::max(to.seconds[b], from.seconds[b]);  // more context takes no less, whatever was measured
      const double slope = (to.seconds[b] - from.seconds[b]) / ((points[i] - points[i - 1]) * of_point);
      stretch.slope_ticks[b] = FineTime::ticks_in(slope);
      base.seconds[b] += from.seconds[b] - slope * points[i - 1] * of_point;
    }
    const bool grows = points[i] <= attended;  // what is attended to
    const double kept = grows ? 0 : full.layers * of_stage * attended;
    base.bytes += kept * queries * full.cached_bytes;
    book(stretch, base);
    stretch.base_flop = sim::counted(window_flop + kept * full.decode_flop);
    const double read = (grows ? full.layers * queries * full.cached_bytes : 0) + model.index_bytes_per_token();
    const double flop = (grows ? full.layers * full.decode_flop : 0) + (sparse_ ? sparse_->score_flop() : 0);
    stretch.slope_bytes = sim::counted(read / stages_);
    stretch.slope_flop = sim::counted(flop / stages_);
    if (i + 1 < points.size()) stretch.context_limit = static_cast<Tokens>(std::floor(points[i] * of_point));
    stretches.push_back(stretch);
    from = to;
  }
  return stretches;
}

/// The time and the traffic of all places at their full length; FLOP are those of what is there.
StepPiece KernelStepCost::compiled_attention(std::int32_t calls) const {
  const auto places = static_cast<double>(spec_.compiled.calls);
  const Tokens all = spec_.compiled.calls * spec_.compiled.length;
  const std::vector<StepPiece> stretches = decode_stretches(places, {places / micro_batches(places)});
  StepPiece piece = *std::find_if(stretches.begin(), stretches.end() - 1,
                                  [all](const StepPiece& stretch) { return all <= stretch.context_limit; });
  const std::int64_t of_windows = sim::counted(static_cast<double>(piece.base_flop) * calls / places);
  piece.move_by(all);
  piece.base_flop = of_windows;
  piece.slope_ticks = {};
  piece.slope_bytes = 0;
  piece.context_limit = StepPiece{}.context_limit;
  return piece;
}

StepPiece KernelStepCost::piece(const DecodingCalls& decoding, std::span<const PrefillChunk> chunks,
                                const OtherRanks& others) const {
  StepPiece piece = decode_attention(decoding);
  // Not `+=`: the rest has no slopes and no limit, and this is done for every change of the batch.
  const StepPiece rest = kernels(decoding.calls, chunks, others);
  const bool with_prompts = !chunks.empty() || others.prompts;
  for (std::size_t i = 0; i < kBounds; ++i) piece.base_ticks[i] += rest.base_ticks[i];
  piece.base_ticks[Bound::kBandwidth] += longest_alone(decoding, !chunks.empty());
  piece.base_flop += rest.base_flop;
  piece.base_bytes += rest.base_bytes;
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

std::int64_t KernelStepCost::decoding_places(std::int64_t tokens) const {
  if (spec_.compiled) return spec_.compiled.calls * spec_.speculation.queries();
  return in_parts(tokens, spec_.parallelism.pp, [&](std::int64_t part) {
    return spec_.buckets ? bucket_of(part, spec_.buckets.decoding)
                         : static_cast<std::int64_t>(graph_places(static_cast<double>(part)));
  });
}

KernelStepCost::PromptAttention KernelStepCost::prompt_attention(double tokens, double computed, double before) const {
  PromptAttention result;
  if (sparse_ && sparse_->chooses(computed, before)) {
    result.time = sparse_->prefill(computed, before);
    result.time += full_->write(computed);
    result.flop = sparse_->prefill_flop(tokens, before);
  } else {
    result.time = full_->prefill(computed, before);
    if (latent_) result.time += latent_->unpack(before, computed);
    result.flop = full_->prefill_flop(tokens, before);
  }
  if (sliding_) {
    // A token sees no more than the window: in 2 w tokens after as many as fill it up, w on average.
    const auto window = static_cast<double>(spec_.model->window);
    const double inside = std::min(computed, std::max(1.0, 2 * window));
    const double reach = std::min(before, std::max(0.0, window - inside / 2));
    KernelTime sliding = sliding_->prefill(inside, reach);
    sliding *= computed / inside;
    result.time += sliding;
    result.flop += sliding_->prefill_flop(inside, reach) * tokens / inside;
  }
  const double bytes = result.time.bytes / stages_;
  result.time *= 1 / micro_batches(computed);
  result.time.bytes = bytes;
  result.flop /= stages_;
  return result;
}

StepPiece KernelStepCost::compute_kernels(std::int32_t decoding, std::span<const PrefillChunk> chunks,
                                          const OtherRanks& others) const {
  const std::int64_t decoded = decoding * spec_.speculation.queries();
  std::int64_t tokens = decoded, computed = decoded;  // with what compiled shapes add
  std::int64_t rows = decoded;
  KernelTime time;
  double flop = 0;
  for (const PrefillChunk& chunk : chunks) {
    const Tokens filled_up = std::max(chunk.tokens, spec_.compiled.length - chunk.before);
    tokens += chunk.tokens;
    computed += filled_up;
    rows += chunk.last ? 1 : 0;
    const PromptAttention attention = prompt_attention(
        static_cast<double>(chunk.tokens), static_cast<double>(filled_up), static_cast<double>(chunk.before));
    time += attention.time;
    flop += attention.flop;
  }
  const std::int64_t everyone = tokens + others.tokens, made = rows;
  if (chunks.empty() && !others.prompts) {
    const std::int64_t places = decoding_places(std::max(decoded, others.fullest * spec_.speculation.queries()));
    time += token_time(places);
    if (experts_) time += experts_time(places * spec_.parallelism.dp);
    if (spec_.compiled) rows = places;
  } else {
    if (spec_.buckets) {
      computed = in_parts(computed, spec_.parallelism.pp,
                          [&](std::int64_t part) { return bucket_of(part, spec_.buckets.prompts); });
    }
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
