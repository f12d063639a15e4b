#pragma once
/// The tables of a result folder (README.md): calls.csv, tasks.csv and series.csv. Scripts rely on the columns' names.
///
/// Invariants: times are printed from whole nanoseconds with nine decimals; a value that does not exist (a stage never
/// reached, the TPOT of one token, a power the catalogue lacks) is an empty field, never 0 or NaN. TPOT is rounded to
/// the nearest nanosecond. Names are quoted where CSV needs it; a record whose number has no name prints the number.
/// Cost: about 0.3 µs a call, 0.4 µs a task.
///
///   CallsTable calls(directory / "calls.csv", names);   // copies the names
///   fleet.add_observer(calls);
///   …
///   calls.commit();                                     // without it, no file

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/work/observer.hpp"
#include "platforms/serving/observer.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::traces {

/// What the numbers of the records stand for.
struct Names {
  std::vector<std::string> agents;
  std::vector<std::vector<std::string>> nodes;  ///< by agent
  std::vector<std::string> pools;
  std::vector<std::string> models;  ///< by pool
};

class CallsTable final : public platforms::ServingObserver {
 public:
  CallsTable(const std::filesystem::path& path, const Names& names);
  void on_call(const platforms::CallRecord& record) override;
  void commit() { file_.commit(); }

 private:
  OutputFile file_;
  Names names_;  ///< quoted
};

class TasksTable final : public agents::TaskObserver {
 public:
  TasksTable(const std::filesystem::path& path, const Names& names);
  void on_task(const agents::TaskRecord& record) override;
  void commit() { file_.commit(); }

 private:
  OutputFile file_;
  Names names_;  ///< quoted
};

/// A pool over the interval that ends at `time`. NaN and infinity are empty fields.
struct SeriesRow {
  sim::Time time;
  std::uint32_t pool = 0;
  std::int64_t running = 0, waiting = 0;
  double kv_utilization = 0, busy = 0, batch_tokens_per_s = 0, output_tokens_per_s = 0;
  std::optional<double> power_w;
};

inline constexpr std::string_view kSeriesHeader =
    "time_s,pool,running,waiting,kv_utilization,busy,batch_tokens_per_s,output_tokens_per_s,power_w";

class SeriesTable {
 public:
  SeriesTable(const std::filesystem::path& path, const Names& names);
  void add(const SeriesRow& row);
  void commit() { file_.commit(); }

 private:
  OutputFile file_;
  Names names_;  ///< quoted
};

}  // namespace tokenyard::traces
