#include "platforms/cost/cache_attention.hpp"

#include <algorithm>
#include <cmath>

#include "platforms/cost/kernel_figures.hpp"
#include "platforms/cost/replica_memory.hpp"
#include "sim/core/rounded.hpp"

namespace tokenyard::platforms {

using sim::FineTime;

namespace {

AttentionFigures figures_of(const ReplicaSpec& spec) {
  AttentionFigures figures = attention_figures(*spec.chip, attention_precision(spec), spec.kv);
  if (spec.model->mla) figures.prefill_residual = figures.decode_residual = nullptr;  // those are of cached heads
  if (spec.model->sparse) figures.decode_skew = figures.decode_key_s = 0;             // all choose as many
  return figures;
}

/// Of layers in which groups of query heads share one of `kv_heads` cached heads, or all heads a latent vector.
AttentionShape shape_of(const ReplicaSpec& spec, std::int64_t layers, std::int64_t kv_heads, std::int64_t head_dim) {
  const std::int64_t heads = largest_share(spec.model->heads, spec.parallelism.tp);
  const auto queries = static_cast<double>(spec.speculation.queries());
  AttentionShape shape;
  if (spec.model->mla) {
    shape = latent_shape(*spec.model, heads, 1);
    shape.decode_flop *= queries;
  } else {
    shape.query_heads = static_cast<double>(heads);
    shape.query_key_dim = shape.value_dim = static_cast<double>(head_dim);
    shape.kv_heads = static_cast<double>(largest_share(kv_heads, spec.parallelism.tp));
    shape.heads_per_kv_head = shape.query_heads / shape.kv_heads;
    shape.decode_flop = 4 * queries * shape.query_heads * shape.query_key_dim;
  }
  shape.layers = static_cast<double>(layers);
  return shape;
}

AttentionShape full_shape(const ReplicaSpec& spec) {
  const ModelArchitecture& model = *spec.model;
  AttentionShape shape;
  shape.query_heads = static_cast<double>(largest_share(model.heads, spec.parallelism.tp));
  if (model.mla || model.full_layers > 0)
    shape = shape_of(spec, model.full_layers, model.full_kv_heads, model.full_head_dim);
  const double attended = model.kv_bytes_per_token(spec.kv) - model.index_bytes_per_token();
  shape.cached_bytes = shape.layers > 0 ? attended / (kv_divisor(model, spec.parallelism.tp) * shape.layers) : 0;
  return shape;
}

AttentionShape sliding_shape(const ReplicaSpec& spec) {
  const ModelArchitecture& model = *spec.model;
  AttentionShape shape = shape_of(spec, model.sliding_layers, model.kv_heads, model.head_dim.value_or(0));
  const auto holders = static_cast<double>(std::min(spec.parallelism.tp, model.kv_heads));
  shape.cached_bytes = model.sliding_kv_bytes_per_token(spec.kv) / (shape.layers * holders);
  return shape;
}

/// The one in whose limit a sum of contexts lies.
const StepPiece& stretch_at(const std::vector<StepPiece>& stretches, Tokens context) {
  return *std::find_if(stretches.begin(), stretches.end() - 1,
                       [context](const StepPiece& stretch) { return context <= stretch.context_limit; });
}

}  // namespace

Precision attention_precision(const ReplicaSpec& spec) {
  return spec.chip->peak_flops_per_s[Precision::kBf16] ? Precision::kBf16
                                                       : spec.chip->compute_precision(spec.weights).value();
}

CacheAttention::CacheAttention(const ReplicaSpec& spec)
    : spec_(spec),
      gemm_(gemm_figures(*spec.chip, spec.chip->compute_precision(spec.weights).value())),
      stages_(static_cast<double>(spec.parallelism.pp)),
      full_(figures_of(spec), full_shape(spec)) {
  const ModelArchitecture& model = *spec.model;
  if (model.sliding_layers > 0) sliding_.emplace(figures_of(spec), sliding_shape(spec));
  const std::int64_t queries = spec.speculation.queries();
  if (model.mla) {
    latent_.emplace(*spec.chip, latent_table(*spec.chip, spec.kv), full_,
                    LatentAttention::Shape{.model = &model,
                                           .weights = spec.weights,
                                           .heads = largest_share(model.heads, spec.parallelism.tp),
                                           .queries = model.sparse ? 1 : queries});
  }
  if (model.sparse) sparse_.emplace(*spec.chip, model, attention_precision(spec), full_.shape().query_heads, queries);
}

const CacheAttention::Batch& CacheAttention::of_size(std::int32_t calls) const {
  const auto index = static_cast<std::size_t>(calls);
  if (index >= batches_.size()) batches_.resize(index + 1);
  Batch& size = batches_[index];
  if (size.stretches.empty()) {
    if (calls == 0) {
      size.stretches.resize(1);
    } else if (spec_.step_shape.compiled) {
      size.stretches = {compiled_piece(calls)};
    } else {
      const double batches = micro_batches(calls), of_batch = calls / batches;
      const Attention::Places places = full_.places(of_batch);
      size = {places.weight, full_.longest_alone(of_batch, false) / batches,
              full_.longest_alone(of_batch, true) / batches, stretches(calls, places)};
    }
  }
  return size;
}

StepPiece CacheAttention::decode(const DecodingCalls& decoding) const {
  const Batch& size = of_size(decoding.calls);
  const Tokens lacking =
      decoding.skew == 0 ? 0 : static_cast<Tokens>(size.skew_weight * static_cast<double>(decoding.skew));
  StepPiece piece = stretch_at(size.stretches, decoding.context + lacking);
  if (lacking > 0) piece.wait_by(lacking);
  return piece;
}

std::int64_t CacheAttention::longest_alone(const DecodingCalls& decoding, bool beside_prompts) const {
  if (decoding.skew == 0) return 0;
  const Batch& size = of_size(decoding.calls);
  const double of_token_s = beside_prompts ? size.longest_beside_prompts_s : size.longest_s;
  return FineTime::ticks_in(of_token_s * static_cast<double>(decoding.skew));
}

/// The time and the traffic of all places at their full length; FLOP are those of what is there.
StepPiece CacheAttention::compiled_piece(std::int32_t calls) const {
  const CompiledShape& compiled = spec_.step_shape.compiled;
  const auto places = static_cast<double>(compiled.calls);
  const Tokens all = compiled.calls * compiled.length;
  StepPiece piece = stretch_at(stretches(places, {places / micro_batches(places)}), all);
  const std::int64_t of_windows = sim::counted(static_cast<double>(piece.base_flop) * calls / places);
  piece.move_by(all);
  piece.base_flop = of_windows;
  piece.slope_ticks = {};
  piece.slope_bytes = 0;
  piece.context_limit = StepPiece{}.context_limit;
  return piece;
}

/// Of so many calls, by the sum of all their contexts.
std::vector<StepPiece> CacheAttention::stretches(double calls, const Attention::Places& places) const {
  const Bounded bounded = this->bounded(calls);
  const std::vector<double> points = decode_points();
  const double attended = sparse_ ? sparse_->top_k() : points.back();  // tokens of a context, at most
  const LatentAttention::Batch latent =
      latent_ ? latent_->batch(choosing_queries() * places.calls) : LatentAttention::Batch{};
  // The sum of contexts, of a call's in its place.
  const double of_point = micro_batches(calls) * places.calls / places.stretch;
  std::vector<StepPiece> stretches;
  KernelTime from = full_time(places.calls, latent, points.front());
  for (std::size_t i = 1; i < points.size(); ++i) {
    KernelTime to = full_time(places.calls, latent, points[i]);
    const Work work = this->work(calls, points[i] > attended, attended);
    StepPiece stretch;
    KernelTime base = bounded.time;
    base.bytes += work.base_bytes;
    for (std::size_t b = 0; b < kBounds; ++b) {
      to.seconds[b] = std::max(to.seconds[b], from.seconds[b]);  // more context takes no less, whatever was measured
      const double slope = (to.seconds[b] - from.seconds[b]) / ((points[i] - points[i - 1]) * of_point);
      stretch.slope_ticks[b] = FineTime::ticks_in(slope);
      base.seconds[b] += from.seconds[b] - slope * points[i - 1] * of_point;
    }
    book(stretch, base);
    stretch.base_flop = sim::counted(bounded.flop + work.base_flop);
    stretch.slope_bytes = sim::counted(work.slope_bytes);
    stretch.slope_flop = sim::counted(work.slope_flop);
    if (i + 1 < points.size()) stretch.context_limit = static_cast<Tokens>(std::floor(points[i] * of_point));
    stretches.push_back(stretch);
    from = to;
  }
  return stretches;
}

CacheAttention::Bounded CacheAttention::bounded(double calls) const {
  const ModelArchitecture& model = *spec_.model;
  const double batches = micro_batches(calls), of_batch = calls / batches;
  Bounded result;
  if (sliding_) {
    const AttentionShape& shape = sliding_->shape();
    const auto window = static_cast<double>(model.window);
    result.time += sliding_->decode(of_batch, window);
    result.flop = calls / stages_ * window * shape.layers * shape.decode_flop;
  }
  if (model.linear_layers > 0) {
    const double state = 2 * model.linear_state_bytes() * of_batch / static_cast<double>(spec_.parallelism.tp);
    result.time[Bound::kBandwidth] += state / (gemm_.bytes_per_s * gemm_.memory);
    result.time[Bound::kHost] += static_cast<double>(model.linear_layers) * gemm_.launch_s;
    result.time.bytes += state;
  }
  result.time.bytes *= batches / stages_;
  return result;
}

std::vector<double> CacheAttention::decode_points() const {
  std::vector<double> points = latent_ ? latent_->decode_points() : full_.decode_points();
  if (sparse_) {
    const double chosen = sparse_->top_k();
    points.erase(std::lower_bound(points.begin(), points.end(), chosen), points.end());
    points.insert(points.end(), {chosen, chosen + 1, 2 * chosen + 1});  // one more, and there is a choice
  }
  return points;
}

KernelTime CacheAttention::full_time(double calls, const LatentAttention::Batch& latent, double context) const {
  const double attended = sparse_ ? std::min(context, sparse_->top_k()) : context;
  KernelTime time = latent_ ? latent_->decode(latent, attended) : full_.decode(calls, attended);
  if (sparse_) {
    time[Bound::kCompute] += std::max(0.0, sparse_->least_to_attend(calls, attended) - time.total());
    time += sparse_->choose(calls, context);
  }
  return time;
}

CacheAttention::Work CacheAttention::work(double calls, bool chooses, double attended) const {
  const AttentionShape& full = full_.shape();
  const double queries = choosing_queries();
  const double kept = chooses ? full.layers * (calls / stages_) * attended : 0;
  const double read = (chooses ? 0 : full.layers * queries * full.cached_bytes) + spec_.model->index_bytes_per_token();
  const double flop = (chooses ? 0 : full.layers * full.decode_flop) + (sparse_ ? sparse_->score_flop() : 0);
  return {.base_bytes = kept * queries * full.cached_bytes,
          .base_flop = kept * full.decode_flop,
          .slope_bytes = read / stages_,
          .slope_flop = flop / stages_};
}

CacheAttention::Prompt CacheAttention::prompt(double tokens, double computed, double before) const {
  Prompt result;
  if (sparse_ && sparse_->chooses(computed, before)) {
    result.time = sparse_->prefill(computed, before);
    result.time += full_.write(computed);
    result.flop = sparse_->prefill_flop(tokens, before);
  } else {
    result.time = full_.prefill(computed, before);
    if (latent_) result.time += latent_->unpack(before, computed);
    result.flop = full_.prefill_flop(tokens, before);
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

}  // namespace tokenyard::platforms
