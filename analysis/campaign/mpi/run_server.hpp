#pragma once
/// A process beside an MPI rank that forks a process for each run. It is made before MPI_Init, as a process that MPI
/// has started its threads and devices in must not fork; it ends with the rank.
///
///   RunServer server(limits, work);   // first thing in main
///   MPI_Init(…);
///   server.start(run);
///   while (!(result = server.poll(1))) …

#include "analysis/campaign/run_processes.hpp"

namespace tokenyard::analysis {

class RunServer {
 public:
  RunServer(const RunLimits& limits, const std::function<RunOutcome(RunId)>& work);
  /// The server ends with its run, if there is one.
  ~RunServer();
  RunServer(const RunServer&) = delete;
  RunServer& operator=(const RunServer&) = delete;

  bool busy() const { return busy_; }
  void start(RunId run);
  /// The result of the run that was started, or nothing after so many milliseconds; negative: however long it takes.
  std::optional<RunOutcome> poll(int timeout_ms);

 private:
  int socket_ = -1, pid_ = -1;
  bool busy_ = false;
};

}  // namespace tokenyard::analysis
