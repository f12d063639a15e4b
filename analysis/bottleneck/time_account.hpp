#pragma once
/// Where the time of tasks goes: by band of durations, by step of the agents, by pool.
///
/// A task is the graph of its steps that TaskRecorder makes: every call and every visit of a tool or person, each with
/// what it waited for. Its *critical path* leads back from the step that ended last, over the last to end of those that
/// each waited for, to the arrival: the durations on it, and the waits between them, sum to the task's. The *slack* of
/// a step is how much longer it could have taken without delaying the task, all others taking what they took: its
/// latest end by the critical path method less its end (Kelley and Walker, 1959). A slower step that also slows others,
/// because they share a pool or a team, is what paired runs show (what_if.hpp).
///
/// Of the tasks that arrived after the warm-up and completed. Cost: a few microseconds a step; memory for the tasks in
/// flight.
///
///   TimeAccount account;
///   options.watch = account.watcher(warmup);   // of simulate()

#include <memory>
#include <string>

#include "analysis/bottleneck/task_bands.hpp"
#include "analysis/run/simulate.hpp"
#include "sim/statistics/quantile_sketch.hpp"
#include "traces/writers/task_recorder.hpp"

namespace tokenyard::analysis {

class TimeAccount {
 public:
  struct Step {
    agents::StepKind kind = agents::StepKind::kCall;
    std::uint64_t visits = 0;
    sim::Time time;
    sim::QuantileSketch slack;  ///< of the visits that had some
    // On critical paths.
    std::uint64_t critical = 0;    ///< visits
    platforms::CauseTimes causes;  ///< of them, and of what each waited for beyond the step before
  };
  struct Agent {
    TaskBands tasks;
    std::map<std::string, Step> steps;
  };

  /// Watches a simulation; must outlive it. One at a time.
  std::function<void(platforms::Fleet&, agents::Workload&, const traces::Names&)> watcher(sim::Time warmup);
  void add(const traces::RanTask& ran, const agents::RecordedNames& names);
  void merge(const TimeAccount& other);

  const std::map<std::string, Agent>& agents() const { return agents_; }
  TaskBands all() const;
  /// Time on critical paths in calls of each pool.
  const std::map<std::string, platforms::CauseTimes>& pools() const { return pools_; }
  /// {"bands": […], "agents": {…}, "steps": […], "pools": {…}}, as analysis/schemas/bottleneck.json says.
  sim::Json json() const;

 private:
  std::map<std::string, Agent> agents_;
  std::map<std::string, platforms::CauseTimes> pools_;
  std::unique_ptr<traces::TaskRecorder> recorder_;
};

/// The bands that are shown: around the median, and the slowest.
struct NamedBand {
  const char* name;
  double from, to;
};
inline constexpr NamedBand kTaskBands[] = {{"median", 0.45, 0.55}, {"slowest", 0.98, 1}};

}  // namespace tokenyard::analysis
