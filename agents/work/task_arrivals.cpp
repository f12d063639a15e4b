#include "agents/work/task_arrivals.hpp"

#include "sim/random/scatter.hpp"

namespace tokenyard::agents {

using sim::scatter;
using sim::StreamName;
using sim::Time;

void TaskArrivals::add(const Loop& loop) {
  Entry entry;
  entry.identity = StreamName(loop.name).hash();
  entry.max_tasks = loop.max_tasks;
  entry.events.id = entries_.size();
  if (loop.closed) {
    entry.users.emplace(*loop.closed, seed_, loop.name);
  } else {
    entry.process.emplace(seed_, loop.name, loop.open, end_);
  }
  entries_.push_back(std::move(entry));
}

void TaskArrivals::start() {
  for (std::uint32_t e = 0; e < entries_.size(); ++e) {
    const std::optional<Users>& users = entries_[e].users;
    if (!users) {
      schedule_next(e);
      continue;
    }
    for (std::uint32_t user = 0; user < users->size(); ++user) schedule(e, user, users->first_date(user));
  }
}

void TaskArrivals::schedule_next(std::uint32_t e) {
  Entry& entry = entries_[e];
  if (entry.begun < entry.max_tasks) schedule(e, kNoUser, entry.process->next());
}

void TaskArrivals::schedule(std::uint32_t e, std::uint32_t user, Time date) {
  Entry& entry = entries_[e];
  if (date >= end_ || entry.begun >= entry.max_tasks) return;
  ++pending_;
  simulation_.schedule(date, sim::Priority::kArrival, entry.events, *this, std::uint64_t{e} << 32 | user);
}

void TaskArrivals::on_event(Time, std::uint64_t argument) {
  const auto e = static_cast<std::uint32_t>(argument >> 32), user = static_cast<std::uint32_t>(argument);
  Entry& entry = entries_[e];
  --pending_;
  const std::uint64_t ordinal = entry.begun++;
  if (user != kNoUser) return begin_(e, scatter(scatter(entry.identity + user) + entry.users->begin_task(user)), user);
  schedule_next(e);
  begin_(e, scatter(entry.identity + ordinal), kNoUser);
}

void TaskArrivals::on_task_end(std::uint32_t e, std::uint32_t user) {
  if (user == kNoUser) return;
  const Entry& entry = entries_[e];
  schedule(e, user, simulation_.now() + entry.users->think_time(user, scatter(entry.identity + user)));
}

}  // namespace tokenyard::agents
