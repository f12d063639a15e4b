#include "sim/core/simulation.hpp"

#include <fmt/format.h>

#include "sim/core/error.hpp"

namespace tokenyard::sim {
namespace {
constexpr std::uint64_t kEventsPerPulse = 4096;
}

EventHandle Simulation::schedule(Time date, Priority priority, Entity& entity, EventHandler& handler,
                                 std::uint64_t argument) {
  if (date < now_) {
    throw InternalError(
        fmt::format("event of entity {} scheduled at {} ns, before now = {} ns", entity.id, date.ns(), now_.ns()));
  }
  return queue_.schedule(date, priority, entity, handler, argument);
}

bool Simulation::step() {
  if (next_date() == Time::never()) return false;
  const EventQueue::Due due = queue_.pop();
  now_ = due.date;
  order_ = due.order;
  ++events_run_;
  due.handler->on_event(now_, due.argument);
  if (pulse_ && events_run_ % kEventsPerPulse == 0 && !pulse_(now_)) stop();
  return true;
}

}  // namespace tokenyard::sim
