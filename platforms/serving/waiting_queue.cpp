#include "platforms/serving/waiting_queue.hpp"

#include <algorithm>

namespace tokenyard::platforms {

using sim::Time;

WaitingQueue::Place WaitingQueue::place_of(std::uint32_t index) const {
  const ActiveCall& call = calls_[index];
  if (policy_.order == Scheduling::kFcfs) return {!call.held, 0};  // spares the sum of what it was served
  return {!call.held, policy_.rank_of(call.request, call.record.causes.served())};
}

void WaitingQueue::add(std::uint32_t index) {
  if (empty()) return insert_behind(ActiveCall::kNone, index);
  const Place own = place_of(index);
  std::uint32_t before = list_.last;
  while (before != ActiveCall::kNone && place_of(before) > own) before = calls_[before].previous;
  insert_behind(before, index);
}

void WaitingQueue::add_back(std::uint32_t index) {
  if (policy_.order == Scheduling::kFcfs) return insert_behind(ActiveCall::kNone, index);  // all are alike
  const Place own = place_of(index);
  std::uint32_t before = list_.last;
  while (before != ActiveCall::kNone && place_of(before) >= own) before = calls_[before].previous;
  insert_behind(before, index);
}

void WaitingQueue::insert_behind(std::uint32_t before, std::uint32_t index) {
  list_.insert_behind(calls_, before, index);
  if (policy_.promote_at > 0) next_promotion_ = std::min(next_promotion_, promotion_of(calls_[index]));
}

Time WaitingQueue::promotion_of(const ActiveCall& call) const {
  const CauseTimes& causes = call.record.causes;
  const Time wait = policy_.wait_to_promotion(call.request, causes.served(), causes[Cause::kQueue]);
  return wait < Time::never() - call.mark ? call.mark + wait : Time::never();
}

void WaitingQueue::promote_starving(Time now) {
  next_promotion_ = Time::never();
  for (std::uint32_t index = list_.first, next; index != ActiveCall::kNone; index = next) {
    ActiveCall& call = calls_[index];
    next = call.next;
    const Time due = promotion_of(call);
    if (due > now) {
      next_promotion_ = std::min(next_promotion_, due);
      continue;
    }
    promote(call.request, call.record.causes.served(), call.record.causes[Cause::kQueue] + (now - call.mark));
    remove(index);
    add(index);
  }
}

}  // namespace tokenyard::platforms
