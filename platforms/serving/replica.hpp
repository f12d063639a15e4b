#pragma once
/// One copy of a model on its chips, or one data-parallel rank of it: continuous batching as in vLLM V1, leaping over
/// the steps in which nothing changes.
///
/// *A step* gives out a budget of tokens (v1/core/sched/scheduler.py). First come the running calls, in the order of
/// their admission: a token for each that decodes, a chunk for each whose prompt is not computed yet. Then waiting
/// calls are admitted. Where the blocks of a running call do not fit, the call admitted last is preempted: it starts
/// again at the head of the queue, with what is still cached of it. A step that preempts admits nobody.
///
/// *A leap*: while only decoding goes on and nobody can be admitted, steps differ only by growing contexts, and k of
/// them cost one integer sum (step_cost.hpp). The replica leaps to the next completion or exhaustion of KV blocks; an
/// arrival cuts the leap at the end of the step in flight. Whoever reads the replica in between calls `settle()` first.
/// Stepping (`stepwise`) gives the same calls, dates and sums, bit for bit. Both equal a step-by-step reference
/// (tests/platforms/serving).
///
/// *Speculative decoding* (spec/speculation.hpp): in each step every call draws how many of its drafts are accepted, so
/// such replicas step. A step checks `queries` tokens of each call that decodes, and a prompt keeps as many of the
/// budget for when it will.
///
/// *KV tiers* (kv/kv_tiers.hpp): a call whose KV is in one of them loads it first, beside the batch, and is then
/// admitted before those that wait. A prompt is admitted when all of it fits, as with `scheduler_reserve_full_isl`:
/// so admission does not depend on what the tiers hold, which other replicas may change in the midst of a leap.
///
/// *KV retention* (kv/kv_retention.hpp): what a completed call leaves may stay held for the task's next call, up to the
/// first step that begins after its time. A call whose KV is held goes ahead of those that wait, one that was preempted
/// ahead of both (Continuum). What is held gives way before a running call does, and where nobody could run otherwise.
/// The first part of a prompt (CallRequest::part) is held until its call comes, under any policy. What of unheld KV is
/// evicted first is an option (kv/kv_eviction.hpp).
///
/// *Turns* (scheduling.hpp): a call gives way to who ranks before it, or is promoted when it has waited too long. A
/// leap goes no further than to the first step at which that may be.
///
/// *Data-parallel ranks* have calls, places and a KV cache each, and step together if they share experts
/// (lockstep.hpp).
///
/// Cost: O(log batch) per call and per leap, O(batch) per preemption. A replica is about 1 KiB. Where there are many,
/// each is out of the processor's caches when it is its turn: so what its events touch lies side by side, and what it
/// has in common with the others of its pool is there once (pool_context.hpp).

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "platforms/kv/kv_retention.hpp"
#include "platforms/serving/decoding_batch.hpp"
#include "platforms/serving/leap.hpp"
#include "platforms/serving/output_room.hpp"
#include "platforms/serving/phase_log.hpp"
#include "platforms/serving/pool_context.hpp"
#include "platforms/serving/token_gaps.hpp"
#include "platforms/serving/waiting_queue.hpp"

namespace tokenyard::platforms {

class Lockstep;

class alignas(sim::kCacheLine) Replica final : public sim::EventHandler {
 public:
  /// The pool must outlive it. Ranks of a replica have one entity.
  Replica(PoolContext& pool, std::uint32_t index, std::uint64_t entity);

  /// Before the first call.
  void set_tiers(std::unique_ptr<KvTiers> tiers) { tiers_ = std::move(tiers); }
  const KvTiers* tiers() const { return tiers_.get(); }
  /// Before the first call, of another policy than lru.
  void set_retention(const KvRetentionOptions& options) {
    retention_ = std::make_unique<KvRetention>(options, pool_.cost, options_.max_num_batched_tokens);
  }
  /// The task has ended: nothing of it is held any more.
  void forget(std::uint64_t task);
  /// What the call asked its tiers for is in HBM.
  void on_loaded(std::uint32_t call);

  /// Could the call ever run here? As a server checks: the model's length, the KV memory, and, without chunked prefill,
  /// the token budget, which must take prompt and output at once in case it is preempted.
  bool fits(Tokens prompt, Tokens output) const;
  void submit(std::uint32_t call);
  /// Brings the pool's totals and the KV cache up to now.
  void settle();
  /// A step has ended; or, if the argument says so, the text of a call that is to come here has become tokens.
  void on_event(sim::Time now, std::uint64_t argument) override;
  static constexpr std::uint64_t tokenized_event(std::uint32_t call) { return std::uint64_t{1} << 32 | call; }
  /// Takes every call off the replica, oldest first; causes accounted up to now. For the end of a run.
  std::vector<std::uint32_t> abandon();

  /// Adds what the pool's totals do not have yet of the time up to now, the elapsed share of the step in flight
  /// included (a window of measurement is never charged more than its length). The KV blocks in use.
  std::int64_t add_reading(ServingTotals& sum);
  const KvCache& kv() const { return kv_; }
  std::int32_t running() const { return running_.size; }
  /// In the queue, or for KV from a tier.
  std::int32_t waiting() const { return waiting_.size() + loading_.size + loaded_.size; }
  /// An idle replica has no calls, and what is in its KV cache may be evicted.
  bool busy() const { return leap_.going(); }

 private:
  friend class Lockstep;

  struct Planned {
    std::uint32_t call;
    PrefillChunk chunk;
  };
  /// What a call that waits would take, were it admitted.
  struct Entry {
    KvHit hit;
    Tokens total = 0;   ///< of its context
    Tokens ready = 0;   ///< of those, that need not be computed
    Tokens held = 0;    ///< of those, in the blocks that it would have after the step
    Tokens wanted = 0;  ///< of a budget without end; by what HBM alone has, which only the replica's own steps change
    bool fits = false;  ///< its blocks are free, and what must be free beside them
  };

  /// Calls that decode in the step at hand.
  std::int32_t decoding_now() const { return decoding_waits_ ? 0 : decoding_.size(); }
  DecodingCalls decoding_calls() const {
    if (decoding_waits_) return {};
    return {decoding_.size(), decoding_.context(), pool_.cost.minds_skew() ? decoding_.skew(calls_) : 0};
  }
  /// Tokens of the step's budget that go to them.
  Tokens decode_tokens() const { return decoding_now() * options_.speculation.queries(); }
  /// What a prompt's chunk takes of the budget: no less than its call will want when it decodes beside the others.
  Tokens budget_of(Tokens chunk) const {
    return options_.mixed_chunk ? std::max(chunk, options_.speculation.queries()) : chunk;
  }
  /// What its KV stands for. Unnamed parts are found again by the call itself, once it was preempted.
  KvContext context_of(const ActiveCall& call) const {
    return {.prompt = call.request.prompt,
            .output = {call.request.output_content, call.made},
            .owner = call.resumed ? call.record.call + 1 : 0};
  }

  // replica.cpp
  void account_decoding(ActiveCall& call, sim::Time now);
  void complete(std::uint32_t index, sim::FineTime at);
  void note_phase(sim::Time now);

  // replica_batch.cpp
  void begin_step(sim::FineTime start);
  bool form_batch();
  void schedule_running();
  void reserve_blocks();
  bool prefilling_comes_last() const;
  void reserve_in_order();
  std::int64_t blocks_to_decode(Tokens context) const;
  std::int64_t blocks_to_decode(const ActiveCall& call) const;
  std::int64_t blocks_for(const Planned& planned) const;
  void extend(const Planned& planned);
  void take_blocks(ActiveCall& call, std::int64_t blocks);
  void preempt(std::uint32_t index, sim::Time now);

  // replica_admission.cpp
  void admit_if_allowed();
  void admit_waiting();
  bool came_in_time(sim::Time date);
  Tokens budget_left() const;
  bool room_for_prompt(const ActiveCall& call) const;
  bool admit(std::uint32_t index);
  Entry entry_of(const ActiveCall& call, const KvContext& context, Tokens budget) const;
  /// What the call will hold beside its chain (bounded_kv.hpp).
  std::int64_t bounded_blocks(const ActiveCall& call) const;
  /// output_reserve.hpp.
  bool leaves_room_for_output(const ActiveCall& call, const Entry& entry);
  Tokens made_by(const ActiveCall& running) const;
  void note_preemption();
  void hold_bounded(ActiveCall& call);
  Tokens found_beyond(const KvContext& context, Tokens in_hbm) const;
  void admit_found(KvChain& chain, const KvContext& context, const KvHit& hit);
  void note_admission(ActiveCall& call, Tokens cached, const KvFound& found);
  void join_running(std::uint32_t index);

  // replica_leaping.cpp
  OtherRanks share_of_step() const;
  Leap::Batch batch_beside(const OtherRanks& others);
  void start_leap(sim::FineTime start, const Leap::Batch& batch, const Leap::Pace& own, const Leap::Pace& pace,
                  std::int64_t steps);
  std::int64_t steps_alike(const Leap::Batch& batch) const;
  void schedule_end();
  void reschedule_end();
  void cut_leap();
  bool cut_after_step_in_flight();
  std::int64_t decode_blocks_to_take(std::int64_t steps) const;
  void take_decode_blocks(std::int64_t steps);
  void book_steps(std::int64_t to);
  sim::FineTime end_leap();
  bool advance_prompt(const Planned& planned, sim::FineTime end);
  void join_decoding(std::uint32_t index, sim::FineTime at);
  void end_decoding(ActiveCall& call);

  // replica_turns.cpp
  sim::Time served_now(const ActiveCall& decoding) const;
  std::int64_t rank_of_next() const;
  void take_turns();
  std::uint32_t last_in_rank(std::int64_t behind) const;
  sim::Time next_turn() const;

  // replica_kept_kv.cpp
  bool may_hold() const { return retention_ != nullptr || parts_; }
  bool claim_held(ActiveCall& call);
  sim::Time time_to_hold(const ActiveCall& call, std::uint64_t content, sim::Time now);
  void hold(const ActiveCall& call, sim::Time now);
  bool hold_at_once(std::uint32_t part);
  void release(ActiveCall& call, const KvContext& context, Tokens tokens, bool comes_back);
  void note_uses(std::uint64_t task, std::span<const NextUse> uses);

  // replica_tiers.cpp
  void begin_load(std::uint32_t index, const KvContext& context, const KvHit& hit, const KvFound& found, Tokens ready);
  bool admit_loaded(std::uint32_t index);
  void store(const KvContext& context, Tokens tokens);
  void prefetch(const NextUse& use);

  PoolContext& pool_;
  Lockstep* lockstep_ = nullptr;  ///< with the other ranks; none: it is alone
  ActiveCalls& calls_;
  const BatchingOptions& options_;
  sim::Entity entity_;
  sim::EventHandle event_;
  std::uint32_t index_;

  bool blocked_by_kv_ = false;
  bool full_ = false;  ///< nobody is admitted before a call has left
  bool preempted_ = false;
  bool decoding_waits_ = false;  ///< the step is for prompts alone
  bool came_late_ = false;       ///< somebody may be admitted in the next step who could not be looked at in this one
  bool ending_ = false;          ///< a step's end is being worked off, by all ranks
  bool parts_ = false;           ///< of prompts have come: KV may be held without a policy, too

  Leap leap_;
  CallList running_;
  WaitingQueue waiting_;
  CallList loading_, loaded_;  ///< from tiers: on the way; there, and to be admitted next
  DecodingBatch decoding_;
  std::int64_t taken_ = 0;  ///< blocks that decoding took for the leap's steps so far
  sim::FineTime last_end_;  ///< of the last step in which calls decoded
  TokenGaps gaps_;
  sim::Int128 interference_ = 0;  ///< of all steps so far
  std::int64_t slowdown_ = 0;     ///< ticks that prefill adds to the step in flight
  sim::Time formed_;              ///< when the batch that starts next is formed
  std::uint64_t admissions_ = 0;
  std::uint64_t admitted_before_ = 0;  ///< admissions before this step's
  OutputRoom output_room_;
  sim::ShortVector<Planned, 1> plan_;      ///< prompts, in the order of their admission
  std::vector<std::uint32_t> prefilling_;  ///< running, prompt not yet computed, likewise
  PhaseLog phases_;
  KvCache kv_;
  HeldKv held_{kv_};

  std::unique_ptr<KvTiers> tiers_;                     ///< none: no tiers
  std::unique_ptr<KvRetention> retention_;             ///< none: lru
  std::unique_ptr<PrefixDistances> prefix_distances_;  ///< with steps-to-execution
  std::vector<std::uint64_t> prefetching_;             ///< the prefixes on their way from tiers
};

}  // namespace tokenyard::platforms
