#pragma once
/// How a replica composes its batches (replica.hpp), under the names that vLLM has for it where it has one.

#include <algorithm>
#include <cstdint>

#include "platforms/serving/scheduling.hpp"
#include "platforms/spec/output_reserve.hpp"
#include "platforms/spec/speculation.hpp"
#include "platforms/spec/tokens.hpp"

namespace tokenyard::platforms {

struct BatchingOptions {
  std::int32_t max_num_seqs = 256;
  Tokens max_num_batched_tokens = 8192;  ///< not below max_num_seqs, each with its drafts
  Tokens max_model_len = 131072;
  Tokens long_prefill_token_threshold = 0;  ///< of one prompt in a step; 0: none
  bool chunked_prefill = true;
  /// Prompts are computed in the steps in which others decode. If not, they go first, and those that decode wait while
  /// there is a prompt to compute: SGLang's default (managers/scheduler.py), and vLLM's before chunked prefill.
  bool mixed_chunk = true;
  bool one_prompt = false;                  ///< a step computes one at most
  bool scheduler_reserve_full_isl = false;  ///< admit a call only when the blocks of its whole prompt are free
  double watermark = 0;                     ///< share of the blocks that an admission leaves free while others run
  OutputReserve output_reserve;             ///< what it leaves free for output to come, besides
  /// Each step's batch is formed when the step before starts, so that the host's work hides behind the kernels: a call
  /// that arrives during a step is not in the next one but in the one after, unless nothing else runs.
  bool async_scheduling = false;
  SchedulingPolicy scheduling;
  Speculation speculation;
  std::uint64_t seed = 1;  ///< of the draws: which drafted tokens are accepted
  bool stepwise = false;

  /// What a step may compute of a prompt of which so much remains, were its budget without end.
  Tokens longest_chunk(Tokens remaining) const {
    return long_prefill_token_threshold > 0 ? std::min(remaining, long_prefill_token_threshold) : remaining;
  }
};

}  // namespace tokenyard::platforms
