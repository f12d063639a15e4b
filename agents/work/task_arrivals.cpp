#include "agents/work/task_arrivals.hpp"

#include "sim/random/scatter.hpp"

namespace tokenyard::agents {

using sim::scatter;
using sim::Stream;
using sim::StreamName;
using sim::Time;

void TaskArrivals::add(const Loop& loop) {
  Entry entry;
  entry.loop = loop;
  entry.identity = StreamName(loop.name).hash();
  entry.events.id = entries_.size();
  if (loop.closed) {
    entry.begun_by_user.assign(static_cast<std::size_t>(loop.closed->users), 0);
  } else {
    entry.process.emplace(seed_, loop.name, loop.open, end_);
  }
  entries_.push_back(std::move(entry));
}

void TaskArrivals::start() {
  for (std::uint32_t e = 0; e < entries_.size(); ++e) {
    const Entry& entry = entries_[e];
    if (!entry.loop.closed) {
      schedule_next(e);
      continue;
    }
    for (std::uint32_t user = 0; user < entry.begun_by_user.size(); ++user) {
      Stream ramp(seed_, StreamName(entry.loop.name + "/ramp"), user);
      schedule(e, user, Time::seconds(ramp.uniform() * entry.loop.closed->ramp_s));
    }
  }
}

void TaskArrivals::schedule_next(std::uint32_t e) {
  Entry& entry = entries_[e];
  if (entry.begun < entry.loop.max_tasks) schedule(e, kNoUser, entry.process->next());
}

void TaskArrivals::schedule(std::uint32_t e, std::uint32_t user, Time date) {
  Entry& entry = entries_[e];
  if (date >= end_ || entry.begun >= entry.loop.max_tasks) return;
  ++pending_;
  simulation_.schedule(date, sim::Priority::kArrival, entry.events, *this, std::uint64_t{e} << 32 | user);
}

void TaskArrivals::on_event(Time, std::uint64_t argument) {
  const auto e = static_cast<std::uint32_t>(argument >> 32), user = static_cast<std::uint32_t>(argument);
  Entry& entry = entries_[e];
  --pending_;
  const std::uint64_t ordinal = entry.begun++;
  if (user != kNoUser) return begin_(e, scatter(scatter(entry.identity + user) + entry.begun_by_user[user]++), user);
  schedule_next(e);
  begin_(e, scatter(entry.identity + ordinal), kNoUser);
}

void TaskArrivals::on_task_end(std::uint32_t e, std::uint32_t user) {
  if (user == kNoUser) return;
  const Entry& entry = entries_[e];
  Stream think(seed_, StreamName(entry.loop.name + "/think"), scatter(entry.identity + user),
               entry.begun_by_user[user]);
  schedule(e, user, simulation_.now() + entry.loop.closed->think_s.sample_time(think));
}

}  // namespace tokenyard::agents
