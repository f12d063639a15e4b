/// How a step's batch is formed of the calls that run: how far each prompt is computed, the KV blocks for all, and who
/// gives way where these are short.

#include <algorithm>

#include "platforms/serving/lockstep.hpp"
#include "platforms/serving/replica.hpp"
#include "sim/core/error.hpp"

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Time;

void Replica::begin_step(FineTime start) {
  if (lockstep_ != nullptr) return lockstep_->begin_step(start);
  if (!form_batch()) return note_phase(pool_.simulation.now());
  const Leap::Batch batch = batch_beside({});
  const Leap::Pace pace = Leap::pace_of(batch);
  start_leap(start, batch, pace, pace, steps_alike(batch));
  schedule_end();
}

/// False: there is nothing to compute.
bool Replica::form_batch() {
  plan_.clear();
  taken_ = 0;
  preempted_ = false;
  blocked_by_kv_ = false;
  came_late_ = false;
  admitted_before_ = admissions_;
  held_.expire(pool_.simulation.now());
  decoding_waits_ = !options_.mixed_chunk;  // until it is known that there is no prompt
  if (!waiting_.empty() && options_.scheduling.takes_turns()) take_turns();
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
    return false;
  }
  return true;
}

/// The order of the running list does not matter here. What a call takes of the budget never grows (a chunk shrinks to
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
    budget -= budget_of(tokens);
  }
}

void Replica::reserve_blocks() {
  std::int64_t needed = decoding_waits_ ? 0 : decoding_.blocks_needed(1);
  for (const Planned& planned : plan_) needed += blocks_for(planned);
  if (needed > kv_.free_blocks() || !prefilling_comes_last() || options_.speculation.drafts() > 0)
    return reserve_in_order();
  take_decode_blocks(1);
  for (const Planned& planned : plan_) extend(planned);
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

/// One running call after the other takes the blocks that it needs for this step; the youngest give way until they fit.
void Replica::reserve_in_order() {
  std::size_t next = 0;  // of the plan, which is in running order
  for (std::uint32_t index = running_.first; index != ActiveCall::kNone; index = calls_[index].next) {
    ActiveCall& call = calls_[index];
    const bool planned = next < plan_.size() && plan_[next].call == index;
    std::int64_t needed = planned ? blocks_for(plan_[next]) : 0;
    if (call.decoding() && !decoding_waits_) needed = blocks_to_decode(call);
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

/// They are the call's own from now on.
void Replica::take_blocks(ActiveCall& call, std::int64_t blocks) {
  kv_.take(blocks);
  kv_.add_private(call.kv, blocks);
}

/// It waits again, and will find what is still cached of it.
void Replica::preempt(std::uint32_t index, Time now) {
  ActiveCall& call = calls_[index];
  Tokens computed = call.computed;
  if (call.decoding()) {
    gaps_.forget(index);
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
  if (!call.request.part) ++pool_.tally.totals.preemptions;  // a part is no call: no record would have it
  store(context_of(call), computed);
  release(call, context_of(call), computed, true);
  running_.remove(calls_, index);
  note_preemption();
  waiting_.add_back(index);
}

}  // namespace tokenyard::platforms
