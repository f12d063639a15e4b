#pragma once
/// Whoever brings tasks into a simulation: a player of task graphs (task_player.hpp), of recorded requests
/// (record/recorded_request_player.hpp) or of recorded tasks (record/recorded_task_player.hpp).

#include <functional>
#include <string>
#include <vector>

#include "agents/work/observer.hpp"

namespace tokenyard::agents {

class Workload {
 public:
  virtual ~Workload() = default;

  /// Schedules the first arrivals.
  virtual void start() = 0;
  /// No arrival is scheduled any more. In a closed loop, the end of a task in flight may still bring one.
  virtual bool arrivals_over() const = 0;
  virtual std::uint64_t tasks_in_flight() const = 0;
  /// Ends every task still in flight as unfinished, now; after the fleet has ended its calls.
  virtual void finish_unfinished() = 0;

  /// Of recorded work: `on_last` is called once, when the last arrival has come (or at the start, if there is none).
  /// Where arrivals are generated, they end at a date that is known, and nothing is called.
  virtual void set_on_last(const std::function<void()>& /*on_last*/) {}
  /// What of a recording was not played, or not as it was recorded, in words; complete when all has arrived.
  virtual std::vector<std::string> left_out() const { return {}; }

  bool over() const { return arrivals_over() && tasks_in_flight() == 0; }
  void add_observer(TaskObserver& observer) { observers_.push_back(&observer); }

 protected:
  std::vector<TaskObserver*> observers_;
};

}  // namespace tokenyard::agents
