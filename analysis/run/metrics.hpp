#pragma once
/// Watches calls and tasks and keeps what the summary needs, as streams: nothing grows with the number of calls.
///
/// The window is [warm-up, end of arrivals). Latencies and attainment are of the calls and tasks that arrived in it;
/// rates count what ended in it. Counts and causes, and what an agent's tasks are made of, cover the whole run.

#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "agents/work/observer.hpp"
#include "analysis/scenario/scenario.hpp"
#include "platforms/serving/observer.hpp"
#include "sim/statistics/quantile_sketch.hpp"

namespace tokenyard::analysis {

/// How many calls, or tasks, ended in each way.
class StatusCounts {
 public:
  std::uint64_t& operator[](platforms::CallStatus status) { return counts_[static_cast<std::size_t>(status)]; }
  std::uint64_t operator[](platforms::CallStatus status) const { return counts_[static_cast<std::size_t>(status)]; }
  std::uint64_t total() const { return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}); }

 private:
  std::array<std::uint64_t, platforms::kCallStatusNames.size()> counts_{};
};

class Metrics final : public platforms::ServingObserver, public agents::TaskObserver {
 public:
  /// `limits`: of each agent.
  Metrics(std::vector<SloLimits> limits, sim::Time window_begin)
      : agents(limits.size()), limits_(std::move(limits)), begin_(window_begin) {}

  /// A trace's window ends with its last arrival, which is known when it comes.
  void close_window(sim::Time end) { end_ = end; }

  void on_call(const platforms::CallRecord& record) override;
  /// Throws sim::InternalError if the causes of the task do not sum to its duration.
  void on_task(const agents::TaskRecord& record) override;

  // The whole run.
  StatusCounts calls, tasks;
  std::int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  std::uint64_t media_calls = 0;  ///< of the calls
  std::int64_t media_steps = 0;
  platforms::CauseTimes causes;

  // Arrived in the window.
  sim::QuantileSketch queue;
  std::uint64_t arrived_calls = 0, good_calls = 0;  ///< good: within every limit of the service level on calls
  std::uint64_t arrived_tasks = 0, good_tasks = 0;
  struct Agent {
    std::uint64_t arrived = 0, good = 0;              ///< tasks, as all of them above
    std::uint64_t arrived_calls = 0, good_calls = 0;  ///< of them
    sim::QuantileSketch ttft, tpot, e2e;              ///< of them
    sim::QuantileSketch task;                         ///< arrived in the window and completed
    // The whole run.
    StatusCounts tasks;
    platforms::CauseTimes causes;
    // Of the completed tasks.
    std::uint64_t calls = 0, tool_calls = 0;
    std::int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  };
  std::vector<Agent> agents;
  /// What a level counts: the calls of agents whose calls are limited, and the tasks of those whose tasks are.
  struct Judged {
    std::uint64_t arrived = 0, good = 0;
  };
  Judged judged_calls() const { return judged(&SloLimits::on_calls, &Agent::arrived_calls, &Agent::good_calls); }
  Judged judged_tasks() const { return judged(&SloLimits::on_tasks, &Agent::arrived, &Agent::good); }
  /// Of all agents: `all(&Agent::task)`. Exactly what one sketch of all would be.
  sim::QuantileSketch all(sim::QuantileSketch Agent::*of) const;

  // Ended in the window.
  std::uint64_t completed_calls = 0, completed_good_calls = 0, completed_tasks = 0, completed_good_tasks = 0;
  std::uint64_t ended_tasks = 0;  ///< in whatever way
  std::int64_t completed_prompt_tokens = 0;

 private:
  bool in_window(sim::Time date) const { return date >= begin_ && date < end_; }
  Judged judged(bool (SloLimits::*limited)() const, std::uint64_t Agent::*arrived, std::uint64_t Agent::*good) const;

  const std::vector<SloLimits> limits_;
  sim::Time begin_, end_ = sim::Time::never();
};

}  // namespace tokenyard::analysis
