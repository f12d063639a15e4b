#pragma once
/// A call in flight: what was asked, what became of it so far, and where it is.

#include "platforms/kv/kv_cache.hpp"
#include "platforms/serving/call.hpp"
#include "sim/core/cache_line.hpp"
#include "sim/core/index_list.hpp"
#include "sim/core/slab.hpp"

namespace tokenyard::platforms {

/// Where a call is: it says what an event of the call means, and why the time since its `mark` passed.
enum class CallStage : std::uint8_t {
  kAtReplica,     ///< or at a media queue, and not decoding: it waits, loads KV, or its prompt is computed
  kDecoding,      ///< in its replica's DecodingBatch
  kTextMoving,    ///< it overflowed: its text is on the network, to the other pool
  kAnswerMoving,  ///< likewise, back from there
  kTokenizing,    ///< its text becomes tokens
  kKvMoving,      ///< its prompt's KV is on the network, to `target`
  kPrefetch,      ///< no call at all: a prefix on its way from a tier, for calls to come
};

struct alignas(sim::kCacheLine) ActiveCall {
  static constexpr std::uint32_t kNone = sim::IndexList::kNone;
  KvChain kv;
  Tokens computed = 0;           ///< tokens of the context whose KV is in memory, while its prompt is being computed
  Tokens made = 0;               ///< output tokens, as of `joined_step` while decoding
  std::int64_t joined_step = 0;  ///< the replica's step count when it began to decode
  std::uint64_t order = 0;       ///< of its admission: the running list's order
  sim::Time mark;                ///< time up to which its causes are accounted
  sim::Time loaded;              ///< when its KV had come from the tiers
  sim::FineTime last_token;
  sim::Int128 interference_at_join = 0;
  std::uint32_t previous = kNone, next = kNone;  ///< in its list
  std::uint32_t target = 0;                      ///< replica of the decode pool
  std::int32_t bounded_blocks = 0;               ///< held beside its chain (bounded_kv.hpp)
  CallStage stage = CallStage::kAtReplica;
  bool resumed = false;      ///< was preempted before: its prefill is recompute
  bool held = false;         ///< goes ahead of those that wait: its KV is held, or it gave way, where KV is held
  bool overflowed = false;   ///< into another pool than it asked for
  bool transferred = false;  ///< its prompt's KV arrived over the network
  std::uint8_t loads = 0;    ///< parts of its KV that are on their way from a tier
  CallRecord record;
  CallRequest request;

  bool decoding() const { return stage == CallStage::kDecoding; }
  /// Tokens of its context, as of `made`.
  Tokens context() const { return record.prompt_tokens + made; }
  /// Why its prompt is computed.
  Cause prefill_cause() const { return resumed ? Cause::kRecompute : Cause::kPrefill; }
  /// The time since `mark` passed for this reason.
  void account(Cause cause, sim::Time now) {
    record.causes[cause] += now - mark;
    mark = now;
  }
};

using ActiveCalls = sim::Slab<ActiveCall>;
/// In an order. A call is in one list at most.
using CallList = sim::IndexList;

}  // namespace tokenyard::platforms
