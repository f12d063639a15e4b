#pragma once
/// On chips whose programs take one shape, as XLA's on TPUs do, an engine compiles a model for some numbers of tokens
/// and fills every step up to the next of them: the powers of two from a smallest one. What is filled in is computed
/// like the rest, but for attention, which knows the lengths of the calls.
///
/// vLLM: tpu_model_runner.py, _get_token_paddings with its default padding gap of 0; SGLang-JAX: common_utils.py,
/// PRECOMPILE_DEFAULT_TOKEN_PADDINGS and _BS_PADDINGS.

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tokenyard::platforms {

struct TokenBuckets {
  std::int64_t decoding = 0;  ///< the smallest of steps in which calls decode and nothing else; 0: any shape will do
  std::int64_t prompts = 0;   ///< the smallest of the others

  explicit operator bool() const { return decoding > 0; }
};

/// Tokens that are computed for so many; 0 for none.
inline std::int64_t bucket_of(std::int64_t tokens, std::int64_t smallest) {
  if (tokens == 0) return 0;
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(std::max(tokens, smallest))));
}

}  // namespace tokenyard::platforms
