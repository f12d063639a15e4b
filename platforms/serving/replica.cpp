#include "platforms/serving/replica.hpp"

#include <algorithm>

#include "platforms/serving/lockstep.hpp"

namespace tokenyard::platforms {

using sim::FineTime;
using sim::Time;

Replica::Replica(PoolContext& pool, std::uint32_t index, std::uint64_t entity)
    : pool_(pool),
      calls_(pool.owner.calls()),
      options_(pool.options),
      entity_{entity},
      index_(index),
      waiting_(calls_, options_.scheduling),
      decoding_(pool.kv.block_size),
      output_room_(options_.output_reserve),
      kv_(pool.kv) {
  if (pool.eviction == KvEviction::kStepsToExecution) prefix_distances_ = std::make_unique<PrefixDistances>();
}

bool Replica::fits(Tokens prompt, Tokens output) const {
  const Tokens computed = prompt + output - 1;  // nobody computes the last token
  const std::int64_t blocks = blocks_to_decode(computed) + kv_.bounded_blocks(prompt + output);
  return prompt + output <= options_.max_model_len && blocks <= kv_.total_blocks() &&
         (options_.chunked_prefill || computed <= options_.max_num_batched_tokens);
}

void Replica::submit(std::uint32_t index) {
  ActiveCall& call = calls_[index];
  call.mark = pool_.simulation.now();
  parts_ = parts_ || call.request.part;
  call.held = may_hold() && claim_held(call);
  if (call.request.part && hold_at_once(index)) return;
  if (prefix_distances_ != nullptr && !call.request.part) note_uses(call.request.task, call.request.next_uses);
  if (options_.scheduling.order == Scheduling::kMlfq)  // it knows no tasks
    promote(call.request, call.record.causes.served(), call.record.causes[Cause::kQueue]);
  waiting_.add(index);
  if (ending_) return;  // the next step is about to be scheduled
  if (!busy()) {
    begin_step(FineTime(pool_.simulation.now()));
  } else if ((waiting_.first() == index && running_.size < options_.max_num_seqs) ||
             options_.scheduling.takes_turns()) {
    cut_leap();
  }
}

void Replica::on_event(Time /*now*/, std::uint64_t argument) {
  if (argument != 0) return pool_.owner.on_tokenized(static_cast<std::uint32_t>(argument));
  if (pool_.simulation.crowded()) {
    if (!plan_.empty()) calls_.fetch(plan_.front().call);
    if (decoding_.size() > 0) calls_.fetch(decoding_.next_to_complete());
  }
  if (lockstep_ != nullptr) return lockstep_->end_leap();
  ending_ = true;  // whoever hears of an end may submit the next call at once
  const FineTime end = end_leap();
  ending_ = false;
  begin_step(end);
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
  full_ = false;
  pool_.owner.on_completed(index);
}

std::vector<std::uint32_t> Replica::abandon() {
  settle();
  pool_.simulation.cancel(event_);
  std::vector<std::uint32_t> left;
  const Time now = pool_.simulation.now();
  const CallList* const lists[] = {&running_, &loaded_, &loading_, &waiting_.list()};
  for (const CallList* list : lists) {
    for (std::uint32_t index = list->first; index != ActiveCall::kNone; index = calls_[index].next) {
      ActiveCall& call = calls_[index];
      if (call.decoding()) {
        account_decoding(call, now);
        call.made = decoding_.made(call) + (busy() ? leap_.charged() : 0);
      } else {
        const Cause not_running = list == &waiting_.list() ? Cause::kQueue : Cause::kKvTransfer;
        call.account(list == &running_ ? call.prefill_cause() : not_running, now);
      }
      call.record.finish = now;
      call.record.status = CallStatus::kUnfinished;
      left.push_back(index);
    }
  }
  running_ = loading_ = loaded_ = {};
  waiting_.clear();
  leap_.stop();
  note_phase(now);
  return left;
}

void Replica::note_phase(Time now) {
  ServingObserver* const observer = pool_.owner.observer();
  if (observer == nullptr) return;
  if (!busy()) return phases_.end(now, *observer);
  BatchPhase phase{.pool = pool_.index, .replica = index_, .begin = now};
  phase.decoding = decoding_now();
  phase.prefilling = static_cast<std::int32_t>(plan_.size());
  phases_.begin(phase, *observer);
}

}  // namespace tokenyard::platforms
