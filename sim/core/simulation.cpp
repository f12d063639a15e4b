#include "sim/core/simulation.hpp"

#include <fmt/format.h>

#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::sim {
namespace {
constexpr std::uint64_t kEventsPerPulse = 4096;
/// More than all work that memory can hold would cause if it came at once.
constexpr std::uint64_t kMostEventsAtOnce = 16'000'000;
}  // namespace

EventHandle Simulation::schedule(Time date, Priority priority, Entity& entity, EventHandler& handler,
                                 std::uint64_t argument) {
  if (date < now_) {
    throw InternalError(
        fmt::format("event of entity {} scheduled at {} ns, before now = {} ns", entity.id, date.ns(), now_.ns()));
  }
  return queue_.schedule(date, priority, entity, handler, argument);
}

bool Simulation::step() {
  if (stopped_) return false;
  const auto due = queue_.pop();
  if (!due) return false;
  if (due->date > now_) {
    now_ = due->date;
    events_before_now_ = events_run_;
  } else if (events_run_ - events_before_now_ > kMostEventsAtOnce) {
    throw Infeasible(fmt::format(
        "Time stands still at {} s: {} events, and no end of them. Work that takes no time begins again and "
        "again; where a user or a loop of steps does that, give it a think time or a latency.",
        now_.seconds(), kMostEventsAtOnce));
  }
  order_ = due->order;
  ++events_run_;
  due->handler->on_event(now_, due->argument);
  if (pulse_ && events_run_ % kEventsPerPulse == 0 && !pulse_(now_)) stop();
  return true;
}

}  // namespace tokenyard::sim
