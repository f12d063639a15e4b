#pragma once
/// When the tasks of a workload come: in open loops by an arrival process, in closed ones by users, of whom each thinks
/// between the end of one task and the next. No task comes at or after `end`.
///
/// What a task draws depends on what it is, which is told by its entry and its number there, or its user and the number
/// among that user's: not on the order in which the tasks of several entries come.
///
/// Cost: O(1) per task, and one event.

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "agents/work/arrivals.hpp"
#include "agents/work/users.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::agents {

class TaskArrivals final : private sim::EventHandler {
 public:
  /// What an entry of the workload says of it.
  struct Loop {
    std::string name;  ///< of the entry: names the streams
    ArrivalSpec open;  ///< used unless it is closed
    std::optional<ClosedLoop> closed;
    std::uint64_t max_tasks = std::numeric_limits<std::uint64_t>::max();
  };
  /// A task of entry `entry` comes now; `entity`: what it is.
  using Begin = std::function<void(std::uint32_t entry, std::uint64_t entity, std::uint32_t user)>;

  TaskArrivals(sim::Simulation& simulation, std::uint64_t seed, sim::Time end, Begin begin)
      : simulation_(simulation), seed_(seed), end_(end), begin_(std::move(begin)) {}

  /// Entries are numbered from 0.
  void add(const Loop& loop);
  /// After the last `add`.
  void start();
  /// A user's task has ended.
  void on_task_end(std::uint32_t entry, std::uint32_t user);
  /// None is scheduled.
  bool over() const { return pending_ == 0; }

 private:
  struct Entry {
    std::uint64_t identity = 0;  ///< of its name
    // One of the two.
    std::optional<ArrivalProcess> process;
    std::optional<Users> users;
    std::uint64_t begun = 0, max_tasks = 0;
    sim::Entity events;
  };

  void on_event(sim::Time now, std::uint64_t argument) override;
  void schedule(std::uint32_t entry, std::uint32_t user, sim::Time date);
  void schedule_next(std::uint32_t entry);

  sim::Simulation& simulation_;
  const std::uint64_t seed_;
  const sim::Time end_;
  Begin begin_;
  std::vector<Entry> entries_;
  std::uint64_t pending_ = 0;
};

}  // namespace tokenyard::agents
