/// Who of those that wait joins the step's batch, and what of its context need not be computed.

#include <algorithm>

#include "platforms/serving/replica.hpp"
#include "sim/core/error.hpp"

namespace tokenyard::platforms {

using sim::Time;

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

void Replica::admit_waiting() {
  while (!loaded_.empty() && running_.size < options_.max_num_seqs) {
    if (!came_in_time(calls_[loaded_.first].loaded) || !admit_loaded(loaded_.first)) return;
  }
  if (full_ && running_.size > 0) {
    blocked_by_kv_ = !waiting_.empty();
    return;
  }
  while (!waiting_.empty() && running_.size < options_.max_num_seqs) {
    if (!came_in_time(calls_[waiting_.first()].mark) || !admit(waiting_.first())) break;
  }
}

bool Replica::came_in_time(Time date) {
  const bool in_time = !options_.async_scheduling || date <= formed_;
  came_late_ = came_late_ || !in_time;
  return in_time;
}

/// Tokens of this step that nobody has yet.
Tokens Replica::budget_left() const {
  Tokens budget = options_.max_num_batched_tokens - decode_tokens();
  for (const Planned& planned : plan_) budget -= budget_of(planned.chunk.tokens);
  return budget;
}

bool Replica::room_for_prompt(const ActiveCall& call) const {
  return !options_.one_prompt || plan_.empty() || call.transferred;
}

bool Replica::admit(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  const Tokens budget = budget_left();
  if (budget < budget_of(1) || !room_for_prompt(call)) return false;

  const KvContext context = context_of(call);
  const Entry entry = entry_of(call, context, budget);
  const KvHit& hit = entry.hit;
  if (!options_.chunked_prefill && !call.transferred && entry.wanted > budget) return false;
  if (!leaves_room_for_output(call, entry)) {
    blocked_by_kv_ = full_ = true;
    return false;
  }
  KvFound found;
  if (tiers_ != nullptr && !call.transferred && entry.fits) found = tiers_->find(context, hit.tokens);
  if (found.total() > 0) {
    begin_load(index, context, hit, found, entry.ready);
    return true;
  }
  if (!entry.fits || !kv_.admit(call.kv, context, hit, entry.held)) {
    blocked_by_kv_ = true;
    full_ = full_ || (options_.output_reserve && running_.size > 0);
    return false;
  }

  hold_bounded(call);
  note_admission(call, entry.ready, found);
  waiting_.remove(index);
  join_running(index);
  if (call.transferred) {
    join_decoding(index, call.last_token);
    gaps_.add_late(index);
    if (options_.speculation.drafts() > 0 && !decoding_waits_) take_blocks(call, blocks_to_decode(call));
    take_decode_blocks(1);
    return true;
  }
  call.computed = entry.ready;
  prefilling_.push_back(index);
  plan_.emplace_back(Planned{index, {entry.held - entry.ready, entry.ready, entry.held == entry.total}});
  return true;
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
  const std::int64_t fresh =
      kv_.blocks_for(whole ? total : entry.held) + spare - entry.hit.tokens / kv_.block_size() + bounded_blocks(call);
  const std::int64_t headroom = running_.size > 0 ? pool_.watermark_blocks() : 0;
  entry.fits = fresh + entry.hit.unpinned + headroom <= kv_.free_blocks();
  return entry;
}

/// Where nothing runs, the share begins anew, and a call is admitted whatever it will make.
bool Replica::leaves_room_for_output(const ActiveCall& call, const Entry& entry) {
  if (running_.size == 0) output_room_.begin_anew();
  if (!options_.output_reserve || running_.size == 0) return true;
  const auto to_come = [&](const ActiveCall& one, Tokens made) {
    return std::min(one.request.output_tokens - made, options_.output_reserve.most);
  };
  const double share = output_room_.share();
  double kept = 0;
  for (std::uint32_t index = running_.first; index != ActiveCall::kNone; index = calls_[index].next) {
    const ActiveCall& other = calls_[index];
    const auto output = static_cast<double>(to_come(other, made_by(other)));
    kept += other.order > admitted_before_ ? output : share * output;
  }
  const Tokens beside = (1 + bounded_blocks(call)) * kv_.block_size();
  const Tokens taken = entry.total - entry.hit.tokens + to_come(call, call.made) + beside;
  const Tokens free = (kv_.free_blocks() - entry.hit.unpinned) * kv_.block_size();
  return static_cast<double>(taken) + kept < static_cast<double>(free);
}

Tokens Replica::made_by(const ActiveCall& running) const {
  return running.decoding() ? decoding_.made(running) : running.made;
}

void Replica::note_preemption() {
  full_ = false;
  if (!options_.output_reserve) return;
  Tokens made = 0, output = 0;
  for (std::uint32_t index = running_.first; index != ActiveCall::kNone; index = calls_[index].next) {
    made += made_by(calls_[index]);
    output += calls_[index].request.output_tokens;
  }
  output_room_.on_preemption(made, output, running_.size);
}

std::int64_t Replica::bounded_blocks(const ActiveCall& call) const {
  return kv_.bounded_blocks(call.record.prompt_tokens + call.request.output_tokens);
}

void Replica::hold_bounded(ActiveCall& call) {
  call.bounded_blocks = static_cast<std::int32_t>(bounded_blocks(call));
  kv_.take(call.bounded_blocks);
}

/// Of what the unlimited cache has beyond HBM, the share that is there all the same. It never shrinks, and a larger one
/// needs no fewer blocks: a call that does not fit need not be looked at again because others have left KV there.
Tokens Replica::found_beyond(const KvContext& context, Tokens in_hbm) const {
  if (pool_.unlimited == nullptr) return 0;
  const Tokens missed = pool_.unlimited->find(context).tokens - in_hbm;
  return missed > 0 ? static_cast<Tokens>(pool_.more_reuse * static_cast<double>(missed)) : 0;
}

/// Pins what was just found, for which no other block is needed.
void Replica::admit_found(KvChain& chain, const KvContext& context, const KvHit& hit) {
  if (!kv_.admit(chain, context, hit, hit.tokens)) throw sim::InternalError("replica: a block found is gone");
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

}  // namespace tokenyard::platforms
