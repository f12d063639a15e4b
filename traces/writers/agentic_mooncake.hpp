#pragma once
/// Recorded tasks as agentic Mooncake, version 2: typed dependencies, which NVIDIA's DynoSim replays.
///
/// Only calls are rows: what stands between them (tools, people, waits) becomes `delay_ms` of the dependency, so a call
/// begins as late after the calls it followed as it did. Relations: `sequence` within a branch, `spawn` into one,
/// `join` out of one. Blocks of `block_tokens` are numbered by content within their task; the last block, if it is not
/// full, has a number of its own. Tasks without a call are left out and counted.
///
///   AgenticMooncakeFile file("out.jsonl", "weka");
///   while (source.next(task)) file.add(task, source.names());
///   file.commit();

#include <string>

#include "agents/record/recorded_task.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::traces {

class AgenticMooncakeFile {
 public:
  AgenticMooncakeFile(const std::filesystem::path& path, std::string_view source_format,
                      platforms::Tokens block_tokens = 16);
  void add(const agents::RecordedTask& task, const agents::RecordedNames& names);
  void commit() { file_.commit(); }
  std::uint64_t tasks_without_calls() const { return tasks_without_calls_; }

 private:
  OutputFile file_;
  platforms::Tokens block_tokens_;
  std::uint64_t tasks_ = 0, tasks_without_calls_ = 0;
};

}  // namespace tokenyard::traces
