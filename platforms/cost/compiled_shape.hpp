#pragma once
/// The one shape for which an engine with static shapes has compiled a model, as those of AWS Neuron's chips do: so
/// many calls of such a length.
///
/// A decode step computes all places, each over a context of that length, whoever is there; what is not there is masked
/// when it has been read (AWS Neuron documentation 2.33, "Decode context-length bucketing": every step reads the blocks
/// of max_model_len for each request). A prompt is computed alone and filled up to that length (huggingface/
/// optimum-neuron benchmark/vllm/chunked-prefill: a prefill graph of 4,096 tokens where that is the sequence length).
/// So what the chips take for a step, in time and traffic, depends on nothing but whether it is a prompt's.

#include "platforms/spec/tokens.hpp"

namespace tokenyard::platforms {

struct CompiledShape {
  std::int64_t calls = 0;  ///< 0: the engine takes any shape
  Tokens length = 0;       ///< of a call's context

  explicit operator bool() const { return calls > 0; }
};

}  // namespace tokenyard::platforms
