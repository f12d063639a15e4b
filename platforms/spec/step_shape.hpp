#pragma once
/// What a step is filled up to. Engines prepare a model for some shapes and compute the next of them; what is filled in
/// is computed like the rest. One of three ways, by the engine and the vendor of the chip:
///
/// - **Captured graphs**, on GPUs: a step of pure decoding runs as a graph for some number of calls; others take what
///   there is. An empty place holds a token of some step before, which chooses experts, too, so that more of them are
///   read. Under data-parallel attention every rank is filled up to what the fullest needs.
/// - **Buckets**, where programs take one shape, as XLA's on TPUs do: every step is filled up to a power of two of
///   tokens, but for attention, which knows the lengths of the calls (vLLM: tpu_model_runner.py,
///   _get_token_paddings with its default padding gap of 0; SGLang-JAX: common_utils.py,
///   PRECOMPILE_DEFAULT_TOKEN_PADDINGS and _BS_PADDINGS).
/// - **One compiled shape**, on AWS Neuron's chips: so many calls of such a length. A decode step computes all places,
///   each over a context of that length, whoever is there; what is not there is masked when it has been read (AWS
///   Neuron documentation 2.33, "Decode context-length bucketing": every step reads the blocks of max_model_len for
///   each request). A prompt is computed alone and filled up to that length (huggingface/optimum-neuron
///   benchmark/vllm/chunked-prefill: a prefill graph of 4,096 tokens where that is the sequence length). So what the
///   chips take for a step, in time and traffic, depends on nothing but whether it is a prompt's.
///
///   StepShape{}.decoding_places(9, 1, 1);                              // 16: the graph of 16 calls
///   StepShape{.buckets = {16, 16}}.prompt_places(100, 1);              // 128
///   StepShape{.compiled = {32, 4096}}.decoding_places(9, 1, 1);        // 32

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "platforms/spec/tokens.hpp"

namespace tokenyard::platforms {

/// Places of the captured graph that holds so many tokens. The sizes are vLLM's: 1, 2, 4, the multiples of 8 up to 256
/// and of 16 up to 512 (cudagraph_capture_sizes); a larger batch runs as it is. SGLang's and TensorRT-LLM's are about
/// the same.
inline double graph_places(double tokens) {
  for (const double size : {1.0, 2.0, 4.0}) {
    if (tokens <= size) return size;
  }
  if (tokens > 512) return tokens;
  const double step = tokens <= 256 ? 8 : 16;
  return step * std::ceil(tokens / step);
}

/// The bucket of so many tokens: the next power of two from `smallest` on; 0 for none.
inline std::int64_t bucket_of(std::int64_t tokens, std::int64_t smallest) {
  if (tokens == 0) return 0;
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max(tokens, smallest))));
}

struct TokenBuckets {
  std::int64_t decoding = 0;  ///< the smallest of steps in which calls decode and nothing else; 0: any shape will do
  std::int64_t prompts = 0;   ///< the smallest of the others

  explicit operator bool() const { return decoding > 0; }
};

struct CompiledShape {
  std::int64_t calls = 0;  ///< 0: the engine takes any shape
  Tokens length = 0;       ///< of a call's context

  explicit operator bool() const { return calls > 0; }
};

struct StepShape {
  CompiledShape compiled;
  TokenBuckets buckets;

  /// Tokens that a step of pure decoding computes in all micro-batches, among which `tokens` are dealt: `queries` of
  /// each call.
  std::int64_t decoding_places(std::int64_t tokens, std::int64_t queries, std::int64_t micro_batches) const {
    if (compiled) return compiled.calls * queries;
    return in_each(tokens, micro_batches, [&](std::int64_t part) {
      return buckets ? bucket_of(part, buckets.decoding)
                     : static_cast<std::int64_t>(graph_places(static_cast<double>(part)));
    });
  }
  /// Likewise, of a step with prompts whose chunks have been filled up.
  std::int64_t prompt_places(std::int64_t tokens, std::int64_t micro_batches) const {
    if (!buckets) return tokens;
    return in_each(tokens, micro_batches, [&](std::int64_t part) { return bucket_of(part, buckets.prompts); });
  }
  /// Tokens that are computed for a chunk of `tokens` after `before`.
  Tokens chunk_places(Tokens tokens, Tokens before) const { return std::max(tokens, compiled.length - before); }

 private:
  template <typename Places>
  static std::int64_t in_each(std::int64_t tokens, std::int64_t micro_batches, const Places& places) {
    return tokens == 0 ? 0 : micro_batches * places((tokens + micro_batches - 1) / micro_batches);
  }
};

}  // namespace tokenyard::platforms
