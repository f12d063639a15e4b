/// The steps between two changes of the batch: begun together, read in between, cut short, ended.

#include <algorithm>
#include <limits>

#include "platforms/serving/lockstep.hpp"
#include "platforms/serving/replica.hpp"

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Time;

/// Of the step at hand, to the other ranks of the replica.
OtherRanks Replica::share_of_step() const {
  OtherRanks own{
      .tokens = decode_tokens(), .decoded = decode_tokens(), .fullest = decoding_now(), .prompts = !plan_.empty()};
  for (const Planned& planned : plan_) own.tokens += planned.chunk.tokens;
  return own;
}

/// Of the step at hand.
Leap::Batch Replica::batch_beside(const OtherRanks& others) {
  std::vector<PrefillChunk>& chunks = pool_.chunks;
  chunks.clear();
  for (const Planned& planned : plan_) chunks.push_back(planned.chunk);
  const DecodingCalls calls = decoding_calls();
  Leap::Batch batch{.piece = pool_.cost.piece(calls, chunks, others),
                    .decoding = calls.calls,
                    .context = calls.context,
                    .starved = blocked_by_kv_ || preempted_,
                    .prompts = !chunks.empty() || others.prompts,
                    .power = pool_.power ? &*pool_.power : nullptr};
  if (batch.prompts && calls.calls > 0)
    batch.ticks_without_prompts = pool_.cost.piece(calls, {}, others.without_prompts()).ticks(calls.context);
  return batch;
}

void Replica::start_leap(FineTime start, const Leap::Batch& batch, const Leap::Pace& own, const Leap::Pace& pace,
                         std::int64_t steps) {
  slowdown_ = batch.prompts ? std::max<std::int64_t>(0, pace.first_ticks - batch.ticks_without_prompts) : 0;
  leap_.begin(start, batch, own, pace, steps);
  // What is let go may be admitted into, or be evicted before what the leap would take.
  if (!held_.empty() && (blocked_by_kv_ || pool_.eviction != KvEviction::kLru))
    leap_.cut(leap_.steps_beyond(held_.earliest()));
  if (!waiting_.empty() && options_.scheduling.takes_turns())
    leap_.cut(leap_.steps_beyond(next_turn() - Time::nanoseconds(1)));
  note_phase(pool_.simulation.now());
}

/// How many steps differ by growing contexts alone. After a preemption, and where a call came late, the queue is looked
/// at again in the next step; after a hand-over or a wait the first gap differs from the others.
std::int64_t Replica::steps_alike(const Leap::Batch& batch) const {
  if (batch.prompts || options_.stepwise || preempted_ || came_late_ || gaps_.next_differs() ||
      options_.speculation.drafts() > 0)
    return 1;
  if (batch.decoding == 0) return std::numeric_limits<std::int64_t>::max();  // a rank that others keep busy
  const std::int64_t piece_lasts = (batch.piece.context_limit - batch.context) / batch.decoding + 1;
  const std::int64_t limit = std::min(decoding_.steps_to_completion(), piece_lasts);
  return decoding_.steps_within(kv_.free_blocks() + taken_, limit);
}

void Replica::schedule_end() {
  event_ = pool_.simulation.schedule(leap_.end_of(leap_.steps()).published(), sim::Priority::kStepEnd, entity_, *this);
}

void Replica::reschedule_end() {
  pool_.simulation.cancel(event_);
  schedule_end();
}

void Replica::settle() {
  if (!busy()) {
    if (!ending_) held_.expire(pool_.simulation.now());
    return;
  }
  const std::int64_t over = leap_.steps_over(pool_.simulation, entity_);
  if (over == leap_.charged()) return;
  book_steps(over);
  take_decode_blocks(std::min(over + 1, leap_.steps()));  // the step in flight has its blocks
  if (!held_.empty()) held_.expire(leap_.end_of(over).published());
}

void Replica::cut_leap() {
  if (lockstep_ != nullptr) return lockstep_->cut_leap();
  settle();
  if (cut_after_step_in_flight()) reschedule_end();
}

/// False: it is the last anyway. The leap is settled.
bool Replica::cut_after_step_in_flight() {
  if (leap_.steps() - leap_.charged() <= 1) return false;
  leap_.cut(leap_.charged() + 1);
  return true;
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

/// Of the leap, up to `to`.
void Replica::book_steps(std::int64_t to) {
  const std::int64_t from = leap_.charged(), count = to - from;
  if (count <= 0) return;
  leap_.charge(to, pool_.tally.totals);
  if (decoding_.size() > 0) {
    interference_ += slowdown_;  // of a single step: with prefill nothing leaps
    if (decoding_waits_) {
      gaps_.wait(leap_.duration_of(0));
    } else {
      output_room_.add_steps(count);
      gaps_.add(leap_, from, to, decoding_.size(), calls_, pool_.tally.itl);
    }
  }
  phases_.add_steps(count);
}

/// What the steps made is booked, and calls whose tokens are all made leave. Returns when that is.
FineTime Replica::end_leap() {
  const std::int64_t steps = leap_.steps();
  const FineTime end = leap_.end_of(steps);
  book_steps(steps);
  take_decode_blocks(steps);
  formed_ = leap_.end_of(steps - 1).published();
  held_.expire(formed_);  // before what ends now is released: the order of eviction
  if (!decoding_waits_) {
    decoding_.advance(steps);
    last_end_ = end;
    if (options_.speculation.drafts() > 0) {
      const Tokens more = decoding_.make_accepted(calls_, options_.speculation, options_.seed);
      pool_.tally.totals.output_tokens += more;
      pool_.tally.itl.add(FineTime(), static_cast<std::uint64_t>(more));
    }
  }
  leap_.stop();

  std::vector<std::uint32_t>& ended = pool_.ended;
  ended.clear();
  for (std::uint32_t index; (index = decoding_.leave_completed(calls_)) != ActiveCall::kNone;) {
    end_decoding(calls_[index]);
    ended.push_back(index);
  }
  for (const Planned& planned : plan_) {
    if (advance_prompt(planned, end)) ended.push_back(planned.call);
  }
  // In their running order, as a scheduler that walks its list would.
  const auto by_admission = [&](std::uint32_t a, std::uint32_t b) { return calls_[a].order < calls_[b].order; };
  if (ended.size() > 1) std::sort(ended.begin(), ended.end(), by_admission);
  for (const std::uint32_t index : ended) complete(index, end);
  return end;
}

/// Its chunk is computed, and if it is the last, the call's next token made. True if the call asked for no more.
bool Replica::advance_prompt(const Planned& planned, FineTime end) {
  ActiveCall& call = calls_[planned.call];
  ServingTotals& totals = pool_.tally.totals;
  call.computed += planned.chunk.tokens;
  totals.prefill_tokens += planned.chunk.tokens;
  phases_.add_prefill(planned.chunk.tokens);
  if (!planned.chunk.last) return false;
  std::erase(prefilling_, planned.call);
  const Time now = end.published();
  call.account(call.prefill_cause(), now);
  ++call.made;
  if (!call.request.part) ++totals.output_tokens;
  if (call.record.first_token == CallRecord::kNoTime) {
    call.record.first_token = now;
  } else {
    pool_.tally.itl.add(end - call.last_token);
  }
  call.last_token = end;
  if (call.made >= call.request.output_tokens) {
    call.interference_at_join = interference_;
    return true;
  }
  join_decoding(planned.call, end);
  if (decoding_waits_) gaps_.add_late(planned.call);
  return false;
}

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

}  // namespace tokenyard::platforms
