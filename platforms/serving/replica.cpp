#include "platforms/serving/replica.hpp"

#include <algorithm>

#include "sim/core/error.hpp"

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Int128;
using sim::Time;

Replica::Replica(ReplicaPool& pool, std::uint32_t index, std::uint64_t entity)
    : pool_(pool),
      calls_(pool.owner.calls),
      options_(pool.options),
      entity_{entity},
      index_(index),
      decoding_(pool.kv.block_size),
      kv_(pool.kv) {
  if (pool.eviction == KvEviction::kStepsToExecution) ahead_ = std::make_unique<StepsAhead>();
}

bool Replica::fits(Tokens prompt, Tokens output) const {
  const Tokens computed = prompt + output - 1;  // nobody computes the last token
  return prompt + output <= options_.max_model_len && blocks_to_decode(computed) <= kv_.total_blocks() &&
         (options_.chunked_prefill || computed <= options_.max_num_batched_tokens);
}

void Replica::submit(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  call.mark = pool_.simulation.now();
  parts_ = parts_ || call.request.part;
  call.held = may_hold() && claim_held(call);
  if (call.request.part && hold_at_once(index)) return;
  if (ahead_ != nullptr && !call.request.part) note_uses(call.request.task, call.request.next_uses);
  if (options_.scheduling == Scheduling::kMlfq)  // it knows no tasks
    promote(call.request, call.record.causes.served(), call.record.causes[Cause::kQueue]);
  queue(index, false);
  if (ending_) return;  // the next step is about to be scheduled
  if (!busy()) {
    begin_step(FineTime(pool_.simulation.now()));
  } else if ((waiting_.first == index && running_.size < options_.max_num_seqs) || options_.turns.any()) {
    cut_leap();
  }
}

// ---- Scheduling one step --------------------------------------------------------------------------------------------

void Replica::begin_step(FineTime start) {
  plan_.clear();
  taken_ = 0;
  preempted_ = false;
  blocked_by_kv_ = false;
  came_late_ = false;
  held_.expire(pool_.simulation.now());
  decoding_waits_ = !options_.mixed_chunk;  // until it is known that there is no prompt
  if (!waiting_.empty() && options_.turns.any()) take_turns();
  schedule_running();
  reserve_blocks();
  admit_if_allowed();
  if (decoding_waits_ && plan_.empty()) {
    decoding_waits_ = false;
    reserve_blocks();
    if (decoding_.size() == 0) admit_if_allowed();
  }
  if (decoding_.size() == 0 && plan_.empty()) {
    if (!waiting_.empty() && loading_.empty() && loaded_.empty() && prefetching_.empty())
      throw sim::InternalError("replica: calls wait and none can run");
    note_phase(pool_.simulation.now());
    return;
  }
  start_leap(start);
}

/// A step that preempts admits nobody, unless nobody is left: a call may have given way to others whose KV was loaded,
/// and with those the next step goes on at once.
void Replica::admit_if_allowed() {
  const bool nothing = decoding_.size() == 0 && plan_.empty();
  if (nothing) formed_ = pool_.simulation.now();  // nothing to run ahead of
  if (!preempted_ || nothing) admit_waiting();
  while (nothing && plan_.empty() && blocked_by_kv_ && loading_.empty() && loaded_.empty() && held_.give_way()) {
    blocked_by_kv_ = false;
    admit_waiting();
  }
}

/// Tokens of the step's budget that go to calls that decode.
Tokens Replica::decode_tokens() const { return decoding_now() * options_.speculation.queries(); }

/// What a prompt's chunk takes of the budget: no less than its call will want when it decodes beside the others.
Tokens Replica::claim(Tokens chunk) const {
  return options_.mixed_chunk ? std::max(chunk, options_.speculation.queries()) : chunk;
}

/// The order of the running list does not matter here. What a call claims of the budget never grows (a chunk shrinks to
/// what decoding takes), and nobody is admitted behind a call whose chunk the budget cut: so only the last one can be
/// cut, and each gets at least a token.
void Replica::schedule_running() {
  Tokens budget = options_.max_num_batched_tokens - decode_tokens();
  for (const std::uint32_t index : prefilling_) {
    const ActiveCall& call = calls_[index];
    const Tokens remaining = call.context() - call.computed;
    const Tokens tokens = std::min(options_.longest_chunk(remaining), budget);
    if (tokens <= 0) throw sim::InternalError("replica: the token budget does not reach a running call");
    plan_.emplace_back(Planned{index, {tokens, call.computed, tokens == remaining}});
    budget -= claim(tokens);
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
  std::int64_t needed = decoding_waits_ ? 0 : decoding_.blocks_needed(1);
  for (const Planned& planned : plan_) needed += blocks_for(planned);
  if (needed > kv_.free_blocks() || !prefilling_comes_last() || options_.speculation.drafts() > 0)
    return reserve_in_order();
  take_decode_blocks(1);
  for (const Planned& planned : plan_) extend(planned);
}

/// One running call after the other takes the blocks that it needs for this step; the youngest give way until they fit.
void Replica::reserve_in_order() {
  std::size_t next = 0;  // of the plan, which is in running order
  for (std::uint32_t index = running_.first; index != ActiveCall::kNone; index = calls_[index].next) {
    ActiveCall& call = calls_[index];
    const bool planned = next < plan_.size() && plan_[next].call == index;
    std::int64_t needed = planned ? blocks_for(plan_[next]) : 0;
    if (call.decoding && !decoding_waits_) needed = blocks_to_decode(call);
    while (needed > kv_.free_blocks()) {
      if (held_.give_way()) {
        came_late_ = came_late_ || !options_.mixed_chunk;  // who waits was looked at before
        continue;
      }
      const std::uint32_t youngest = running_.last;
      calls_[youngest].held = may_hold();
      preempt(youngest, pool_.simulation.now());
      preempted_ = true;
      if (youngest == index) return;
    }
    if (planned) {
      extend(plan_[next++]);
    } else if (options_.speculation.drafts() > 0) {
      take_blocks(call, needed);
    } else {
      kv_.take(needed);
      taken_ += needed;
    }
  }
}

/// All blocks of a call that decodes with such a context.
std::int64_t Replica::blocks_to_decode(Tokens context) const {
  return kv_.blocks_for(std::min(context + options_.speculation.lookahead(), options_.max_model_len));
}

/// Those that it lacks for the next step. Without drafts that is one in every block size of steps, and only their
/// number is kept; with drafts its chain has those that it holds.
std::int64_t Replica::blocks_to_decode(const ActiveCall& call) const {
  const Tokens context = call.record.prompt_tokens + decoding_.made(call);
  if (options_.speculation.drafts() == 0) return (context - 1) % kv_.block_size() == 0;
  return std::max<std::int64_t>(0, blocks_to_decode(context) - call.kv.blocks());
}

/// They are the call's own from now on.
void Replica::take_blocks(ActiveCall& call, std::int64_t blocks) {
  kv_.take(blocks);
  kv_.add_private(call.kv, blocks);
}

/// Pins what was just found, for which no other block is needed.
void Replica::admit_found(KvChain& chain, const KvContext& context, const KvHit& hit) {
  if (!kv_.admit(chain, context, hit, hit.tokens)) throw sim::InternalError("replica: a block found is gone");
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

/// It waits again, and will find what is still cached of it.
void Replica::preempt(std::uint32_t index, Time now) {
  ActiveCall& call = calls_[index];
  Tokens computed = call.computed;
  if (call.decoding) {
    std::erase(late_, index);
    decoding_.leave(index, call);
    end_decoding(call);
    account_decoding(call, now);
    computed = call.context() - 1;
  } else {
    std::erase(prefilling_, index);
    sim::erase_if(plan_, [&](const Planned& planned) { return planned.call == index; });
    call.account(call.prefill_cause(), now);
  }
  call.computed = 0;
  call.resumed = true;
  call.transferred = false;
  ++call.record.preemptions;
  ++pool_.tally.totals.preemptions;
  store(context_of(call), computed);
  release(call, context_of(call), computed, true);
  running_.remove(calls_, index);
  queue(index, true);
}

void Replica::admit_waiting() {
  while (!loaded_.empty() && running_.size < options_.max_num_seqs) {
    if (!came_in_time(calls_[loaded_.first].loaded) || !admit_loaded(loaded_.first)) return;
  }
  while (!waiting_.empty() && running_.size < options_.max_num_seqs) {
    if (!came_in_time(calls_[waiting_.first].mark) || !admit(waiting_.first)) break;
  }
}

/// Tokens of this step that nobody has yet.
Tokens Replica::budget_left() const {
  Tokens budget = options_.max_num_batched_tokens - decode_tokens();
  for (const Planned& planned : plan_) budget -= claim(planned.chunk.tokens);
  return budget;
}

bool Replica::came_in_time(Time date) {
  const bool in_time = !options_.async_scheduling || date <= formed_;
  came_late_ = came_late_ || !in_time;
  return in_time;
}

Replica::Entry Replica::entry_of(const ActiveCall& call, const KvContext& context, Tokens budget) const {
  const Tokens total = call.context();
  Entry entry{.hit = kv_.find(context), .total = total};
  entry.ready = entry.hit.tokens;
  entry.held = total - 1;  // of a transferred call, whose newest token is yet to be computed: by decoding
  if (!call.transferred) {
    entry.ready += found_beyond(context, entry.hit.tokens);
    entry.wanted = options_.longest_chunk(total - entry.hit.tokens);
    entry.held = entry.ready + std::min({total - entry.ready, entry.wanted, budget});
  }
  const std::int64_t spare = call.transferred ? blocks_to_decode(total) - kv_.blocks_for(entry.held) : 0;
  const bool whole = (tiers_ != nullptr || options_.scheduler_reserve_full_isl) && !call.transferred;
  const std::int64_t fresh = kv_.blocks_for(whole ? total : entry.held) + spare - entry.hit.tokens / kv_.block_size();
  const std::int64_t headroom = running_.size > 0 ? pool_.watermark_blocks() : 0;
  entry.fits = fresh + entry.hit.unpinned + headroom <= kv_.free_blocks();
  return entry;
}

bool Replica::admit(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Tokens budget = budget_left();
  if (budget < claim(1)) return false;

  const KvContext context = context_of(call);
  const Entry entry = entry_of(call, context, budget);
  const KvHit& hit = entry.hit;
  if (!options_.chunked_prefill && !call.transferred && entry.wanted > budget) return false;
  KvFound found;
  if (tiers_ != nullptr && !call.transferred && entry.fits) found = tiers_->find(context, hit.tokens);
  if (found.total() > 0) {
    begin_load(index, context, hit, found, entry.ready);
    return true;
  }
  if (!entry.fits || !kv_.admit(call.kv, context, hit, entry.held)) {
    blocked_by_kv_ = true;
    return false;
  }

  note_admission(call, entry.ready, found);
  waiting_.remove(calls_, index);
  join_running(index);
  if (call.transferred) {
    join_decoding(index, call.last_token);
    late_.push_back(index);
    if (options_.speculation.drafts() > 0 && !decoding_waits_) take_blocks(call, blocks_to_decode(call));
    take_decode_blocks(1);
    return true;
  }
  call.computed = entry.ready;
  prefilling_.push_back(index);
  plan_.emplace_back(Planned{index, {entry.held - entry.ready, entry.ready, entry.held == entry.total}});
  return true;
}

/// Of what the unlimited cache has beyond HBM, the share that is there all the same. It never shrinks, and a larger one
/// needs no fewer blocks: a call that does not fit need not be looked at again because others have left KV there.
Tokens Replica::found_beyond(const KvContext& context, Tokens in_hbm) const {
  if (pool_.unlimited == nullptr) return 0;
  const Tokens missed = pool_.unlimited->find(context).tokens - in_hbm;
  return missed > 0 ? static_cast<Tokens>(pool_.more_reuse * static_cast<double>(missed)) : 0;
}

/// It leaves the queue; so many tokens need not be computed.
void Replica::note_admission(ActiveCall& call, Tokens cached, const KvFound& found) {
  const Time now = pool_.simulation.now();
  if (call.record.scheduled == CallRecord::kNoTime) {
    call.record.scheduled = now;
    call.record.cached_tokens = cached;
    if (!call.request.part) {  // its call's prompt has these tokens, too
      pool_.tally.totals.prompt_tokens += call.record.prompt_tokens;
      pool_.tally.totals.cached_tokens += call.record.cached_tokens;
      for (std::size_t t = 0; t < kKvTierKinds; ++t) pool_.tally.totals.tier_tokens[t] += found.tokens[t];
    }
    if (retention_ != nullptr && !call.held) retention_->on_queued(now - call.mark);
  }
  if (call.held) held_.admitted(call.record.task, call.request.prompt);
  call.account(Cause::kQueue, now);
  call.record.replica = index_;
}

void Replica::join_running(std::uint32_t index) {
  running_.append(calls_, index);
  calls_[index].order = ++admissions_;
}

// ---- KV tiers -------------------------------------------------------------------------------------------------------

/// Its blocks, for the whole prompt, are its own from now on; what HBM has of it is pinned.
void Replica::begin_load(std::uint32_t index, const KvContext& context, const KvHit& hit, const KvFound& found,
                         Tokens ready) {
  ActiveCall& call = calls_[index];
  admit_found(call.kv, context, hit);
  take_blocks(call, kv_.blocks_for(call.context()) - call.kv.blocks());
  call.computed = std::max(ready, hit.tokens + found.total());
  for (std::size_t t = 0; t < kKvTierKinds; ++t) pool_.tally.totals.loaded_tokens[t] += found.tokens[t];
  note_admission(call, call.computed, found);
  waiting_.remove(calls_, index);
  loading_.append(calls_, index);
  pool_.owner.load(index, found);
}

void Replica::on_loaded(std::uint32_t index) {
  settle();
  ActiveCall& call = calls_[index];
  const KvContext context = context_of(call);
  if (!kv_.extend(call.kv, context, call.computed)) throw sim::InternalError("replica: a reserved block is missing");
  store(context, call.computed);
  if (call.prefetch) {
    std::erase(prefetching_, context.prompt.front().content);
    release(call, context, call.computed, false);
    calls_.give_back(index);
  } else {
    call.loaded = pool_.simulation.now();
    loading_.remove(calls_, index);
    loaded_.append(calls_, index);
  }
  if (!busy()) {
    begin_step(FineTime(pool_.simulation.now()));
  } else if (running_.size < options_.max_num_seqs) {
    cut_leap();
  }
}

bool Replica::admit_loaded(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Tokens total = call.context();
  const Tokens budget = budget_left();
  Tokens tokens = options_.longest_chunk(total - call.computed);
  if (budget < claim(1) || (!options_.chunked_prefill && tokens > budget)) return false;
  tokens = std::min(tokens, budget);
  const Planned planned{index, {tokens, call.computed, call.computed + tokens == total}};
  extend(planned);
  call.account(Cause::kKvTransfer, pool_.simulation.now());
  loaded_.remove(calls_, index);
  join_running(index);
  prefilling_.push_back(index);
  plan_.push_back(planned);
  return true;
}

void Replica::store(const KvContext& context, Tokens tokens) {
  if (pool_.unlimited != nullptr) pool_.unlimited->keep(context, tokens);
  if (tiers_ == nullptr) return;
  const KvTierTokens before = tiers_->written();
  tiers_->keep(context, tokens);
  for (std::size_t t = 0; t < kKvTierKinds; ++t)
    pool_.tally.totals.stored_tokens[t] += tiers_->written()[t] - before[t];
}

// ---- Leaping --------------------------------------------------------------------------------------------------------

void Replica::start_leap(FineTime start) {
  std::vector<PrefillChunk>& chunks = pool_.chunks;
  chunks.clear();
  for (const Planned& planned : plan_) chunks.push_back(planned.chunk);
  const std::int32_t decoding = decoding_now();
  const Tokens context = decoding_waits_ ? 0 : decoding_.context();
  const DecodingCalls calls{decoding, context,
                            pool_.cost.minds_skew() && !decoding_waits_ ? decoding_.skew(calls_) : 0};
  const Leap::Batch batch{.piece = pool_.cost.piece(calls, chunks),
                          .decoding = decoding,
                          .context = context,
                          .starved = blocked_by_kv_ || preempted_,
                          .prompts = !chunks.empty()};
  slowdown_ = 0;
  if (decoding_waits_) {
    slowdown_ = batch.piece.ticks(0);
  } else if (!chunks.empty() && decoding > 0) {
    const StepPiece alone = pool_.cost.piece(calls, {});
    slowdown_ = std::max<std::int64_t>(0, batch.piece.ticks(batch.context) - alone.ticks(batch.context));
  }

  std::int64_t steps = 1;
  // After a preemption, and where a call came late, the queue is looked at again in the next step; after a hand-over or
  // a wait the first gap differs from the others.
  if (chunks.empty() && !options_.stepwise && !preempted_ && !came_late_ && late_.empty() && waited_ == FineTime() &&
      options_.speculation.drafts() == 0) {
    const std::int64_t piece_lasts = (batch.piece.context_limit - batch.context) / batch.decoding + 1;
    const std::int64_t limit = std::min(decoding_.steps_to_completion(), piece_lasts);
    steps = decoding_.steps_within(kv_.free_blocks() + taken_, limit);
  }
  leap_.begin(start, batch, steps);
  // What is let go may be admitted into, or be evicted before what the leap would take.
  if (!held_.empty() && (blocked_by_kv_ || pool_.eviction != KvEviction::kLru))
    leap_.cut(leap_.steps_beyond(held_.earliest()));
  if (!waiting_.empty() && options_.turns.any()) leap_.cut(leap_.steps_beyond(next_turn() - Time::nanoseconds(1)));
  note_phase(pool_.simulation.now());
  schedule_end();
}

void Replica::schedule_end() {
  event_ = pool_.simulation.schedule(leap_.end_of(leap_.steps()).published(), sim::Priority::kStepEnd, entity_, *this);
}

void Replica::settle() {
  if (!busy()) {
    if (!ending_) held_.expire(pool_.simulation.now());
    return;
  }
  const std::int64_t over = leap_.steps_over(pool_.simulation, entity_);
  if (over == leap_.charged()) return;
  account(over);
  take_decode_blocks(std::min(over + 1, leap_.steps()));  // the step in flight has its blocks
  if (!held_.empty()) held_.expire(leap_.end_of(over).published());
}

void Replica::cut_leap() {
  settle();
  if (leap_.steps() - leap_.charged() <= 1) return;
  leap_.cut(leap_.charged() + 1);
  pool_.simulation.cancel(event_);
  schedule_end();
}

std::int64_t Replica::add_reading(ServingTotals& sum) {
  if (!busy() || !held_.empty()) settle();  // what is held may have been let go
  if (!busy()) return kv_.used_blocks();
  const std::int64_t over = leap_.steps_over(pool_.simulation, entity_);
  leap_.add_elapsed(over, pool_.simulation.now(), sum);
  const bool settled = over == leap_.charged();
  return kv_.used_blocks() + (settled ? 0 : decode_blocks_to_take(std::min(over + 1, leap_.steps())));
}

/// What the decoding calls lack of the blocks for the first `steps` steps of the leap.
std::int64_t Replica::decode_blocks_to_take(std::int64_t steps) const {
  if (decoding_.size() == 0 || decoding_waits_ || options_.speculation.drafts() > 0) return 0;
  return decoding_.blocks_needed(steps) - taken_;
}

void Replica::take_decode_blocks(std::int64_t steps) {
  const std::int64_t more = decode_blocks_to_take(steps);
  if (more == 0) return;
  kv_.take(more);
  taken_ += more;
}

/// Books the steps of the leap up to `to`.
void Replica::account(std::int64_t to) {
  const std::int64_t from = leap_.charged(), count = to - from;
  if (count <= 0) return;
  leap_.charge(to, pool_.tally.totals);
  if (decoding_.size() > 0) {
    interference_ += slowdown_;  // of a single step: with prefill nothing leaps
    if (decoding_waits_) {
      waited_ += leap_.duration_of(0);
    } else {
      const std::size_t on_time = static_cast<std::size_t>(decoding_.size()) - late_.size();
      if (on_time > 0) {
        pool_.tally.gaps.add_run(leap_.duration_of(from) + waited_, leap_.growth(), static_cast<std::uint64_t>(count),
                                 on_time);
      }
      for (const std::uint32_t index : late_) pool_.tally.gaps.add(leap_.end_of(to) - calls_[index].last_token);
      late_.clear();
      waited_ = {};
    }
  }
  phase_.steps += count;
}

void Replica::on_event(Time /*now*/, std::uint64_t argument) {
  if (argument != 0) return pool_.owner.on_read(static_cast<std::uint32_t>(argument));
  if (pool_.simulation.crowded()) {
    if (!plan_.empty()) calls_.fetch(plan_.front().call);
    if (decoding_.size() > 0) calls_.fetch(decoding_.next_to_complete());
  }
  end_leap();
}

void Replica::end_leap() {
  ServingTotals& totals = pool_.tally.totals;
  std::vector<std::uint32_t>& ended = pool_.ended;
  const std::int64_t steps = leap_.steps();
  account(steps);
  take_decode_blocks(steps);
  formed_ = leap_.end_of(steps - 1).published();
  held_.expire(formed_);  // before what ends now is released: the order of eviction
  const FineTime end = leap_.end_of(steps);
  if (!decoding_waits_) {
    decoding_.advance(steps);
    last_end_ = end;
    if (options_.speculation.drafts() > 0) {
      const Tokens more = decoding_.make_accepted(calls_, options_.speculation, options_.seed);
      totals.output_tokens += more;
      pool_.tally.gaps.add(FineTime(), static_cast<std::uint64_t>(more));
    }
  }
  leap_.stop();

  ended.clear();
  for (std::uint32_t index; (index = decoding_.leave_completed(calls_)) != ActiveCall::kNone;) {
    end_decoding(calls_[index]);
    ended.push_back(index);
  }
  for (const Planned& planned : plan_) {
    ActiveCall& call = calls_[planned.call];
    call.computed += planned.chunk.tokens;
    totals.prefill_tokens += planned.chunk.tokens;
    phase_.prefill_tokens += planned.chunk.tokens;
    if (!planned.chunk.last) continue;
    std::erase(prefilling_, planned.call);
    const Time now = end.published();
    call.account(call.prefill_cause(), now);
    ++call.made;
    if (!call.request.part) ++totals.output_tokens;
    if (call.record.first_token == CallRecord::kNoTime) {
      call.record.first_token = now;
    } else {
      pool_.tally.gaps.add(end - call.last_token);
    }
    call.last_token = end;
    if (call.made >= call.request.output_tokens) {
      call.interference_at_join = interference_;
      ended.push_back(planned.call);
    } else {
      join_decoding(planned.call, end);
      if (decoding_waits_) late_.push_back(planned.call);
    }
  }
  // In their running order, as a scheduler that walks its list would.
  const auto by_admission = [&](std::uint32_t a, std::uint32_t b) { return calls_[a].order < calls_[b].order; };
  if (ended.size() > 1) std::sort(ended.begin(), ended.end(), by_admission);
  ending_ = true;  // whoever hears of an end may submit the next call at once
  for (const std::uint32_t index : ended) complete(index, end);
  ending_ = false;
  begin_step(end);
}

// ---- The batch ------------------------------------------------------------------------------------------------------

void Replica::join_decoding(std::uint32_t index, FineTime at) {
  ActiveCall& call = calls_[index];
  call.last_token = at;
  call.interference_at_join = interference_;
  decoding_.join(index, call);
}

/// The blocks that it took while decoding were counted by the replica; now they are its own, unless it held some for
/// drafts.
void Replica::end_decoding(ActiveCall& call) {
  const std::int64_t counted = kv_.blocks_for(call.context() - 1) - call.kv.blocks();
  kv_.add_private(call.kv, std::max<std::int64_t>(0, counted));
  call.last_token = std::max(call.last_token, last_end_);
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
  store(context, call.context() - 1);
  release(call, context, call.context() - 1, call.request.next_node != CallRequest::kNoNode);
  if (retention_ != nullptr || call.request.part) hold(call, at.published());
  running_.remove(calls_, index);
  pool_.owner.on_completed(index);
}

std::vector<std::uint32_t> Replica::abandon() {
  settle();
  pool_.simulation.cancel(event_);
  std::vector<std::uint32_t> left;
  const Time now = pool_.simulation.now();
  for (const CallList* list : {&running_, &loaded_, &loading_, &waiting_}) {
    for (std::uint32_t index = list->first; index != ActiveCall::kNone; index = calls_[index].next) {
      ActiveCall& call = calls_[index];
      if (call.decoding) {
        account_decoding(call, now);
      } else {
        const Cause not_running = list == &waiting_ ? Cause::kQueue : Cause::kKvTransfer;
        call.account(list == &running_ ? call.prefill_cause() : not_running, now);
      }
      call.record.finish = now;
      call.record.status = CallStatus::kUnfinished;
      left.push_back(index);
    }
  }
  running_ = waiting_ = loading_ = loaded_ = {};
  leap_.stop();
  note_phase(now);
  return left;
}

void Replica::note_phase(Time now) {
  ServingObserver* observer = pool_.owner.observer();
  if (observer == nullptr) return;
  const auto prefilling = static_cast<std::int32_t>(plan_.size());
  const bool active = busy();
  const std::int32_t decoding = decoding_now();
  if (phase_open_ && active && phase_.decoding == decoding && phase_.prefilling == prefilling) return;
  if (phase_open_) {
    phase_.end = now;
    observer->on_batch_phase(phase_);
  }
  phase_open_ = active;
  phase_ = {};
  phase_.pool = pool_.index;
  phase_.replica = index_;
  phase_.begin = now;
  phase_.decoding = decoding;
  phase_.prefilling = prefilling;
}

}  // namespace tokenyard::platforms
