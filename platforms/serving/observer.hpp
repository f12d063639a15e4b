#pragma once
/// What the serving floor tells whoever watches: typed events, for timelines, tables and statistics. All defaults do
/// nothing. Observers must not change the simulation. Identical events arrive whether the run steps or leaps.

#include <cstdint>

#include "platforms/serving/call.hpp"

namespace tokenyard::platforms {

/// A stretch of time in which a replica's batch kept its composition.
struct BatchPhase {
  std::uint32_t pool = 0;
  std::uint32_t replica = 0;
  sim::Time begin;
  sim::Time end;
  std::int32_t decoding = 0;    ///< calls that made a token per step
  std::int32_t prefilling = 0;  ///< calls whose prompt was being computed
  Tokens prefill_tokens = 0;    ///< prompt tokens computed in the phase
  std::int64_t steps = 0;
};

/// KV moved from one replica to another.
struct KvTransfer {
  std::uint64_t call = 0;
  std::uint32_t from_pool = 0, from_replica = 0;
  std::uint32_t to_pool = 0, to_replica = 0;
  double bytes = 0;
  sim::Time begin;
  sim::Time end;
};

class ServingObserver {
 public:
  virtual ~ServingObserver() = default;
  /// A call arrives; its record says which and when, its request what is asked.
  virtual void on_submit(const CallRequest&, const CallRecord&) {}
  /// A call ended, in whatever status.
  virtual void on_call(const CallRecord&) {}
  virtual void on_batch_phase(const BatchPhase&) {}
  virtual void on_kv_transfer(const KvTransfer&) {}
};

}  // namespace tokenyard::platforms
