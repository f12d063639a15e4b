#pragma once
/// Why time passes: every nanosecond of every task belongs to exactly one of these.
///
/// Calls fill in the causes of serving; agents add those of tools and people. A task's causes sum to its duration
/// exactly.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/core/time.hpp"

namespace tokenyard::platforms {

enum class Cause : std::uint8_t {
  kQueue,         ///< waiting to be scheduled on a replica
  kPrefill,       ///< its text becoming tokens; from scheduled to first token
  kDecode,        ///< making output tokens
  kInterference,  ///< decoding slower because the same steps carried other calls' prefill
  kRecompute,     ///< prefill done again after a preemption or lost KV
  kKvTransfer,    ///< KV moving between replicas or tiers
  kNetwork,       ///< other traffic on the modeled network
  kTool,          ///< tools and retrieval, waiting for their capacity included
  kHuman,         ///< people: replies, approvals, hand-offs, waiting for them included
  kStartup,       ///< cold servers of tools (sandboxes) starting
  kRetry,         ///< back-off and repeated work after a failure
  kPaused,        ///< held back by admission control
  kMedia,         ///< images and video being made
  kOther,
};
inline constexpr std::size_t kCauses = 14;
/// The names of summary.json's `causes_s`, in the order of the enumeration.
inline constexpr std::array<std::string_view, kCauses> kCauseNames = {
    "queue", "prefill", "decode",  "interference", "recompute", "kv_transfer", "network",
    "tool",  "human",   "startup", "retry",        "paused",    "media",       "other"};

/// Time by cause.
struct CauseTimes {
  std::array<sim::Time, kCauses> by_cause{};

  sim::Time& operator[](Cause cause) { return by_cause[static_cast<std::size_t>(cause)]; }
  sim::Time operator[](Cause cause) const { return by_cause[static_cast<std::size_t>(cause)]; }
  CauseTimes& operator+=(const CauseTimes& other) {
    for (std::size_t i = 0; i < kCauses; ++i) by_cause[i] += other.by_cause[i];
    return *this;
  }
  /// In a replica's batch, or a media queue's service: what scheduling policies count.
  sim::Time served() const {
    return (*this)[Cause::kPrefill] + (*this)[Cause::kDecode] + (*this)[Cause::kInterference] +
           (*this)[Cause::kRecompute] + (*this)[Cause::kMedia];
  }
  sim::Time sum() const {
    sim::Time total;
    for (const sim::Time t : by_cause) total += t;
    return total;
  }
};

}  // namespace tokenyard::platforms
