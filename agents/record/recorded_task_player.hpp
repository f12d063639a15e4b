#pragma once
/// Plays recorded tasks: every step begins when what it waited for is done; calls take what the fleet takes.
///
/// When tasks come: recorded_arrivals.hpp. Tools, people and waits take their recorded time, but no longer than
/// `longest_wait`.
///
/// Causes: a step remembers how the task's time was spent up to its beginning, along the dependency that released it
/// last (of several at one instant, the one met last, as in task_player.hpp). So a task's causes follow the critical
/// path back from the step that ended last, and sum to its duration exactly. Time before `not_before` is `other`,
/// unless a call says what it was.
///
/// A call that is rejected or fails ends its task: nothing further begins, and the task ends when what runs has ended.
///
/// Cost: O(log steps that can begin) a step; memory for the tasks in flight.
///
///   RecordedTaskPlayer player(simulation, fleet, source, {.closed_loop = ClosedLoop{16}}, pools, seed);
///   player.start();   // then simulation.run()

#include <functional>
#include <optional>
#include <vector>

#include "agents/record/recorded_arrivals.hpp"
#include "agents/record/recorded_task.hpp"
#include "agents/work/workload.hpp"
#include "platforms/serving/front_door.hpp"
#include "sim/core/simulation.hpp"
#include "sim/core/slab.hpp"

namespace tokenyard::agents {

class RecordedTaskPlayer final : public Workload, private sim::EventHandler, private platforms::CallListener {
 public:
  /// `pools`: by recorded model; kDropped (model_pools.hpp): its calls are played as waits.
  RecordedTaskPlayer(sim::Simulation& simulation, platforms::FrontDoor& door, RecordedTaskSource& source,
                     const ReplayPlan& plan, std::vector<std::uint32_t> pools, std::uint64_t seed);

  void start() override { arrivals_.start(); }
  bool arrivals_over() const override { return arrivals_.over(); }
  std::uint64_t tasks_in_flight() const override { return plays_.in_use(); }
  void finish_unfinished() override;
  void set_on_last(const std::function<void()>& on_last) override { arrivals_.set_on_last(on_last); }
  /// Also calls of models without a pool, and tasks outside the plan's [from, to).
  std::vector<std::string> left_out() const override;

 private:
  enum class State : std::uint8_t { kBlocked, kDelayed, kRunning, kDone };
  struct Progress {
    State state = State::kBlocked;
    std::uint32_t open_dependencies = 0;
    sim::Time begin;  ///< when it may begin, as far as known; then when it began
    sim::Time served;
    sim::Time path_served;         ///< of the calls on the longest path to it and, once it is done, its own
    platforms::CauseTimes causes;  ///< of the task up to `begin`
    platforms::Cause waiting_for = platforms::Cause::kOther;
  };
  struct Dependent {
    std::uint32_t step, dependency;
  };
  struct Play {
    RecordedTask task;
    std::vector<Progress> progress;              ///< by step
    std::vector<std::uint32_t> first_dependent;  ///< by step, and one more; into `dependents`
    std::vector<Dependent> dependents;
    std::vector<std::uint32_t> can_begin;  ///< a min-heap of steps
    std::uint32_t user = kNoUser;
    std::uint32_t steps_left = 0, busy = 0;  ///< not done; delayed or running
    bool advancing = false, live = false;
    std::optional<TaskStatus> aborted;
    TaskRecord record;           ///< its calls, and from the beginning on number, agent and arrival
    platforms::CauseTimes path;  ///< up to `path_end`, where a step ended last
    sim::Time path_end;
    sim::Entity events;
  };

  void on_event(sim::Time now, std::uint64_t argument) override;
  void on_call_end(const platforms::CallRecord& record, std::uint64_t cookie) override;

  void begin_task(RecordedTask& task, std::uint32_t user);
  /// Every step is blocked by its dependencies, and knows what waits for it.
  static void link_steps(Play& play);
  void end_task(std::uint32_t play);

  void meet(std::uint32_t play, std::uint32_t step, Trigger trigger);
  void release(std::uint32_t play, std::uint32_t step);
  void advance(std::uint32_t play);
  void begin_step(std::uint32_t play, std::uint32_t step);
  /// A running step's time from its beginning to now, in `causes`.
  void account(const Play& play, std::uint32_t step, platforms::CauseTimes& causes) const;
  static std::uint32_t next_node(const Play& play, std::uint32_t step);
  void end_step(std::uint32_t play, std::uint32_t step, const platforms::CauseTimes& causes,
                std::optional<std::uint64_t> call = {});
  void report_node(const Play& play, std::uint32_t step, std::optional<std::uint64_t> call);
  void wake(std::uint32_t play, std::uint32_t step, sim::Time date);

  sim::Simulation& simulation_;
  platforms::FrontDoor& door_;
  RecordedTaskSource& source_;
  const ReplayPlan plan_;
  RecordedArrivals arrivals_;
  std::vector<std::uint32_t> pools_;
  sim::Slab<Play> plays_;
  std::uint64_t begun_ = 0, dropped_calls_ = 0;
};

}  // namespace tokenyard::agents
