#include "platforms/serving/lockstep.hpp"

#include <algorithm>
#include <limits>

namespace tokenyard::platforms {

using sim::FineTime;

Lockstep::Lockstep(std::vector<Replica*> ranks)
    : ranks_(std::move(ranks)), batches_(ranks_.size()), paces_(ranks_.size()) {
  for (Replica* rank : ranks_) rank->lockstep_ = this;
}

OtherRanks Lockstep::all_ranks() const {
  OtherRanks all;
  for (const Replica* rank : ranks_) {
    const OtherRanks own = rank->share_of_step();
    all.tokens += own.tokens;
    all.decoded += own.decoded;
    all.fullest = std::max(all.fullest, own.fullest);
    all.prompts = all.prompts || own.prompts;
  }
  return all;
}

void Lockstep::begin_step(FineTime start) {
  bool any = false;
  for (Replica* rank : ranks_) any = rank->form_batch() || any;
  if (!any) {
    for (Replica* rank : ranks_) rank->note_phase(start.published());
    return;
  }
  const OtherRanks all = all_ranks();
  Leap::Pace slowest;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    OtherRanks others = all;
    const OtherRanks own = ranks_[i]->share_of_step();
    others.tokens -= own.tokens;
    others.decoded -= own.decoded;
    batches_[i] = ranks_[i]->batch_beside(others);
    const Leap::Pace& pace = paces_[i] = Leap::pace_of(batches_[i]);
    if (std::pair(pace.first_ticks, pace.growth) > std::pair(slowest.first_ticks, slowest.growth)) slowest = pace;
  }
  std::int64_t steps = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    steps = std::min({steps, ranks_[i]->steps_alike(batches_[i]), slowest.steps_ahead_of(paces_[i])});
  }
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    ranks_[i]->start_leap(start, batches_[i], paces_[i], slowest, steps);
    steps = std::min(steps, ranks_[i]->leap_.steps());  // held KV and turns have cut it
  }
  for (Replica* rank : ranks_) rank->leap_.cut(steps);
  ranks_.front()->schedule_end();
}

void Lockstep::cut_leap() {
  for (Replica* rank : ranks_) rank->settle();
  bool cut = false;
  for (Replica* rank : ranks_) cut = rank->cut_after_step_in_flight() || cut;
  if (cut) ranks_.front()->reschedule_end();
}

void Lockstep::end_leap() {
  for (Replica* rank : ranks_) rank->ending_ = true;  // whoever hears of an end may submit the next call at once
  FineTime end;
  for (Replica* rank : ranks_) end = rank->end_leap();
  for (Replica* rank : ranks_) rank->ending_ = false;
  begin_step(end);
}

}  // namespace tokenyard::platforms
