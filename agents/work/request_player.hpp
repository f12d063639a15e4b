#pragma once
/// Plays requests, recorded or generated, as tasks of one call each.
///
/// The next request is pulled when the one before arrives, so a trace of any length needs the memory of what is in flight.
/// Prompts live in recycled slots until their call ends.
///
///   RequestPlayer player(simulation, front_door, source, {.pool = 0});
///   player.start();   // then simulation.run()

#include <deque>
#include <vector>

#include "agents/work/observer.hpp"
#include "agents/work/request_source.hpp"
#include "platforms/serving/front_door.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::agents {

class RequestPlayer final : private sim::EventHandler, private platforms::CallListener {
 public:
  RequestPlayer(sim::Simulation& simulation, platforms::FrontDoor& door, RequestSource& source, std::uint32_t pool);

  void add_observer(TaskObserver& observer) { observers_.push_back(&observer); }
  /// Schedules the first arrival.
  void start();
  std::uint64_t tasks() const { return tasks_; }
  /// No arrival is to come.
  bool exhausted() const { return exhausted_; }
  sim::Time last_arrival() const { return last_arrival_; }

 private:
  struct Slot {
    RecordedRequest request;
  };
  void on_event(sim::Time now, std::uint64_t argument) override;
  void on_call_end(const platforms::CallRecord& record, std::uint64_t cookie) override;
  void pull();

  sim::Simulation& simulation_;
  platforms::FrontDoor& door_;
  RequestSource& source_;
  std::uint32_t pool_;
  std::deque<Slot> slots_;
  std::vector<std::uint32_t> spare_;
  std::uint32_t next_ = 0;
  sim::Entity entity_;
  std::uint64_t tasks_ = 0;
  sim::Time last_arrival_;
  bool exhausted_ = false;
  std::vector<TaskObserver*> observers_;
};

}  // namespace tokenyard::agents
