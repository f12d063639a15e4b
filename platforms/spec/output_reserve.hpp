#pragma once
/// Memory that an admission leaves for output that running calls have yet to make, lest they be preempted for want of
/// it: SGLang's `new_token_ratio` (managers/schedule_policy.py, PrefillAdder; managers/scheduler.py,
/// update_running_batch).
///
/// A prompt is admitted if the free memory holds it and
///
///   its own output + share · Σ over running calls of (output - made so far),   each term up to `most`
///
/// The share begins at `start` whenever nothing runs (in SGLang only if nobody waits either) and falls with every decode
/// step, down to `least`. A preemption sets it to what the calls that go on had made of their output, and a little more.
/// A call that was refused, for whatever want of memory, is looked at again when another has left.
///
/// An engine knows a call's output as `max_tokens`; here it is the output that the call will make, as of a benchmark's
/// client.

#include <algorithm>

#include "platforms/spec/tokens.hpp"

namespace tokenyard::platforms {

struct OutputReserve {
  double start = 0;  ///< of what is still to be made; 0: nothing is left free
  double least = 0;
  std::int64_t steps = 1;  ///< in which it falls from start to least
  Tokens most = 0;         ///< of one call

  explicit operator bool() const { return start > 0; }
  /// The share, so many decode steps after it was `share`.
  double after(double share, std::int64_t decode_steps) const {
    return std::max(least, share - (start - least) / static_cast<double>(steps) * static_cast<double>(decode_steps));
  }
  /// The share after a preemption, where `calls` go on that have made so much of their output: 20 steps' tokens more.
  static double after_preemption(Tokens made, Tokens output, std::int64_t calls) {
    constexpr Tokens kSteps = 20;
    return output > 0 ? std::min(1.0, static_cast<double>(made + kSteps * calls) / static_cast<double>(output)) : 1;
  }
};

}  // namespace tokenyard::platforms
