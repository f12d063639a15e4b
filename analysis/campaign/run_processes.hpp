#pragma once
/// A process for each run, forked from this one: a crash, a time-out or too much memory is a result, never the end.
///
/// The caller must have no thread and no SimGrid engine. A child does `work`, sends its result through a pipe and ends
/// with `_exit`; what it prints is kept for the message of a crash. It dies with its parent. The time limit is the
/// parent's clock (and CPU time, should the parent hang); memory counts the child's own data (RLIMIT_DATA). Cost: 1.5
/// ms per run over the work itself, its record in SQLite included (tests/bench/campaign.sh).
///
///   RunProcesses processes(jobs, limits, [&](RunId run) { return run_once(…); });
///   processes.start(run);
///   while (auto finished = processes.wait(200)) record(finished->run, finished->result);

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/campaign/run_once.hpp"

namespace tokenyard::analysis {

class RunProcesses {
 public:
  struct Finished {
    RunId run;
    RunOutcome result;
  };

  RunProcesses(std::size_t slots, const RunLimits& limits, std::function<RunOutcome(RunId)> work);
  /// Kills what still runs.
  ~RunProcesses();
  RunProcesses(const RunProcesses&) = delete;
  RunProcesses& operator=(const RunProcesses&) = delete;

  std::size_t running() const { return children_.size(); }
  bool full() const { return children_.size() >= slots_; }
  /// Not when full. Throws std::system_error if no process can be made.
  void start(RunId run);
  /// A finished run; nothing after `timeout_ms` without one (or when a signal came).
  std::optional<Finished> wait(int timeout_ms);
  /// Kills and reaps every child; their runs are as if they had never started.
  void kill_all();
  /// Closed in every child, as it is the parent's alone (a lock, a message queue).
  void close_in_children(int descriptor) { not_for_children_.push_back(descriptor); }

 private:
  struct Child {
    RunId run;
    int pid = -1, pipe = -1, printed = -1;
    std::chrono::steady_clock::time_point started;
    bool timed_out = false;
    std::string text;
  };

  [[noreturn]] void be_child(RunId run, int pipe, int printed, int parent);
  void enforce_time_limit();
  Finished reap(std::size_t index);

  std::size_t slots_;
  RunLimits limits_;
  std::function<RunOutcome(RunId)> work_;
  std::vector<Child> children_;
  std::vector<int> not_for_children_;
};

}  // namespace tokenyard::analysis
