/// How the calls of a replica take turns (scheduling.hpp): those that run give way, those that starve are promoted.

#include <algorithm>

#include "platforms/serving/replica.hpp"

namespace tokenyard::platforms {

using sim::Time;

/// Of a call that was `served` so far.
std::int64_t Replica::rank(const ActiveCall& call, Time served) const {
  return rank_of(options_.scheduling, options_.turns, call.request, served);
}

/// A call that comes goes behind its like, one that gave way ahead of them.
void Replica::queue(std::uint32_t index, bool ahead_of_its_like) {
  std::uint32_t before = waiting_.last;  // whom it goes behind
  if (ahead_of_its_like && options_.scheduling == Scheduling::kFcfs) before = ActiveCall::kNone;
  if (options_.scheduling != Scheduling::kFcfs || may_hold()) {
    const auto place = [&](const ActiveCall& call) {
      return std::pair(!call.held, rank(call, call.record.causes.served()));
    };
    const auto own = place(calls_[index]);
    while (before != ActiveCall::kNone &&
           (place(calls_[before]) > own || (ahead_of_its_like && place(calls_[before]) == own)))
      before = calls_[before].previous;
  }
  waiting_.insert_behind(calls_, before, index);
  if (options_.turns.promote_at > 0) next_promotion_ = std::min(next_promotion_, promotion_of(calls_[index]));
}

/// Before the step is scheduled. A call that waits needs the blocks of as much of its prompt as a step may compute.
void Replica::take_turns() {
  if (pool_.simulation.now() >= next_promotion_) promote_starving();
  while (options_.turns.preemptive && !waiting_.empty()) {
    const ActiveCall& next = calls_[waiting_.first];
    const std::uint32_t last = last_in_rank(rank(next, next.record.causes.served()));
    const bool late = options_.async_scheduling && next.mark > formed_;
    if (last == ActiveCall::kNone || late) return;
    const bool seat = running_.size < options_.max_num_seqs;
    if (seat) {
      const Entry entry = entry_of(next, context_of(next), options_.max_num_batched_tokens);
      if (entry.fits && leaves_room_for_output(next, entry)) return;
    }
    if (seat && held_.give_way()) continue;
    calls_[last].held = false;
    preempt(last, pool_.simulation.now());
  }
}

/// Of those that decode and rank behind so much; the youngest of like ones.
std::uint32_t Replica::last_in_rank(std::int64_t behind) const {
  std::uint32_t last = ActiveCall::kNone;
  for (std::uint32_t index = running_.last; index != ActiveCall::kNone; index = calls_[index].previous) {
    const ActiveCall& call = calls_[index];
    if (!call.decoding) continue;
    const std::int64_t own = rank(call, call.record.causes.served() + (pool_.simulation.now() - call.mark));
    if (own <= behind) continue;
    last = index;
    behind = own;
  }
  return last;
}

/// When somebody who decodes may rank behind who is next, or somebody who waits is to be promoted: a leap goes no
/// further than to the first step that begins then.
Time Replica::next_turn() const {
  Time next = next_promotion_;
  if (!options_.turns.preemptive || waiting_.empty()) return next;
  const ActiveCall& head = calls_[waiting_.first];
  const std::int64_t behind = rank(head, head.record.causes.served());
  for (std::uint32_t index = running_.first; index != ActiveCall::kNone; index = calls_[index].next) {
    const ActiveCall& call = calls_[index];
    if (!call.decoding) continue;
    const Time more = service_to_pass(behind, options_.scheduling, options_.turns, call.request,
                                      call.record.causes.served() + (pool_.simulation.now() - call.mark));
    if (more < Time::never() - pool_.simulation.now()) next = std::min(next, pool_.simulation.now() + more);
  }
  return next;
}

Time Replica::promotion_of(const ActiveCall& waiting) const {
  const CauseTimes& causes = waiting.record.causes;
  const Time wait =
      wait_to_promotion(options_.scheduling, options_.turns, waiting.request, causes.served(), causes[Cause::kQueue]);
  return wait < Time::never() - waiting.mark ? waiting.mark + wait : Time::never();
}

/// In the order in which they waited.
void Replica::promote_starving() {
  const Time now = pool_.simulation.now();
  next_promotion_ = Time::never();
  for (std::uint32_t index = waiting_.first, next; index != ActiveCall::kNone; index = next) {
    ActiveCall& call = calls_[index];
    next = call.next;
    const Time due = promotion_of(call);
    if (due > now) {
      next_promotion_ = std::min(next_promotion_, due);
      continue;
    }
    promote(call.request, call.record.causes.served(), call.record.causes[Cause::kQueue] + (now - call.mark));
    waiting_.remove(calls_, index);
    queue(index, false);
  }
}

}  // namespace tokenyard::platforms
