#include "agents/record/recorded_arrivals.hpp"

#include <algorithm>

#include "sim/core/rounded.hpp"

namespace tokenyard::agents {

using sim::Time;

Time ReplayPlan::scaled(Time date) const {
  return speed == 1 ? date : Time::nanoseconds(sim::rounded(static_cast<double>(date.ns()) / speed));
}

void RecordedArrivals::start() {
  if (!users_) return schedule_next();
  fetch();
  for (std::uint32_t user = 0; user < users_->size(); ++user) schedule(user, users_->first_date(user));
}

bool RecordedArrivals::pull() {
  while (pulled_ < plan_.max_tasks && source_.next(next_)) {
    if (next_.arrival >= plan_.from && next_.arrival < plan_.to) {
      ++pulled_;
      return true;
    }
    ++outside_;
  }
  return false;
}

void RecordedArrivals::fetch() {
  if (pull()) return;
  over_ = true;
  if (on_last_) on_last_();
}

void RecordedArrivals::schedule_next() {
  fetch();
  if (over_) return;
  schedule(kNoUser, std::max(simulation_.now(), plan_.scaled(next_.arrival - plan_.from)));
}

void RecordedArrivals::schedule(std::uint32_t user, Time date) {
  simulation_.schedule(date, sim::Priority::kArrival, entity_, *this, user);
}

void RecordedArrivals::on_event(Time, std::uint64_t argument) {
  if (over_) return;
  const auto user = static_cast<std::uint32_t>(argument);
  std::swap(next_, arrived_);
  if (user == kNoUser) {
    schedule_next();
  } else {
    fetch();
    users_->begin_task(user);
  }
  begin_(arrived_, user);
}

void RecordedArrivals::on_task_end(std::uint32_t user) {
  if (user == kNoUser || over_) return;
  schedule(user, simulation_.now() + users_->think_time(user, user));
}

}  // namespace tokenyard::agents
