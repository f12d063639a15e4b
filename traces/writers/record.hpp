#pragma once
/// The replayable record, `record.jsonl`: a line a task, exact to the nanosecond (readers/record.cpp says what is in
/// it).
///
/// Replayed on the scenario and seed it was recorded from, with `--format record`, it gives the same calls.csv, bit for
/// bit. On another cluster the same work is done there: calls wait for what they waited for, tools and people take
/// their recorded time.
///
///   RecordFile record(directory / "record.jsonl");
///   TaskRecorder recorder(names, [&](const RanTask& ran, const auto& names) { record.add(ran.task, names); });
///   …
///   record.commit();

#include "agents/record/recorded_task.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::traces {

class RecordFile {
 public:
  explicit RecordFile(const std::filesystem::path& path) : file_(path) {}
  void add(const agents::RecordedTask& task, const agents::RecordedNames& names);
  void commit() { file_.commit(); }

 private:
  OutputFile file_;
  std::uint64_t tasks_ = 0;
};

}  // namespace tokenyard::traces
