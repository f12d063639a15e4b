#pragma once
/// OpenTelemetry spans of simulated agents, `trace.otlp.jsonl`: OTLP/JSON, a line a task, with the attributes a real
/// agent would emit (GenAI conventions, version 1.41).
///
/// A task is a trace: `invoke_agent NAME` around everything; a span of its own, inside, for each branch and sub-agent;
/// `chat MODEL` for a call with its tokens (of its answer those made: 0 if it was rejected), cached tokens and time
/// to the first chunk, and with its pool as `tokenyard.pool`; `execute_tool NAME`. What has no convention (people,
/// waits) is an internal span with the attribute `tokenyard.step.kind`, and its cause. Dates count from 2026-01-01.
/// Reading it back (`--format otlp`) gives the same tasks, tokens and durations, and the call's pool for its model; a
/// call that made none asks for one.
///
///   OtlpFile spans(directory / "trace.otlp.jsonl", names);
///   TaskRecorder recorder(names, [&](const RanTask& ran, const auto& names) { spans.add(ran, names); });

#include <map>
#include <string>

#include "traces/writers/output_file.hpp"
#include "traces/writers/task_recorder.hpp"

namespace tokenyard::traces {

class OtlpFile {
 public:
  /// `names` tells the models of pools; a call of none of them is of the model that its task names.
  explicit OtlpFile(const std::filesystem::path& path, const Names& names = {});
  void add(const RanTask& ran, const agents::RecordedNames& names);
  void commit() { file_.commit(); }

 private:
  struct Branch {
    std::uint32_t number, parent;
    sim::Time begin, end;
  };
  void open_span(std::string_view parent, std::string_view id, std::string_view name, int kind, sim::Time begin,
                 sim::Time end);
  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::int64_t value);
  void close_span(bool failed);
  void add_step(const RanTask& ran, const agents::RecordedNames& names, std::size_t step);

  OutputFile file_;
  std::map<std::string, std::string> model_of_;  ///< by pool
  std::string trace_;
  bool first_span_ = true, first_attribute_ = true;
};

}  // namespace tokenyard::traces
