#pragma once
/// A step of pure decoding runs as a graph that the engine has captured for some sizes: the batch is filled up to the
/// next of them.
///
/// An empty place holds a token of some step before, and is computed like the others: it, too, chooses experts, so that
/// more of them are read. Under data-parallel attention every rank is filled up to what the fullest needs. Sizes are
/// vLLM's: 1, 2, 4, the multiples of 8 up to 256 and of 16 up to 512 (cudagraph_capture_sizes); a larger batch runs as
/// it is. SGLang's and TensorRT-LLM's are about the same.

#include <cmath>

namespace tokenyard::platforms {

/// Places of the graph that holds so many tokens.
inline double graph_places(double tokens) {
  for (const double size : {1.0, 2.0, 4.0}) {
    if (tokens <= size) return size;
  }
  if (tokens > 512) return tokens;
  const double step = tokens <= 256 ? 8 : 16;
  return step * std::ceil(tokens / step);
}

}  // namespace tokenyard::platforms
