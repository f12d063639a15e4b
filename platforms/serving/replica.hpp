#pragma once
/// One copy of a model on its chips: continuous batching as in vLLM V1, leaping over the steps in which nothing
/// changes.
///
/// Each step gives out a budget of tokens: to running calls in the order of their admission, one to each that decodes
/// and a chunk to each whose prompt is not computed yet, then to waiting calls in order of arrival
/// (v1/core/sched/scheduler.py). A running call whose blocks do not fit preempts the one admitted last, which starts
/// again at the head of the queue, finding what is still cached of it; a step that preempts admits nobody.
///
/// While only decoding goes on and nobody can be admitted, steps differ only by growing contexts. The replica then
/// leaps to the next completion or exhaustion of KV blocks: k steps cost one integer sum (step_cost.hpp). An arrival
/// cuts the leap at the end of the step in flight. Whoever reads the replica in between calls `settle()` first.
/// Stepping (`stepwise`) gives the same calls, dates and sums, bit for bit. Both equal a step-by-step reference
/// (tests/platforms/serving).
///
/// With KV tiers (kv/kv_tiers.hpp) a call whose KV is in one of them loads it first, beside the batch, and is then
/// admitted before those that wait. A prompt is admitted when all of it fits, as with `scheduler_reserve_full_isl`:
/// whether a call can be admitted does not depend on what the tiers hold, which other replicas may change in the midst
/// of a leap.
///
/// Cost: O(log batch) per call and per leap, O(batch) per preemption. An idle replica is about 1 KiB.

#include <algorithm>
#include <memory>
#include <vector>

#include "platforms/cost/step_cost.hpp"
#include "platforms/kv/kv_tiers.hpp"
#include "platforms/serving/observer.hpp"
#include "platforms/serving/scheduling.hpp"
#include "platforms/spec/speculation.hpp"
#include "sim/core/simulation.hpp"
#include "sim/core/slab.hpp"
#include "sim/statistics/quantile_sketch.hpp"

namespace tokenyard::platforms {

struct BatchingOptions {
  std::int32_t max_num_seqs = 256;
  Tokens max_num_batched_tokens = 8192;  ///< not below max_num_seqs
  Tokens max_model_len = 131072;
  Tokens long_prefill_token_threshold = 0;  ///< 0: none
  bool chunked_prefill = true;
  bool scheduler_reserve_full_isl = false;  ///< admit a call only when the blocks of its whole prompt are free
  double watermark = 0;                     ///< share of the blocks that an admission leaves free while others run
  /// Each step's batch is formed when the step before starts, so that the host's work hides behind the kernels: a call
  /// that arrives during a step is not in the next one but in the one after, unless nothing else runs.
  bool async_scheduling = false;
  Scheduling scheduling = Scheduling::kFcfs;
  Speculation speculation;
  std::uint64_t seed = 1;  ///< of the draws: which drafted tokens are accepted
  bool stepwise = false;
};

/// What replicas have done, in integers: two runs of the same work agree exactly, and differences of two readings are
/// exact.
struct ServingTotals {
  sim::Int128 busy_ticks = 0;
  std::array<sim::Int128, kBounds> bound_ticks{};
  sim::Int128 capacity_ticks = 0;  ///< of the busy time: calls waited for KV memory
  sim::Int128 waiting_ticks = 0;   ///< of the busy time: the chips waited for the host
  sim::Int128 flop = 0;            ///< per chip
  sim::Int128 bytes = 0;           ///< per chip
  std::int64_t steps = 0;
  Tokens prefill_tokens = 0;
  Tokens output_tokens = 0;
  Tokens prompt_tokens = 0;      ///< of calls admitted for the first time
  Tokens cached_tokens = 0;      ///< of those, in HBM or a tier
  KvTierTokens tier_tokens{};    ///< of those, in each tier
  KvTierTokens loaded_tokens{};  ///< from each tier, after preemptions too
  KvTierTokens stored_tokens{};  ///< to each tier
  std::int64_t preemptions = 0;

  ServingTotals& operator+=(const ServingTotals& other) {
    busy_ticks += other.busy_ticks;
    for (std::size_t b = 0; b < kBounds; ++b) bound_ticks[b] += other.bound_ticks[b];
    capacity_ticks += other.capacity_ticks;
    waiting_ticks += other.waiting_ticks;
    flop += other.flop;
    bytes += other.bytes;
    steps += other.steps;
    prefill_tokens += other.prefill_tokens;
    output_tokens += other.output_tokens;
    prompt_tokens += other.prompt_tokens;
    cached_tokens += other.cached_tokens;
    for (std::size_t t = 0; t < kKvTierKinds; ++t) {
      tier_tokens[t] += other.tier_tokens[t];
      loaded_tokens[t] += other.loaded_tokens[t];
      stored_tokens[t] += other.stored_tokens[t];
    }
    preemptions += other.preemptions;
    return *this;
  }
};

/// What the replicas of a pool have done together, each up to when it was settled.
struct PoolTally {
  ServingTotals totals;
  sim::QuantileSketch gaps;  ///< between the tokens of calls
};

/// A call in flight. Replicas link theirs by index.
struct ActiveCall {
  static constexpr std::uint32_t kNone = 0xffffffff;
  CallRequest request;
  CallRecord record;
  KvChain kv;
  Tokens computed = 0;           ///< tokens of the context whose KV is in memory, while its prompt is being computed
  Tokens made = 0;               ///< output tokens, as of `joined_step` while decoding
  std::int64_t joined_step = 0;  ///< the replica's step count when it began to decode
  std::uint64_t order = 0;       ///< of its admission: the running list's order
  sim::Time mark;                ///< time up to which its causes are accounted
  sim::Time loaded;              ///< when its KV had come from the tiers
  sim::FineTime last_token;
  sim::Int128 interference_at_join = 0;
  std::uint32_t previous = kNone, next = kNone;  ///< in the running list or the queue
  std::uint32_t target = 0;                      ///< replica of the decode pool
  bool decoding = false;
  bool resumed = false;      ///< was preempted before: its prefill is recompute
  bool sent = false;         ///< overflowed to another pool than it asked for
  bool moving = false;       ///< its prompt's KV is on the network, to `target`, since `mark`
  bool transferred = false;  ///< its prompt's KV arrived over the network
  std::uint8_t loads = 0;    ///< parts of its KV that are on their way from a tier
};

/// Who hears of what happens in a replica: the fleet.
class ReplicaOwner {
 public:
  virtual ~ReplicaOwner() = default;
  sim::Slab<ActiveCall> calls;  ///< in flight
  virtual PoolTally& tally(std::uint32_t pool) = 0;
  /// Moves KV from tiers to the call's replica, which hears of it by `on_loaded`.
  virtual void load(std::uint32_t index, const KvFound& found) = 0;
  /// All tokens are made; the replica no longer knows the call.
  virtual void on_completed(std::uint32_t index) = 0;
  virtual ServingObserver* observer() = 0;
};

class Replica final : public sim::EventHandler {
 public:
  Replica(sim::Simulation& simulation, ReplicaOwner& owner, const StepCost& cost, const BatchingOptions& options,
          const KvCache::Options& kv, std::uint32_t pool, std::uint32_t index, std::uint64_t entity);

  /// Before the first call.
  void set_tiers(std::unique_ptr<KvTiers> tiers) { tiers_ = std::move(tiers); }
  const KvTiers* tiers() const { return tiers_.get(); }
  /// What the call asked its tiers for is in HBM.
  void on_loaded(std::uint32_t call);

  /// Could the call ever run here? As a server checks: the model's length, the KV memory, and, without chunked prefill,
  /// the token budget, which must take prompt and output at once in case it is preempted.
  bool fits(Tokens prompt, Tokens output) const;
  void submit(std::uint32_t call);
  /// Brings the pool's totals and the KV cache up to now.
  void settle();
  void on_event(sim::Time now, std::uint64_t argument) override;
  /// Takes every call off the replica, oldest first; causes accounted up to now. For the end of a run.
  std::vector<std::uint32_t> abandon();

  /// The elapsed share of the step in flight, by time, which the pool's totals do not have yet: a window of measurement
  /// is never charged more than its length.
  ServingTotals share_of_step_in_flight() const;
  const KvCache& kv() const { return kv_; }
  std::int32_t running() const { return running_count_; }
  /// In the queue, or for KV from a tier.
  std::int32_t waiting() const { return waiting_count_ + loading_count_; }
  /// As of the last `settle()`.
  std::int64_t kv_blocks_in_use() const { return kv_.used_blocks(); }
  /// An idle replica has no calls, and what is in its KV cache may be evicted.
  bool busy() const { return leap_steps_ > 0; }

 private:
  struct List {
    std::uint32_t first = ActiveCall::kNone, last = ActiveCall::kNone;
  };
  struct Completion {
    std::int64_t step;  ///< the step count after which the call is complete
    std::uint64_t order;
    std::uint32_t call;
  };

  struct Planned {
    std::uint32_t call;
    PrefillChunk chunk;
  };

  void begin_step(sim::FineTime start);
  void schedule_running();
  bool prefilling_comes_last() const;
  void reserve_blocks();
  void reserve_in_order();
  void admit_waiting();
  bool came_in_time(sim::Time date);
  std::int64_t blocks_for(const Planned& planned) const;
  void extend(const Planned& planned);
  bool admit(std::uint32_t index);
  void begin_load(std::uint32_t index, const KvContext& context, const KvHit& hit, const KvFound& found);
  bool admit_loaded(std::uint32_t index);
  void note_admission(ActiveCall& call, const KvHit& hit, const KvFound& found);
  void join_running(std::uint32_t index);
  void store(const KvContext& context, Tokens tokens);
  void start_leap(sim::FineTime start);
  void end_leap();
  void account(std::int64_t from, std::int64_t to);
  sim::Int128 ticks_of(std::int64_t steps) const;
  std::int64_t steps_over() const;
  std::int64_t steps_before_exhaustion(std::int64_t limit) const;
  std::int64_t blocks_needed(std::int64_t steps) const;
  void cut_leap();
  void join_decoding(std::uint32_t index, sim::FineTime at);
  void leave_decoding(ActiveCall& call);
  void account_decoding(ActiveCall& call, sim::Time now);
  KvContext context_of(const ActiveCall& call) const;
  void preempt_youngest(sim::Time now);
  void complete(std::uint32_t index, sim::FineTime at);
  std::size_t phase_of(const ActiveCall& call) const;
  void append(List& list, std::uint32_t index);
  void prepend(List& list, std::uint32_t index);
  void queue(std::uint32_t index, bool ahead_of_its_like);
  void remove(List& list, std::uint32_t index);
  void drop_stale_completions();
  void note_phase(sim::Time now);

  sim::Simulation& simulation_;
  ReplicaOwner& owner_;
  sim::Slab<ActiveCall>& calls_;
  ServingTotals& totals_;      ///< of its pool
  sim::QuantileSketch& gaps_;  ///< of its pool
  const StepCost& cost_;
  BatchingOptions options_;
  KvCache kv_;
  std::int64_t watermark_blocks_;
  std::unique_ptr<KvTiers> tiers_;  ///< none: no tiers
  std::uint32_t pool_, index_;
  sim::Entity entity_;
  sim::EventHandle event_;

  List running_, waiting_;
  List loading_, loaded_;  ///< from tiers: on the way; there, and to be admitted next
  std::int32_t running_count_ = 0, waiting_count_ = 0;
  std::int32_t loading_count_ = 0;  ///< of both
  std::int32_t decoding_ = 0;
  Tokens context_ = 0;                     ///< sum over decoding calls, in the next step
  std::vector<std::int32_t> boundary_;     ///< decoding calls that need a block when step count = index mod block size
  std::vector<Completion> completions_;    ///< min-heap
  std::vector<std::uint32_t> prefilling_;  ///< running, prompt not yet computed, in order of admission
  std::vector<Planned> plan_;
  std::vector<std::uint32_t> late_;  ///< handed over in the step in flight: their last token is older
  std::vector<std::uint32_t> ended_;
  std::vector<PrefillChunk> chunks_;
  std::int64_t taken_ = 0;  ///< blocks that decoding took for the leap's steps so far
  std::uint64_t admissions_ = 0;
  bool blocked_by_kv_ = false;
  bool preempted_ = false;
  bool came_late_ = false;  ///< a call waits for the next step only because it came after this one's batch was formed
  bool ending_ = false;     ///< a step's end is being worked off

  // The leap in progress: `leap_steps_` steps from `leap_start_`, of which `settled_` are accounted.
  sim::FineTime leap_start_;
  sim::FineTime last_end_;  ///< of the step before
  sim::Time formed_;        ///< when the batch that starts next is formed
  StepPiece piece_;
  StepPiece alone_;               ///< the same step without its prefill; for interference
  std::int64_t first_ticks_ = 0;  ///< of its first step
  std::int64_t growth_ = 0;       ///< of each step over the one before
  std::int64_t leap_steps_ = 0, settled_ = 0;
  std::int64_t step_ = 0;  ///< steps completed up to the leap's start
  sim::Int128 interference_ = 0;

  BatchPhase phase_;
  bool phase_open_ = false;
};

}  // namespace tokenyard::platforms
