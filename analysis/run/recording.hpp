#pragma once
/// A recorded trace, opened for a scenario: requests or tasks, and how they are to be replayed.
///
///   Recording recording("sessions.jsonl", "weka", {.users = 16, .pools = "claude-*=main"}, scenario);
///   simulate(scenario, recording.replay(), options);

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/run/simulate.hpp"
#include "traces/readers/task_reader.hpp"

namespace tokenyard::analysis {

struct RecordingOptions {
  double speed = 1;           ///< arrivals are divided by it
  std::uint64_t limit = 0;    ///< only the first N requests or tasks; 0: all
  bool skip_faulty = false;   ///< leave what is faulty out and count it
  traces::ColumnMap columns;  ///< requests: other names of a CSV file's columns
  // tasks
  std::string pools;                  ///< rules of agents::ModelPools
  std::optional<std::int64_t> users;  ///< a closed loop: recorded arrivals do not matter
  double from_s = 0, to_s = std::numeric_limits<double>::infinity();  ///< the part of the trace that is played
  double longest_wait_s = std::numeric_limits<double>::infinity();    ///< cuts recorded tools, people and delays
  platforms::Tokens block_tokens = 512;                               ///< of a hash id, where the file does not say
};

class Recording {
 public:
  /// Throws sim::InputError with the faults of the trace and of the options.
  Recording(const std::string& path, const std::string& format, const RecordingOptions& options,
            const Scenario& scenario);

  const Replay& replay() const { return replay_; }

 private:
  std::unique_ptr<agents::RequestSource> requests_;
  std::unique_ptr<agents::RecordedTaskSource> tasks_;
  Replay replay_;
};

/// The agents of a trace, its path counting from the working folder; one of tasks is read to its end. Throws
/// sim::InputError with its faults.
std::vector<std::string> agents_of(const TraceWorkload& trace);

/// Simulates the scenario's own workload. A trace is opened anew, its path counting from the working folder.
sim::Json simulate_workload(const Scenario& scenario, const SimulateOptions& options);

}  // namespace tokenyard::analysis
