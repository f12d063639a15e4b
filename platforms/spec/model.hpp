#pragma once
/// The architecture of a language model, and what follows from it: parameters, weight bytes, KV cache bytes.
///
/// Layers are of three kinds: full attention (the cache grows with the context), sliding-window (up to the window) and
/// linear (a state of constant size); `full_layers + sliding_layers + linear_layers == layers`. MLA models cache one
/// latent vector per layer in place of keys and values. Costs are O(1).
///
///   const ModelArchitecture* model = catalog.find_model("llama-3.1-70b");
///   model->missing().empty();                            // it can be timed
///   model->kv_bytes_per_token(Precision::kBf16);         // 327680
///   model->kv_bytes(8192, Precision::kBf16);             // of a whole context, windows included
///   model->weight_bytes(Precision::kFp8);
///
/// Sparse attention (DSA; DeepSeek-V3.2, 2025-09, and GLM-5): an indexer scores every token of the context with a few
/// small heads, and attention goes to the `top_k` best. It keeps a key of its own for every token, in 8 bits. Layers
/// without an indexer take the choice of the one before (GLM-5.2's IndexShare). What it costs:
/// platforms/cost/sparse_attention.hpp.
///
/// Methods throw sim::InternalError where `missing()` is not empty; counts of layers and what indexers and
/// `undivided_parameters` tell do not need it to be.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platforms/spec/precision.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

struct ModelArchitecture {
  struct Moe {
    std::int64_t experts = 0;
    std::optional<std::int64_t> experts_per_token;
    std::int64_t ffn_expert = 0;  ///< width of one expert
    std::int64_t shared_experts = 0;
    std::int64_t ffn_shared = 0;               ///< width of one shared expert
    std::int64_t first_dense_layers = 0;       ///< layers with a dense block in place of experts
    Fp8Scales fp8_scales = Fp8Scales::kBlock;  ///< of the experts in the checkpoint of 8 bits
  };
  struct Mla {
    std::int64_t kv_lora_rank = 0;
    std::int64_t q_lora_rank = 0;
    std::int64_t qk_nope_dim = 0;
    std::int64_t qk_rope_dim = 0;
    std::int64_t v_dim = 0;
  };
  /// Of the full-attention layers; with MLA alone.
  struct Sparse {
    std::int64_t top_k = 0;  ///< tokens
    std::int64_t index_heads = 0;
    std::int64_t index_dim = 0;     ///< of one of them, and of the key they share
    std::int64_t index_layers = 0;  ///< layers with an indexer
  };
  struct Linear {
    std::int64_t key_heads = 0;
    std::int64_t value_heads = 0;
    std::int64_t key_dim = 0;
    std::int64_t value_dim = 0;
  };

  std::string name;
  std::optional<double> parameters_total_stated;   ///< the vendor's number, often rounded
  std::optional<double> parameters_active_stated;  ///< per token
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::optional<std::int64_t> head_dim;  ///< of one head; not used by MLA
  std::int64_t vocab = 0;
  std::int64_t max_context = 0;
  std::optional<std::int64_t> ffn_dense;  ///< width of the gated dense block
  bool tied_embeddings = false;           ///< the output matrix is the embedding
  bool attention_output_gate = false;     ///< a gate as wide as the queries
  std::int64_t full_layers = 0;
  std::int64_t sliding_layers = 0;
  std::int64_t linear_layers = 0;
  std::int64_t window = 0;
  /// Heads of the full-attention layers, where these differ from the sliding ones (Gemma 4).
  std::int64_t full_kv_heads = 0;
  std::int64_t full_head_dim = 0;
  bool full_shared_key_value = false;  ///< one projection makes keys and values of the full layers
  std::int64_t mtp_layers = 0;
  std::optional<Moe> moe;
  std::optional<Mla> mla;
  std::optional<Sparse> sparse;
  std::optional<Linear> linear;

  /// Keys of the dimensions that timing needs and the catalogue lacks.
  std::vector<std::string> missing() const;

  /// Parameters by where they are, for the whole model, without multi-token prediction.
  struct Parameters {
    double embedding = 0;
    double lm_head = 0;  ///< 0 if tied
    double attention = 0;
    double dense_ffn = 0;
    double experts = 0;         ///< all routed experts
    double active_experts = 0;  ///< those of one token
    double shared_experts = 0;
    double router = 0;
    double norms = 0;
    double total() const {
      return embedding + lm_head + attention + dense_ffn + experts + shared_experts + router + norms;
    }
    double active() const { return total() - experts + active_experts; }
  };
  Parameters parameters() const;
  double parameters_total() const { return parameters().total(); }
  double parameters_active() const { return parameters().active(); }

  /// Weights of one full-attention, sliding or linear layer's projections; MLA where the model has it.
  double full_attention_parameters() const;
  double sliding_attention_parameters() const;
  double linear_attention_parameters() const;
  double indexer_parameters() const;  ///< of one; 0 without sparse attention
  /// Of all layers' attention, what has no heads to divide: products down to latent vectors, and indexers.
  double undivided_parameters() const;
  std::int64_t moe_layers() const { return moe ? layers - moe->first_dense_layers : 0; }
  std::int64_t dense_layers() const { return layers - moe_layers(); }

  /// Bytes of all weights: blocks in `precision`; embedding, output matrix, router and norms stay in bf16, as
  /// checkpoints keep them.
  double weight_bytes(Precision precision) const;

  /// KV bytes that one more token of context adds in the full-attention layers, on one undivided model; indexers' keys
  /// are among them. Kernels of sparse attention keep the rotated part of a latent vector in 16 bits and a scale of 4
  /// bytes for 128 numbers in 8 (656 bytes a token and layer: FlashMLA's README; 132 of an indexer's: vLLM's and SGLang's
  /// caches).
  double kv_bytes_per_token(Precision precision) const;
  /// Of that, what indexers read for each token of context.
  double index_bytes_per_token() const;
  /// The same in the sliding layers, while the context is within the window.
  double sliding_kv_bytes_per_token(Precision precision) const;
  /// Constant state of the linear layers per sequence: fp32, as engines keep it (the short convolution is not counted).
  double linear_state_bytes() const;
  /// All that a sequence of `context` tokens keeps.
  double kv_bytes(std::int64_t context, Precision precision) const;

  /// Faults go to the reader's list; the rest is read nevertheless.
  static ModelArchitecture read(sim::ObjectReader& reader);

 private:
  void require_complete() const;
};

}  // namespace tokenyard::platforms
