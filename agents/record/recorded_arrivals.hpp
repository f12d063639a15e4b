#pragma once
/// When recorded tasks come: in an open loop as they did, `speed` times as fast; in a closed one by users, who play
/// them one after the other in the trace's order, each thinking between the end of one and the next.
///
/// The next task is read when the one before comes, so that only what is in flight is held.
///
///   RecordedArrivals arrivals(simulation, source, plan, seed, [this](RecordedTask& task, std::uint32_t user) { … });
///   arrivals.start();   // then simulation.run(), and on_task_end for each that ended

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>

#include "agents/record/recorded_task.hpp"
#include "agents/work/users.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::agents {

struct ReplayPlan {
  std::optional<ClosedLoop> closed_loop;
  double speed = 1;                         ///< arrivals and `not_before` are divided by it; finite and positive
  sim::Time from, to = sim::Time::never();  ///< only tasks that arrived in [from, to) of the trace; `from` becomes 0
  std::uint64_t max_tasks = std::numeric_limits<std::uint64_t>::max();
  sim::Time longest_wait = sim::Time::never();  ///< cuts every recorded tool, person, wait and delay

  sim::Time scaled(sim::Time date) const;
  sim::Time shortened(sim::Time wait) const { return std::min(wait, longest_wait); }
};

class RecordedArrivals final : private sim::EventHandler {
 public:
  /// A task comes now. What is left in `task`, which may be swapped for another, is overwritten by the next.
  using Begin = std::function<void(RecordedTask& task, std::uint32_t user)>;

  RecordedArrivals(sim::Simulation& simulation, RecordedTaskSource& source, const ReplayPlan& plan, std::uint64_t seed,
                   Begin begin)
      : simulation_(simulation), source_(source), plan_(plan), begin_(std::move(begin)) {
    if (plan.closed_loop) users_.emplace(*plan.closed_loop, seed, "replay");
  }

  /// Called once, when the last task comes (or at the start, if there is none).
  void set_on_last(std::function<void()> on_last) { on_last_ = std::move(on_last); }

  void start();
  /// `user`: who played it, or kNoUser.
  void on_task_end(std::uint32_t user);
  /// No more tasks come.
  void stop() { over_ = true; }
  bool over() const { return over_; }
  std::uint64_t outside() const { return outside_; }  ///< tasks, of [from, to)

 private:
  void on_event(sim::Time now, std::uint64_t user) override;
  /// The next task of the plan into `next_`; false if there is none.
  bool pull();
  /// The same, or the end of the arrivals.
  void fetch();
  void schedule_next();
  void schedule(std::uint32_t user, sim::Time date);

  sim::Simulation& simulation_;
  RecordedTaskSource& source_;
  const ReplayPlan& plan_;
  std::optional<Users> users_;  ///< of a closed loop
  Begin begin_;
  std::function<void()> on_last_;
  RecordedTask next_, arrived_;
  sim::Entity entity_;
  std::uint64_t pulled_ = 0, outside_ = 0;
  bool over_ = false;
};

}  // namespace tokenyard::agents
