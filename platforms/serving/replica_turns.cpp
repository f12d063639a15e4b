/// How the calls of a replica take turns (scheduling.hpp): when those that run give way.

#include <algorithm>

#include "platforms/serving/replica.hpp"

namespace tokenyard::platforms {

using sim::Time;

Time Replica::served_now(const ActiveCall& decoding) const {
  return decoding.record.causes.served() + (pool_.simulation.now() - decoding.mark);
}

std::int64_t Replica::rank_of_next() const {
  const ActiveCall& next = calls_[waiting_.first()];
  return options_.scheduling.rank_of(next.request, next.record.causes.served());
}

/// Before the step is scheduled. A call that waits needs the blocks of as much of its prompt as a step may compute.
void Replica::take_turns() {
  const Time now = pool_.simulation.now();
  if (now >= waiting_.next_promotion()) waiting_.promote_starving(now);
  while (options_.scheduling.preemptive && !waiting_.empty()) {
    const ActiveCall& next = calls_[waiting_.first()];
    const std::uint32_t last = last_in_rank(rank_of_next());
    const bool late = options_.async_scheduling && next.mark > formed_;
    if (last == ActiveCall::kNone || late) return;
    const bool seat = running_.size < options_.max_num_seqs;
    if (seat) {
      const Entry entry = entry_of(next, context_of(next), options_.max_num_batched_tokens);
      if (entry.fits && leaves_room_for_output(next, entry)) return;
    }
    if (seat && held_.give_way()) continue;
    calls_[last].held = false;
    preempt(last, now);
  }
}

/// Of those that decode and rank behind so much; the youngest of like ones.
std::uint32_t Replica::last_in_rank(std::int64_t behind) const {
  std::uint32_t last = ActiveCall::kNone;
  for (std::uint32_t index = running_.last; index != ActiveCall::kNone; index = calls_[index].previous) {
    const ActiveCall& call = calls_[index];
    if (!call.decoding()) continue;
    const std::int64_t own = options_.scheduling.rank_of(call.request, served_now(call));
    if (own <= behind) continue;
    last = index;
    behind = own;
  }
  return last;
}

/// When somebody who decodes may rank behind who is next, or somebody who waits is to be promoted: a leap goes no
/// further than to the first step that begins then.
Time Replica::next_turn() const {
  const SchedulingPolicy& policy = options_.scheduling;
  Time next = waiting_.next_promotion();
  if (!policy.preemptive || waiting_.empty()) return next;
  const std::int64_t behind = rank_of_next();
  for (std::uint32_t index = running_.first; index != ActiveCall::kNone; index = calls_[index].next) {
    const ActiveCall& call = calls_[index];
    if (!call.decoding()) continue;
    const Time more = policy.service_to_pass(behind, call.request, served_now(call));
    if (more < Time::never() - pool_.simulation.now()) next = std::min(next, pool_.simulation.now() + more);
  }
  return next;
}

}  // namespace tokenyard::platforms
