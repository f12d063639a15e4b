#include "platforms/serving/replica.hpp"

#include <algorithm>
#include <cmath>

#include "sim/core/error.hpp"

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Int128;
using sim::Time;

namespace {
constexpr auto kLater = [](const auto& a, const auto& b) {
  return a.step > b.step || (a.step == b.step && a.order > b.order);
};
}  // namespace

Replica::Replica(sim::Simulation& simulation, ReplicaOwner& owner, const StepCost& cost, const BatchingOptions& options,
                 const KvCache::Options& kv, std::uint32_t pool, std::uint32_t index, std::uint64_t entity)
    : simulation_(simulation),
      owner_(owner),
      calls_(owner.calls),
      totals_(owner.tally(pool).totals),
      gaps_(owner.tally(pool).gaps),
      cost_(cost),
      options_(options),
      kv_(kv),
      watermark_blocks_(static_cast<std::int64_t>(options.watermark * static_cast<double>(kv.blocks))),
      pool_(pool),
      index_(index),
      entity_{entity},
      boundary_(static_cast<std::size_t>(kv.block_size)) {}

bool Replica::fits(Tokens prompt, Tokens output) const {
  const Tokens computed = prompt + output - 1;  // nobody computes the last token
  return prompt + output <= options_.max_model_len && kv_.blocks_for(computed) <= kv_.total_blocks() &&
         (options_.chunked_prefill || computed <= options_.max_num_batched_tokens);
}

void Replica::submit(std::uint32_t index) {
  calls_[index].mark = simulation_.now();
  calls_[index].held = retention_ != nullptr && claim_held(calls_[index]);
  queue(index, false);
  if (ending_) return;  // the next step is about to be scheduled
  if (!busy()) {
    begin_step(FineTime(simulation_.now()));
  } else if (waiting_.first == index && running_count_ < options_.max_num_seqs) {
    cut_leap();
  }
}

// ---- Scheduling one step --------------------------------------------------------------------------------------------

void Replica::begin_step(FineTime start) {
  plan_.clear();
  preempted_ = false;
  blocked_by_kv_ = false;
  came_late_ = false;
  held_.expire(simulation_.now());
  schedule_running();
  reserve_blocks();
  const bool nothing = decoding_ == 0 && plan_.empty();
  if (nothing) formed_ = simulation_.now();  // nothing to run ahead of
  // A call may have given way to others whose KV was loaded; with those the next step goes on at once.
  if (!preempted_ || nothing) admit_waiting();
  while (decoding_ == 0 && plan_.empty() && blocked_by_kv_ && loading_count_ == 0 && held_.give_way()) {
    blocked_by_kv_ = false;
    admit_waiting();
  }
  if (decoding_ == 0 && plan_.empty()) {
    if (waiting_count_ > 0 && loading_count_ == 0) throw sim::InternalError("replica: calls wait and none can run");
    note_phase(simulation_.now());
    return;
  }
  start_leap(start);
}

/// The order of the running list does not matter here. What a call wants of the budget never grows (a chunk shrinks to
/// one token), and nobody is admitted behind a call whose chunk the budget cut: so only the last one can be cut, and
/// each gets at least a token.
void Replica::schedule_running() {
  Tokens budget = options_.max_num_batched_tokens - decoding_;
  for (const std::uint32_t index : prefilling_) {
    const ActiveCall& call = calls_[index];
    const Tokens remaining = call.record.prompt_tokens + call.made - call.computed;
    Tokens tokens = std::min(remaining, budget);
    if (options_.long_prefill_token_threshold > 0) tokens = std::min(tokens, options_.long_prefill_token_threshold);
    if (tokens <= 0) throw sim::InternalError("replica: the token budget does not reach a running call");
    plan_.push_back({index, {tokens, call.computed, tokens == remaining}});
    budget -= tokens;
  }
}

/// Whether all that decode were admitted before all that prefill.
bool Replica::prefilling_comes_last() const {
  std::uint32_t last = running_.last;
  for (auto index = prefilling_.rbegin(); index != prefilling_.rend(); ++index) {
    if (*index != last) return false;
    last = calls_[last].previous;
  }
  return true;
}

void Replica::reserve_blocks() {
  std::int64_t needed = blocks_needed(1);
  for (const Planned& planned : plan_) needed += blocks_for(planned);
  taken_ = 0;
  if (needed > kv_.free_blocks() || !prefilling_comes_last()) return reserve_in_order();
  taken_ = blocks_needed(1);
  kv_.take(taken_);
  for (const Planned& planned : plan_) extend(planned);
}

/// One running call after the other takes the blocks that it needs for this step; the youngest give way until they fit.
void Replica::reserve_in_order() {
  std::size_t next = 0;  // of the plan, which is in running order
  for (std::uint32_t index = running_.first; index != ActiveCall::kNone; index = calls_[index].next) {
    const ActiveCall& call = calls_[index];
    const bool planned = next < plan_.size() && plan_[next].call == index;
    std::int64_t needed = planned ? blocks_for(plan_[next]) : 0;
    if (call.decoding)
      needed = (call.record.prompt_tokens + call.made + step_ - call.joined_step - 1) % kv_.block_size() == 0;
    while (needed > kv_.free_blocks()) {
      if (held_.give_way()) continue;
      const bool itself = running_.last == index;
      preempt_youngest(simulation_.now());
      if (itself) return;
    }
    if (planned) {
      extend(plan_[next++]);
    } else {
      kv_.take(needed);
      taken_ += needed;
    }
  }
}

std::int64_t Replica::blocks_for(const Planned& planned) const {
  return std::max<std::int64_t>(
      0, kv_.blocks_for(planned.chunk.before + planned.chunk.tokens) - calls_[planned.call].kv.blocks());
}

void Replica::extend(const Planned& planned) {
  ActiveCall& call = calls_[planned.call];
  if (!kv_.extend(call.kv, context_of(call), planned.chunk.before + planned.chunk.tokens)) {
    throw sim::InternalError("replica: a reserved block is missing");
  }
}

/// What its KV stands for. Unnamed parts are found again by the call itself, once it was preempted.
KvContext Replica::context_of(const ActiveCall& call) const {
  return {.prompt = call.request.prompt,
          .output = {call.request.output_content, call.made},
          .owner = call.resumed ? call.record.call + 1 : 0};
}

void Replica::preempt_youngest(Time now) {
  const std::uint32_t index = running_.last;
  if (index == ActiveCall::kNone) throw sim::InternalError("replica: KV blocks are missing and nobody is running");
  ActiveCall& call = calls_[index];
  Tokens computed = call.computed;
  if (call.decoding) {
    leave_decoding(call);
    account_decoding(call, now);
    computed = call.record.prompt_tokens + call.made - 1;
  } else {
    std::erase(prefilling_, index);
    std::erase_if(plan_, [&](const Planned& planned) { return planned.call == index; });
    call.record.causes[call.resumed ? Cause::kRecompute : Cause::kPrefill] += now - call.mark;
    call.mark = now;
  }
  call.computed = 0;
  call.resumed = true;
  call.held = retention_ != nullptr;
  call.transferred = false;
  ++call.record.preemptions;
  ++totals_.preemptions;
  store(context_of(call), computed);
  kv_.release(call.kv, context_of(call), computed);
  remove(running_, index);
  --running_count_;
  queue(index, true);
  preempted_ = true;
}

void Replica::admit_waiting() {
  while (loaded_.first != ActiveCall::kNone && running_count_ < options_.max_num_seqs) {
    if (!came_in_time(calls_[loaded_.first].loaded) || !admit_loaded(loaded_.first)) return;
  }
  while (waiting_.first != ActiveCall::kNone && running_count_ < options_.max_num_seqs) {
    if (!came_in_time(calls_[waiting_.first].mark) || !admit(waiting_.first)) break;
  }
}

bool Replica::came_in_time(Time date) {
  const bool in_time = !options_.async_scheduling || date <= formed_;
  came_late_ = came_late_ || !in_time;
  return in_time;
}

bool Replica::admit(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Tokens total = call.record.prompt_tokens + call.made;
  Tokens budget = options_.max_num_batched_tokens - decoding_;
  for (const Planned& planned : plan_) budget -= planned.chunk.tokens;
  if (budget <= 0) return false;

  const KvContext context = context_of(call);
  const KvHit hit = kv_.find(context);
  Tokens tokens = total - hit.tokens;
  Tokens held = total - 1;  // of a transferred call, whose newest token is yet to be computed: by decoding
  if (!call.transferred) {
    if (options_.long_prefill_token_threshold > 0) tokens = std::min(tokens, options_.long_prefill_token_threshold);
    if (!options_.chunked_prefill && tokens > budget) return false;
    tokens = std::min(tokens, budget);
    held = hit.tokens + tokens;
  }
  const std::int64_t spare = call.transferred ? kv_.blocks_for(total) - kv_.blocks_for(held) : 0;
  const bool whole = (tiers_ != nullptr || options_.scheduler_reserve_full_isl) && !call.transferred;
  const std::int64_t fresh = kv_.blocks_for(whole ? total : held) + spare - hit.tokens / kv_.block_size();
  const std::int64_t headroom = running_count_ > 0 ? watermark_blocks_ : 0;
  const bool fits = fresh + hit.unpinned + headroom <= kv_.free_blocks();
  KvFound found;
  if (tiers_ != nullptr && !call.transferred && fits) found = tiers_->find(context, hit.tokens);
  if (found.total() > 0) {
    begin_load(index, context, hit, found);
    return true;
  }
  if (!fits || !kv_.admit(call.kv, context, hit, held)) {
    blocked_by_kv_ = true;
    return false;
  }

  note_admission(call, hit, found);
  remove(waiting_, index);
  --waiting_count_;
  join_running(index);
  if (call.transferred) {
    join_decoding(index, call.last_token);
    late_.push_back(index);
    const std::int64_t more = blocks_needed(1) - taken_;
    kv_.take(more);
    taken_ += more;
    return true;
  }
  call.computed = hit.tokens;
  prefilling_.push_back(index);
  plan_.push_back({index, {tokens, hit.tokens, held == total}});
  return true;
}

/// It leaves the queue, with what HBM has of it.
void Replica::note_admission(ActiveCall& call, const KvHit& hit, const KvFound& found) {
  const Time now = simulation_.now();
  if (call.record.scheduled == CallRecord::kNoTime) {
    call.record.scheduled = now;
    call.record.cached_tokens = hit.tokens + found.total();
    totals_.prompt_tokens += call.record.prompt_tokens;
    totals_.cached_tokens += call.record.cached_tokens;
    for (std::size_t t = 0; t < kKvTierKinds; ++t) totals_.tier_tokens[t] += found.tokens[t];
    if (retention_ != nullptr && !call.held) retention_->on_queued(now - call.mark);
  }
  if (call.held) held_.admitted(call.record.task, call.request.prompt);
  call.record.causes[Cause::kQueue] += now - call.mark;
  call.mark = now;
  call.record.replica = index_;
}

void Replica::join_running(std::uint32_t index) {
  append(running_, index);
  ++running_count_;
  calls_[index].order = ++admissions_;
}

// ---- KV tiers -------------------------------------------------------------------------------------------------------

/// Its blocks, for the whole prompt, are its own from now on; what HBM has of it is pinned.
void Replica::begin_load(std::uint32_t index, const KvContext& context, const KvHit& hit, const KvFound& found) {
  ActiveCall& call = calls_[index];
  if (!kv_.admit(call.kv, context, hit, hit.tokens)) throw sim::InternalError("replica: a block found is gone");
  const std::int64_t more = kv_.blocks_for(call.record.prompt_tokens + call.made) - call.kv.blocks();
  kv_.take(more);
  kv_.add_private(call.kv, more);
  call.computed = hit.tokens + found.total();
  for (std::size_t t = 0; t < kKvTierKinds; ++t) totals_.loaded_tokens[t] += found.tokens[t];
  note_admission(call, hit, found);
  remove(waiting_, index);
  --waiting_count_;
  append(loading_, index);
  ++loading_count_;
  owner_.load(index, found);
}

void Replica::on_loaded(std::uint32_t index) {
  settle();
  ActiveCall& call = calls_[index];
  const KvContext context = context_of(call);
  if (!kv_.extend(call.kv, context, call.computed)) throw sim::InternalError("replica: a reserved block is missing");
  store(context, call.computed);
  call.loaded = simulation_.now();
  remove(loading_, index);
  append(loaded_, index);
  if (!busy()) {
    begin_step(FineTime(simulation_.now()));
  } else if (running_count_ < options_.max_num_seqs) {
    cut_leap();
  }
}

bool Replica::admit_loaded(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Tokens total = call.record.prompt_tokens + call.made;
  Tokens budget = options_.max_num_batched_tokens - decoding_;
  for (const Planned& planned : plan_) budget -= planned.chunk.tokens;
  Tokens tokens = total - call.computed;
  if (options_.long_prefill_token_threshold > 0) tokens = std::min(tokens, options_.long_prefill_token_threshold);
  if (budget <= 0 || (!options_.chunked_prefill && tokens > budget)) return false;
  tokens = std::min(tokens, budget);
  const Planned planned{index, {tokens, call.computed, call.computed + tokens == total}};
  extend(planned);
  const Time now = simulation_.now();
  call.record.causes[Cause::kKvTransfer] += now - call.mark;
  call.mark = now;
  remove(loaded_, index);
  --loading_count_;
  join_running(index);
  prefilling_.push_back(index);
  plan_.push_back(planned);
  return true;
}

void Replica::store(const KvContext& context, Tokens tokens) {
  if (tiers_ == nullptr) return;
  const KvTierTokens before = tiers_->written();
  tiers_->keep(context, tokens);
  for (std::size_t t = 0; t < kKvTierKinds; ++t) totals_.stored_tokens[t] += tiers_->written()[t] - before[t];
}

// ---- KV held for the next call of a task ----------------------------------------------------------------------------

bool Replica::claim_held(ActiveCall& call) {
  settle();
  retention_->on_arrival(call.record.task, call.request.prompt, simulation_.now());
  return held_.claim(call.record.task, call.request.prompt);
}

/// A completed call has released its KV; as much of it as the task's next call will find is held from now on.
void Replica::hold(const ActiveCall& call, Time now) {
  const CallRequest& request = call.request;
  const std::uint64_t content = request.prompt.empty() ? 0 : request.prompt.back().content;
  const bool comes_back = request.next_node != CallRequest::kNoNode && content != 0;
  Tokens others = context_;
  for (const std::uint32_t index : prefilling_) others += calls_[index].computed;
  const Time time = retention_->hold_for(
      {.task = request.task,
       .content = content,
       .wait = comes_back ? std::uint64_t{request.agent} << 32 | request.next_node : KvRetention::kNoWait,
       .tokens = call.record.prompt_tokens + call.made,
       .others = others},
      now);
  if (time == Time()) return;
  KvContext context = context_of(call);
  context.owner = 0;
  KvChain chain;
  const KvHit hit = kv_.find(context);
  if (!kv_.admit(chain, context, hit, hit.tokens)) throw sim::InternalError("replica: a block found is gone");
  held_.add(
      {request.task, content, request.task_arrival, time < Time::never() - now ? now + time : Time::never(), chain});
}

void Replica::forget(std::uint64_t task) {
  settle();
  retention_->forget(task);
  if (held_.forget(task) && busy()) cut_leap();
}

// ---- Leaping --------------------------------------------------------------------------------------------------------

void Replica::start_leap(FineTime start) {
  chunks_.clear();
  for (const Planned& planned : plan_) chunks_.push_back(planned.chunk);
  piece_ = cost_.piece(decoding_, context_, chunks_);
  if (!chunks_.empty() && decoding_ > 0) alone_ = cost_.piece(decoding_, context_, {});

  leap_steps_ = 1;
  // After a preemption, and where a call came late, the queue is looked at again in the next step; after a hand-over
  // the first gap differs from the others.
  if (chunks_.empty() && !options_.stepwise && !preempted_ && !came_late_ && late_.empty()) {
    drop_stale_completions();
    std::int64_t limit = completions_.front().step - step_;
    limit = std::min(limit, (piece_.context_limit - context_) / decoding_ + 1);
    leap_steps_ = steps_before_exhaustion(limit);
  }
  leap_start_ = start;
  first_ticks_ = piece_.ticks(context_);
  growth_ = piece_.slope() * decoding_;
  if (blocked_by_kv_) leap_steps_ = steps_beyond(held_.earliest(), leap_steps_);
  settled_ = 0;
  note_phase(simulation_.now());
  event_ = simulation_.schedule((start + FineTime(ticks_of(leap_steps_))).published(), sim::Priority::kStepEnd, entity_,
                                *this);
}

/// The first `steps` steps of the leap: sum of an arithmetic sequence.
Int128 Replica::ticks_of(std::int64_t steps) const {
  return Int128{first_ticks_} * steps + Int128{growth_} * (steps * (steps - 1) / 2);
}

/// Blocks that the decoding calls take in the next `steps` steps.
std::int64_t Replica::blocks_needed(std::int64_t steps) const {
  const auto size = static_cast<std::int64_t>(boundary_.size());
  std::int64_t needed = steps / size * decoding_;
  auto at = static_cast<std::size_t>(step_ % size);
  for (std::int64_t rest = steps % size; rest > 0; --rest) {
    needed += boundary_[at];
    if (++at == boundary_.size()) at = 0;
  }
  return needed;
}

/// The most steps, up to `limit`, for which the free blocks suffice; at least 1, since this step's blocks are reserved.
std::int64_t Replica::steps_before_exhaustion(std::int64_t limit) const {
  if (blocks_needed(limit) - taken_ <= kv_.free_blocks()) return limit;
  std::int64_t fits = 1, fails = limit;
  while (fails - fits > 1) {
    const std::int64_t middle = fits + (fails - fits) / 2;
    (blocks_needed(middle) - taken_ <= kv_.free_blocks() ? fits : fails) = middle;
  }
  return fits;
}

/// The fewest steps, up to `limit`, of which the last ends after `date`.
std::int64_t Replica::steps_beyond(Time date, std::int64_t limit) const {
  std::int64_t low = 1;
  while (low < limit) {
    const std::int64_t middle = low + (limit - low) / 2;
    if ((leap_start_ + FineTime(ticks_of(middle))).published() > date) {
      limit = middle;
    } else {
      low = middle + 1;
    }
  }
  return limit;
}

/// The most steps of the leap that are over by now.
std::int64_t Replica::steps_over() const {
  const auto over = [&](std::int64_t k) {
    return simulation_.passed((leap_start_ + FineTime(ticks_of(k))).published(), sim::Priority::kStepEnd, entity_);
  };
  // Where the sum reaches the time elapsed, by the quadratic formula: a guess, the integers decide.
  const auto elapsed = static_cast<double>((FineTime(simulation_.now()) - leap_start_).ticks());
  const auto growth = static_cast<double>(growth_), linear = static_cast<double>(first_ticks_) - growth / 2;
  const double guess = elapsed > 0 ? 2 * elapsed / (linear + std::sqrt(linear * linear + 2 * growth * elapsed)) : 0;
  auto steps =
      static_cast<std::int64_t>(std::clamp(guess, static_cast<double>(settled_), static_cast<double>(leap_steps_)));
  while (steps < leap_steps_ && over(steps + 1)) ++steps;
  while (steps > settled_ && !over(steps)) --steps;
  return steps;
}

void Replica::settle() {
  if (!busy()) {
    if (!ending_) held_.expire(simulation_.now());
    return;
  }
  const std::int64_t over = steps_over();
  if (over == settled_) return;
  account(settled_, over);
  const std::int64_t more =
      blocks_needed(std::min(settled_ + 1, leap_steps_)) - taken_;  // the step in flight has its blocks
  kv_.take(more);
  taken_ += more;
  held_.expire((leap_start_ + FineTime(ticks_of(settled_))).published());
}

ServingTotals Replica::share_of_step_in_flight() const {
  ServingTotals totals;
  if (!busy()) return totals;
  const Int128 whole = ticks_of(settled_ + 1) - ticks_of(settled_);
  const Int128 elapsed =
      std::clamp<Int128>((FineTime(simulation_.now()) - leap_start_ - FineTime(ticks_of(settled_))).ticks(), 0, whole);
  if (elapsed == 0) return totals;
  const Int128 contexts = context_ + static_cast<Int128>(decoding_) * settled_;
  Int128 total = 0;
  for (std::size_t i = 0; i < kBounds; ++i) {
    const Int128 ticks = (piece_.base_ticks[i] + contexts * piece_.slope_ticks[i]) * elapsed / whole;
    totals.bound_ticks[i] += ticks;
    total += ticks;
  }
  totals.busy_ticks += total;
  if (blocked_by_kv_ || preempted_) totals.capacity_ticks += total;
  totals.waiting_ticks += Int128{piece_.waiting_ticks} * elapsed / whole;
  totals.flop += (piece_.base_flop + contexts * piece_.slope_flop) * elapsed / whole;
  totals.bytes += (piece_.base_bytes + contexts * piece_.slope_bytes) * elapsed / whole;
  return totals;
}

void Replica::cut_leap() {
  settle();
  if (leap_steps_ - settled_ <= 1) return;
  leap_steps_ = settled_ + 1;
  simulation_.cancel(event_);
  event_ = simulation_.schedule((leap_start_ + FineTime(ticks_of(leap_steps_))).published(), sim::Priority::kStepEnd,
                                entity_, *this);
}

/// Books steps [from, to) of the leap.
void Replica::account(std::int64_t from, std::int64_t to) {
  const std::int64_t count = to - from;
  if (count <= 0) return;
  const Int128 contexts = Int128{count} * context_ + Int128{decoding_} * ((to * (to - 1) - from * (from - 1)) / 2);
  for (std::size_t i = 0; i < kBounds; ++i) {
    totals_.bound_ticks[i] += Int128{count} * piece_.base_ticks[i];
    if (piece_.slope_ticks[i] != 0) totals_.bound_ticks[i] += contexts * piece_.slope_ticks[i];
  }
  const Int128 total = ticks_of(to) - ticks_of(from);
  totals_.busy_ticks += total;
  if (blocked_by_kv_ || preempted_) totals_.capacity_ticks += total;
  totals_.waiting_ticks += Int128{count} * piece_.waiting_ticks;
  totals_.flop += Int128{count} * piece_.base_flop + contexts * piece_.slope_flop;
  totals_.bytes += Int128{count} * piece_.base_bytes + contexts * piece_.slope_bytes;
  totals_.steps += count;
  totals_.output_tokens += count * decoding_;
  if (decoding_ > 0) {
    const std::size_t on_time = static_cast<std::size_t>(decoding_) - late_.size();
    if (on_time > 0) {
      gaps_.add_run(FineTime(Int128{first_ticks_} + Int128{growth_} * from), FineTime(Int128{growth_}),
                    static_cast<std::uint64_t>(count), on_time);
    }
    for (const std::uint32_t index : late_) gaps_.add(leap_start_ + FineTime(ticks_of(to)) - calls_[index].last_token);
    late_.clear();
    if (!chunks_.empty()) interference_ += std::max<std::int64_t>(0, first_ticks_ - alone_.ticks(context_));
  }
  phase_.steps += count;
  settled_ = to;
}

void Replica::on_event(Time /*now*/, std::uint64_t /*argument*/) { end_leap(); }

void Replica::end_leap() {
  account(settled_, leap_steps_);
  const FineTime end = leap_start_ + FineTime(ticks_of(leap_steps_));
  kv_.take(blocks_needed(leap_steps_) - taken_);
  context_ += leap_steps_ * decoding_;
  step_ += leap_steps_;
  formed_ = (leap_start_ + FineTime(ticks_of(leap_steps_ - 1))).published();
  leap_steps_ = 0;
  last_end_ = end;
  held_.expire(formed_);  // before what ends now is released: the order of eviction

  ended_.clear();
  while (!completions_.empty() && completions_.front().step <= step_) {
    drop_stale_completions();
    if (completions_.empty() || completions_.front().step > step_) break;
    const std::uint32_t index = completions_.front().call;
    leave_decoding(calls_[index]);
    ended_.push_back(index);
  }
  for (const Planned& planned : plan_) {
    ActiveCall& call = calls_[planned.call];
    call.computed += planned.chunk.tokens;
    totals_.prefill_tokens += planned.chunk.tokens;
    phase_.prefill_tokens += planned.chunk.tokens;
    if (!planned.chunk.last) continue;
    std::erase(prefilling_, planned.call);
    const Time now = end.published();
    call.record.causes[call.resumed ? Cause::kRecompute : Cause::kPrefill] += now - call.mark;
    call.mark = now;
    ++call.made;
    ++totals_.output_tokens;
    if (call.record.first_token == CallRecord::kNoTime) {
      call.record.first_token = now;
    } else {
      gaps_.add(end - call.last_token);
    }
    call.last_token = end;
    if (call.made >= call.request.output_tokens) {
      call.interference_at_join = interference_;
      ended_.push_back(planned.call);
    } else {
      join_decoding(planned.call, end);
    }
  }
  // In their running order, as a scheduler that walks its list would.
  const auto by_admission = [&](std::uint32_t a, std::uint32_t b) { return calls_[a].order < calls_[b].order; };
  if (ended_.size() > 1) std::sort(ended_.begin(), ended_.end(), by_admission);
  ending_ = true;  // whoever hears of an end may submit the next call at once
  for (const std::uint32_t index : ended_) complete(index, end);
  ending_ = false;
  begin_step(end);
}

// ---- The batch ------------------------------------------------------------------------------------------------------

/// The residue of the step count at which the call needs a block: its context is then one past a multiple of the size.
std::size_t Replica::phase_of(const ActiveCall& call) const {
  const auto size = static_cast<std::int64_t>(boundary_.size());
  const std::int64_t residue = (call.joined_step - (call.record.prompt_tokens + call.made) + 1) % size;
  return static_cast<std::size_t>(residue < 0 ? residue + size : residue);
}

void Replica::join_decoding(std::uint32_t index, FineTime at) {
  ActiveCall& call = calls_[index];
  call.decoding = true;
  call.joined_step = step_;
  call.last_token = at;
  call.interference_at_join = interference_;
  ++decoding_;
  context_ += call.record.prompt_tokens + call.made;
  ++boundary_[phase_of(call)];
  completions_.push_back({step_ + call.request.output_tokens - call.made, call.order, index});
  std::push_heap(completions_.begin(), completions_.end(), kLater);
}

void Replica::leave_decoding(ActiveCall& call) {
  --boundary_[phase_of(call)];
  --decoding_;
  const Tokens made = call.made + step_ - call.joined_step;
  context_ -= call.record.prompt_tokens + made;
  // The blocks it took while decoding were counted by the replica.
  kv_.add_private(call.kv, kv_.blocks_for(call.record.prompt_tokens + made - 1) - call.kv.blocks());
  call.made = made;
  call.last_token = last_end_;
  call.decoding = false;
}

void Replica::account_decoding(ActiveCall& call, Time now) {
  const Time elapsed = now - call.mark;
  const Time interference = std::min(FineTime(interference_ - call.interference_at_join).published(), elapsed);
  call.record.causes[Cause::kInterference] += interference;
  call.record.causes[Cause::kDecode] += elapsed - interference;
  call.mark = now;
}

void Replica::complete(std::uint32_t index, FineTime at) {
  ActiveCall& call = calls_[index];
  account_decoding(call, at.published());
  call.record.finish = call.mark;
  call.record.status = CallStatus::kCompleted;
  // The last token was made but never computed: its KV is not there. Nobody but the call asks for what it left unnamed.
  KvContext context = context_of(call);
  context.output.tokens = call.made - 1;
  context.owner = 0;
  store(context, call.record.prompt_tokens + call.made - 1);
  kv_.release(call.kv, context, call.record.prompt_tokens + call.made - 1);
  if (retention_ != nullptr) hold(call, at.published());
  remove(running_, index);
  --running_count_;
  owner_.on_completed(index);
}

/// A preempted call leaves its completion behind.
void Replica::drop_stale_completions() {
  while (!completions_.empty()) {
    const Completion& top = completions_.front();
    const ActiveCall& call = calls_[top.call];
    if (call.decoding && call.order == top.order && call.record.replica == index_ && call.record.pool == pool_ &&
        call.joined_step + call.request.output_tokens - call.made == top.step) {
      return;
    }
    std::pop_heap(completions_.begin(), completions_.end(), kLater);
    completions_.pop_back();
  }
}

std::vector<std::uint32_t> Replica::abandon() {
  settle();
  simulation_.cancel(event_);
  std::vector<std::uint32_t> left;
  const Time now = simulation_.now();
  for (const List* list : {&running_, &loaded_, &loading_, &waiting_}) {
    for (std::uint32_t index = list->first; index != ActiveCall::kNone; index = calls_[index].next) {
      ActiveCall& call = calls_[index];
      if (call.decoding) {
        account_decoding(call, now);
      } else {
        const Cause computing = call.resumed ? Cause::kRecompute : Cause::kPrefill;
        const Cause cause = list == &waiting_ ? Cause::kQueue : list == &running_ ? computing : Cause::kKvTransfer;
        call.record.causes[cause] += now - call.mark;
      }
      call.record.finish = now;
      call.record.status = CallStatus::kUnfinished;
      left.push_back(index);
    }
  }
  running_ = waiting_ = loading_ = loaded_ = {};
  running_count_ = waiting_count_ = loading_count_ = decoding_ = 0;
  leap_steps_ = 0;
  note_phase(now);
  return left;
}

void Replica::note_phase(Time now) {
  ServingObserver* observer = owner_.observer();
  if (observer == nullptr) return;
  const auto prefilling = static_cast<std::int32_t>(plan_.size());
  const bool active = busy();
  if (phase_open_ && active && phase_.decoding == decoding_ && phase_.prefilling == prefilling) return;
  if (phase_open_) {
    phase_.end = now;
    observer->on_batch_phase(phase_);
  }
  phase_open_ = active;
  phase_ = {};
  phase_.pool = pool_;
  phase_.replica = index_;
  phase_.begin = now;
  phase_.decoding = decoding_;
  phase_.prefilling = prefilling;
}

void Replica::append(List& list, std::uint32_t index) {
  ActiveCall& call = calls_[index];
  call.previous = list.last;
  call.next = ActiveCall::kNone;
  (list.last == ActiveCall::kNone ? list.first : calls_[list.last].next) = index;
  list.last = index;
}

void Replica::prepend(List& list, std::uint32_t index) {
  ActiveCall& call = calls_[index];
  call.next = list.first;
  call.previous = ActiveCall::kNone;
  (list.first == ActiveCall::kNone ? list.last : calls_[list.first].previous) = index;
  list.first = index;
}

/// A call that comes goes behind its like, one that gave way ahead of them.
void Replica::queue(std::uint32_t index, bool ahead_of_its_like) {
  const auto rank = [&](std::uint32_t of) {
    return std::pair(!calls_[of].held, rank_of(options_.scheduling, calls_[of].request));
  };
  const auto own = rank(index);
  std::uint32_t before = waiting_.last;  // whom it goes behind
  if (ahead_of_its_like && options_.scheduling == Scheduling::kFcfs) before = ActiveCall::kNone;
  while (before != ActiveCall::kNone && (rank(before) > own || (ahead_of_its_like && rank(before) == own)))
    before = calls_[before].previous;
  ++waiting_count_;
  if (before == ActiveCall::kNone) return prepend(waiting_, index);
  if (before == waiting_.last) return append(waiting_, index);
  ActiveCall& call = calls_[index];
  call.previous = before;
  call.next = calls_[before].next;
  calls_[call.next].previous = calls_[before].next = index;
}

void Replica::remove(List& list, std::uint32_t index) {
  ActiveCall& call = calls_[index];
  (call.previous == ActiveCall::kNone ? list.first : calls_[call.previous].next) = call.next;
  (call.next == ActiveCall::kNone ? list.last : calls_[call.next].previous) = call.previous;
}

}  // namespace tokenyard::platforms
