#pragma once
/// A call in flight, and the lists that replicas keep of theirs.

#include "platforms/kv/kv_cache.hpp"
#include "platforms/serving/call.hpp"
#include "sim/core/cache_line.hpp"
#include "sim/core/slab.hpp"

namespace tokenyard::platforms {

struct alignas(sim::kCacheLine) ActiveCall {
  static constexpr std::uint32_t kNone = 0xffffffff;
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
  bool decoding = false;
  bool resumed = false;      ///< was preempted before: its prefill is recompute
  bool held = false;         ///< goes ahead of those that wait: its KV is held, or it gave way, where KV is held
  bool sent = false;         ///< overflowed to another pool than it asked for
  bool moving = false;       ///< its prompt's KV is on the network, to `target`, since `mark`
  bool tokenizing = false;   ///< its text becomes tokens, since `mark`
  bool transferred = false;  ///< its prompt's KV arrived over the network
  bool prefetch = false;     ///< no call at all: a prefix on its way from a tier, for calls to come
  std::uint8_t loads = 0;    ///< parts of its KV that are on their way from a tier
  CallRecord record;
  CallRequest request;

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

/// Calls in an order, linked by index: each is in one list at most. O(1) each.
struct CallList {
  std::uint32_t first = ActiveCall::kNone, last = ActiveCall::kNone;
  std::int32_t size = 0;

  bool empty() const { return size == 0; }
  void append(ActiveCalls& calls, std::uint32_t index) { insert_behind(calls, last, index); }
  /// Behind `before`; at the head, if that is none.
  void insert_behind(ActiveCalls& calls, std::uint32_t before, std::uint32_t index) {
    ActiveCall& call = calls[index];
    std::uint32_t& follower = before == ActiveCall::kNone ? first : calls[before].next;
    call.previous = before;
    call.next = follower;
    (follower == ActiveCall::kNone ? last : calls[follower].previous) = index;
    follower = index;
    ++size;
  }
  void remove(ActiveCalls& calls, std::uint32_t index) {
    ActiveCall& call = calls[index];
    (call.previous == ActiveCall::kNone ? first : calls[call.previous].next) = call.next;
    (call.next == ActiveCall::kNone ? last : calls[call.next].previous) = call.previous;
    --size;
  }
};

}  // namespace tokenyard::platforms
