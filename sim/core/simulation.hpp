#pragma once
/// One simulation: its clock, its pending events and the loop that runs them.
///
/// No globals: any number may live in one process (the SimGrid network is the exception, see network/network.hpp). A
/// handler may schedule at `now()` or later, never in the past.
///
///   Simulation simulation;
///   simulation.schedule(Time::seconds(1), Priority::kWake, entity, handler);
///   simulation.run();

#include <cstdint>
#include <functional>

#include "sim/core/event_queue.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::sim {

class Simulation {
 public:
  Time now() const { return now_; }

  /// Throws InternalError for a date in the past: that is our bug, not the user's.
  EventHandle schedule(Time date, Priority priority, Entity& entity, EventHandler& handler, std::uint64_t argument = 0);
  void cancel(EventHandle& handle) { queue_.cancel(handle); }

  /// Would an event of this date and key have run by now, before the event that is running? Whoever leaps over events
  /// that it would have scheduled asks this, to be where stepping would have been.
  bool passed(Time date, Priority priority, const Entity& entity) const {
    return date < now_ || (date == now_ && EventQueue::order_of(priority, {entity.id, 0}) < order_);
  }

  /// Runs the earliest event; false when there is none or the run was stopped. Throws Infeasible when time stands
  /// still: millions of events at one instant.
  bool step();
  /// Runs to the end: no event left, or stopped.
  void run() {
    while (step()) {
    }
  }
  /// Ends the run after the current event.
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  Time next_date() { return stopped_ ? Time::never() : queue_.next_date(); }
  std::uint64_t events_run() const { return events_run_; }
  /// Whether what an event uses is better fetched in advance: EventQueue::crowded().
  bool crowded() const { return queue_.crowded(); }

  /// Called every few thousand events, for progress and interrupts; returning false stops the run.
  using Pulse = std::function<bool(Time now)>;
  void set_pulse(Pulse pulse) { pulse_ = std::move(pulse); }

 private:
  EventQueue queue_;
  Time now_;
  std::uint64_t order_ = 0;  ///< of the event that runs, or ran last
  std::uint64_t events_run_ = 0;
  std::uint64_t events_before_now_ = 0;  ///< run when `now_` was reached
  bool stopped_ = false;
  Pulse pulse_;
};

}  // namespace tokenyard::sim
