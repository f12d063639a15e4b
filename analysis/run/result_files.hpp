#pragma once
/// The result folder: what is written to it while the simulation runs, and what at its end.
///
/// Every file is written under another name and gets its own at the commit (traces/writers/output_file.hpp). Throws
/// traces::OutputError where a file cannot be written.

#include <exception>
#include <filesystem>
#include <optional>

#include "analysis/run/sampler.hpp"
#include "analysis/run/simulate.hpp"
#include "traces/writers/otlp.hpp"
#include "traces/writers/perfetto_json.hpp"
#include "traces/writers/record.hpp"
#include "traces/writers/tables.hpp"
#include "traces/writers/task_recorder.hpp"

namespace tokenyard::analysis {

/// Makes a run's folder, if one is wanted; where the run is refused, a folder that it made and left empty goes again.
class RunFolder {
 public:
  explicit RunFolder(const std::filesystem::path& path);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

 private:
  const std::filesystem::path path_;
  bool made_ = false;
  int exceptions_ = std::uncaught_exceptions();
};

/// Those of `options.write`, as the fleet, the workload and the sampler report to them: to be kept to the end of the
/// run.
class ResultFiles {
 public:
  ResultFiles(const SimulateOptions& options, const traces::Names& names, sim::Time window_begin);
  ResultFiles(const ResultFiles&) = delete;
  ResultFiles& operator=(const ResultFiles&) = delete;

  void watch(platforms::Fleet& fleet, agents::Workload& workload, Sampler& sampler);
  /// Takes away what an earlier run left in the folder and this one neither reads nor writes: its tables would be of
  /// another run than its summary.
  void commit();

 private:
  std::vector<std::filesystem::path> stale_;  ///< an earlier run's, which this one does not write
  std::optional<traces::CallsTable> calls_;
  std::optional<traces::TasksTable> tasks_;
  std::optional<traces::SeriesTable> series_;
  std::optional<traces::PerfettoJson> timeline_;
  std::optional<traces::RecordFile> record_;
  std::optional<traces::OtlpFile> spans_;
  std::optional<traces::TaskRecorder> recorder_;
};

/// summary.json, and last manifest.json: it says that the folder is whole.
void write_summary(const Scenario& scenario, const SimulateOptions& options, const sim::Json& summary);

}  // namespace tokenyard::analysis
