#include "platforms/spec/model.hpp"

#include <algorithm>

#include "platforms/spec/fact.hpp"
#include "sim/core/error.hpp"
#include "sim/input/enum_choice.hpp"

namespace tokenyard::platforms {

namespace {

using sim::NumberRule;
using sim::ObjectReader;

constexpr NumberRule kPositive = {.fallback = {}, .minimum = 0, .exclusive = true};
constexpr NumberRule kAtLeastOne = {.fallback = {}, .minimum = 1};
constexpr NumberRule kNotNegative = {.fallback = {}, .minimum = 0};
/// A gated block has three matrices: gate, up, down.
constexpr double kGatedMatrices = 3;
constexpr double kStateBytes = 4;
constexpr double kScaledTogether = 128, kScaleBytes = 4;  // numbers in 8 bits, in the caches of sparse attention

/// Of so many numbers.
double scaled_bytes(double numbers) { return numbers + kScaleBytes * numbers / kScaledTogether; }

ModelArchitecture::Moe read_moe(ObjectReader& at, std::int64_t layers) {
  ModelArchitecture::Moe moe;
  moe.experts = required_count(at, "experts", kAtLeastOne);
  moe.experts_per_token = optional_count(at, "experts_per_token", kAtLeastOne);
  moe.ffn_expert = required_count(at, "ffn_expert", kAtLeastOne);
  moe.shared_experts = optional_count(at, "shared_experts", kNotNegative).value_or(0);
  moe.ffn_shared = optional_count(at, "ffn_shared", kAtLeastOne).value_or(moe.ffn_expert);
  moe.first_dense_layers = optional_count(at, "first_dense_layers", kNotNegative).value_or(0);
  moe.fp8_scales = sim::enum_choice<Fp8Scales>(at, "fp8_scales", kFp8ScalesNames, "block");
  if (moe.experts_per_token && *moe.experts_per_token > moe.experts) {
    at.fault("experts_per_token", std::to_string(*moe.experts_per_token), "at most the number of experts");
  }
  if (moe.first_dense_layers > layers) {
    at.fault("first_dense_layers", std::to_string(moe.first_dense_layers), "at most the number of layers");
  }
  return moe;
}

ModelArchitecture::Mla read_mla(ObjectReader& at) {
  return {.kv_lora_rank = required_count(at, "kv_lora_rank", kAtLeastOne),
          .q_lora_rank = required_count(at, "q_lora_rank", kAtLeastOne),
          .qk_nope_dim = required_count(at, "qk_nope_dim", kAtLeastOne),
          .qk_rope_dim = required_count(at, "qk_rope_dim", kAtLeastOne),
          .v_dim = required_count(at, "v_dim", kAtLeastOne)};
}

/// Without `index_layers` 0 of them.
ModelArchitecture::Sparse read_sparse(ObjectReader& at) {
  return {.top_k = required_count(at, "top_k", kAtLeastOne),
          .index_heads = required_count(at, "index_heads", kAtLeastOne),
          .index_dim = required_count(at, "index_dim", kAtLeastOne),
          .index_layers = optional_count(at, "index_layers", kAtLeastOne).value_or(0)};
}

ModelArchitecture::Linear read_linear(ObjectReader& at) {
  return {.key_heads = required_count(at, "key_heads", kAtLeastOne),
          .value_heads = required_count(at, "value_heads", kAtLeastOne),
          .key_dim = required_count(at, "key_dim", kAtLeastOne),
          .value_dim = required_count(at, "value_dim", kAtLeastOne)};
}

/// Which layers attend in which way, and with what.
void read_attention(ObjectReader& reader, ModelArchitecture& model) {
  reader.object("mla", [&](ObjectReader& at) { model.mla = read_mla(at); });
  reader.object("sparse", [&](ObjectReader& at) {
    model.sparse = read_sparse(at);
    if (!model.mla) at.fault("top_k", "sparse attention without mla", "a model with mla");
  });
  reader.object("sliding", [&](ObjectReader& at) {
    model.sliding_layers = required_count(at, "layers", kAtLeastOne);
    model.window = required_count(at, "window", kAtLeastOne);
  });
  reader.object("linear", [&](ObjectReader& at) {
    model.linear_layers = required_count(at, "layers", kAtLeastOne);
    model.linear = read_linear(at);
  });
  model.full_kv_heads = model.kv_heads;
  model.full_head_dim = model.head_dim.value_or(0);
  reader.object("global", [&](ObjectReader& at) {
    model.full_kv_heads = required_count(at, "kv_heads", kAtLeastOne);
    model.full_head_dim = required_count(at, "head_dim", kAtLeastOne);
    model.full_shared_key_value = flag_fact(at, "shared_key_value", false);
  });
  model.full_layers = model.layers - model.sliding_layers - model.linear_layers;
  if (model.sparse && model.sparse->index_layers == 0) model.sparse->index_layers = model.full_layers;
}

/// What no dimension says alone.
void check(ObjectReader& reader, const ModelArchitecture& model) {
  if (model.full_layers < 0) {
    reader.fault("layers", std::to_string(model.layers), "at least the sliding and linear layers together");
  }
  if (model.sparse && model.full_layers >= 0 && model.sparse->index_layers > model.full_layers) {
    reader.fault("sparse", "index_layers " + std::to_string(model.sparse->index_layers),
                 "at most the full-attention layers, " + std::to_string(model.full_layers));
  }
  if (model.kv_heads > 0 && model.heads % model.kv_heads != 0) {
    reader.fault("kv_heads", std::to_string(model.kv_heads), "a divisor of heads, " + std::to_string(model.heads));
  }
}

}  // namespace

ModelArchitecture ModelArchitecture::read(ObjectReader& reader) {
  ModelArchitecture model;
  model.name = reader.string("name");
  for (const char* key : {"title", "vendor", "note"}) reader.string(key, "");  // the entry itself shows them
  model.parameters_total_stated = optional_fact(reader, "parameters_total", kPositive);
  model.parameters_active_stated = optional_fact(reader, "parameters_active", kPositive);
  model.layers = required_count(reader, "layers", kAtLeastOne);
  model.hidden = required_count(reader, "hidden", kAtLeastOne);
  model.heads = required_count(reader, "heads", kAtLeastOne);
  model.kv_heads = optional_count(reader, "kv_heads", kAtLeastOne).value_or(model.heads);
  model.head_dim = optional_count(reader, "head_dim", kAtLeastOne);
  model.vocab = required_count(reader, "vocab", kAtLeastOne);
  model.max_context = required_count(reader, "max_context", kAtLeastOne);
  model.ffn_dense = optional_count(reader, "ffn_dense", kAtLeastOne);
  model.tied_embeddings = flag_fact(reader, "tied_embeddings", false);
  model.attention_output_gate = flag_fact(reader, "attention_output_gate", false);
  model.mtp_layers = optional_count(reader, "mtp_layers", kNotNegative).value_or(0);
  reader.object("moe", [&](ObjectReader& at) { model.moe = read_moe(at, model.layers); });
  read_attention(reader, model);
  check(reader, model);
  return model;
}

std::vector<std::string> ModelArchitecture::missing() const {
  std::vector<std::string> keys;
  if (!mla && !head_dim) keys.emplace_back("head_dim");
  if (dense_layers() > 0 && !ffn_dense) keys.emplace_back("ffn_dense");
  if (moe && !moe->experts_per_token) keys.emplace_back("moe/experts_per_token");
  return keys;
}

void ModelArchitecture::require_complete() const {
  if (!missing().empty()) throw sim::InternalError("model " + name + " was timed without its " + missing().front());
}

double ModelArchitecture::full_attention_parameters() const {
  require_complete();
  double d = static_cast<double>(hidden), h = static_cast<double>(heads);
  if (mla) {
    double rank = static_cast<double>(mla->kv_lora_rank), q_rank = static_cast<double>(mla->q_lora_rank);
    double nope = static_cast<double>(mla->qk_nope_dim), rope = static_cast<double>(mla->qk_rope_dim);
    double v = static_cast<double>(mla->v_dim);
    return d * q_rank + q_rank * h * (nope + rope) + d * (rank + rope) + rank * h * (nope + v) + h * v * d;
  }
  double width = static_cast<double>(full_head_dim), kv = static_cast<double>(full_kv_heads);
  double queries_and_output = d * h * width * (attention_output_gate ? 3 : 2);
  return queries_and_output + d * kv * width * (full_shared_key_value ? 1 : 2);
}

double ModelArchitecture::sliding_attention_parameters() const {
  require_complete();
  if (mla) return full_attention_parameters();
  double width = static_cast<double>(*head_dim);
  return static_cast<double>(hidden) * width * 2 * static_cast<double>(heads + kv_heads);
}

double ModelArchitecture::linear_attention_parameters() const {
  require_complete();
  if (!linear) return 0;
  // Gated delta rule: queries, keys, values, an output gate as wide as the values, two scalars a value head, the
  // output.
  double keys = static_cast<double>(linear->key_heads * linear->key_dim);
  double values = static_cast<double>(linear->value_heads * linear->value_dim);
  return static_cast<double>(hidden) * (2 * keys + 3 * values + 2 * static_cast<double>(linear->value_heads));
}

double ModelArchitecture::indexer_parameters() const {
  if (!sparse || !mla) return 0;
  // Its queries, its key, a weight for each head.
  const auto n = static_cast<double>(sparse->index_heads), width = static_cast<double>(sparse->index_dim);
  return static_cast<double>(mla->q_lora_rank) * n * width + static_cast<double>(hidden) * (width + n);
}

double ModelArchitecture::undivided_parameters() const {
  if (!mla) return 0;
  const double down = static_cast<double>(hidden * (mla->q_lora_rank + mla->kv_lora_rank + mla->qk_rope_dim));
  return static_cast<double>(full_layers + sliding_layers) * down +
         static_cast<double>(sparse ? sparse->index_layers : 0) * indexer_parameters();
}

ModelArchitecture::Parameters ModelArchitecture::parameters() const {
  require_complete();
  Parameters result;
  double d = static_cast<double>(hidden);
  result.embedding = d * static_cast<double>(vocab);
  result.lm_head = tied_embeddings ? 0 : result.embedding;
  result.attention = static_cast<double>(full_layers) * full_attention_parameters() +
                     static_cast<double>(sliding_layers) * sliding_attention_parameters() +
                     static_cast<double>(linear_layers) * linear_attention_parameters() +
                     static_cast<double>(sparse ? sparse->index_layers : 0) * indexer_parameters();
  result.dense_ffn =
      static_cast<double>(dense_layers()) * kGatedMatrices * d * static_cast<double>(ffn_dense.value_or(0));
  if (moe) {
    double per_layer = static_cast<double>(moe_layers());
    double expert = kGatedMatrices * d * static_cast<double>(moe->ffn_expert);
    result.experts = per_layer * static_cast<double>(moe->experts) * expert;
    result.active_experts = per_layer * static_cast<double>(*moe->experts_per_token) * expert;
    result.shared_experts = per_layer * kGatedMatrices * d * static_cast<double>(moe->shared_experts * moe->ffn_shared);
    result.router = per_layer * d * static_cast<double>(moe->experts);
  }
  result.norms = d * static_cast<double>(2 * layers + 1);
  return result;
}

double ModelArchitecture::weight_bytes(Precision precision) const {
  Parameters all = parameters();
  double kept = all.embedding + all.lm_head + all.router + all.norms;
  return kept * bytes_per_weight(Precision::kBf16) + (all.total() - kept) * bytes_per_weight(precision);
}

double ModelArchitecture::kv_bytes_per_token(Precision precision) const {
  require_complete();
  const auto of_layers = static_cast<double>(full_layers);
  if (!mla) return of_layers * static_cast<double>(2 * full_kv_heads * full_head_dim) * bytes_per_element(precision);
  const auto rank = static_cast<double>(mla->kv_lora_rank), rotated = static_cast<double>(mla->qk_rope_dim);
  if (!sparse) return of_layers * (rank + rotated) * bytes_per_element(precision);
  const double latent = bytes_per_element(precision) == 1 ? scaled_bytes(rank) : rank * bytes_per_element(precision);
  return of_layers * (latent + bytes_per_element(Precision::kBf16) * rotated) + index_bytes_per_token();
}

double ModelArchitecture::index_bytes_per_token() const {
  return sparse ? static_cast<double>(sparse->index_layers) * scaled_bytes(static_cast<double>(sparse->index_dim)) : 0;
}

double ModelArchitecture::sliding_kv_bytes_per_token(Precision precision) const {
  require_complete();
  if (sliding_layers == 0) return 0;
  double elements =
      mla ? static_cast<double>(mla->kv_lora_rank + mla->qk_rope_dim) : static_cast<double>(2 * kv_heads * *head_dim);
  return static_cast<double>(sliding_layers) * elements * bytes_per_element(precision);
}

double ModelArchitecture::linear_state_bytes() const {
  require_complete();
  if (!linear) return 0;
  return kStateBytes * static_cast<double>(linear_layers * linear->value_heads * linear->key_dim * linear->value_dim);
}

double ModelArchitecture::kv_bytes(std::int64_t context, Precision precision) const {
  return static_cast<double>(context) * kv_bytes_per_token(precision) +
         static_cast<double>(std::min(context, window)) * sliding_kv_bytes_per_token(precision) + linear_state_bytes();
}

}  // namespace tokenyard::platforms
