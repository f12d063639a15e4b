#pragma once
/// Traces of agents: recorded tasks in public formats.
///
/// - `agentic-mooncake`: JSON lines, one LLM call a row, with what it waited for (NVIDIA Dynamo): plain rows with
///   `wait_for`, and typed ones, version 2, behind a header line (agentic_mooncake.cpp).
/// - `mooncake-sessions`: Mooncake rows with `session_id`; a turn begins `delay` (else the difference of the
///   timestamps) after the end of the one before.
/// - `weka`: agentic sessions of kv-cache-tester, one JSON object a line or a file, with sub-agents (weka.cpp).
/// - `otlp`, `jaeger`: OpenTelemetry spans of agents in all dialects of the GenAI conventions (spans/span_import.hpp).
/// - `wfformat`: WfCommons workflows, version 1.5: tasks of recorded run time (wfformat.cpp).
/// - `record`: what `--write record` wrote (record.cpp).
///
/// A file is looked through when it is opened: names are then known, and all faults (up to 20) found, each with file
/// and line or JSON pointer. Unknown keys are passed over, but for those of `record`, and for one that looks like a key
/// that its object lacks ("waitfor"): mistyped, an optional one would be missed unnoticed. With `skip_faulty` what is
/// faulty is left out and counted. `weka` and `record` are then read again task by task; of the others, whose rows come
/// in any order, a compact form is held (about 100 bytes a call).
///
///   auto source = open_tasks("sessions.jsonl", "weka");
///   agents::RecordedTask task;
///   while (source->next(task)) …

#include <memory>
#include <string>

#include "agents/record/recorded_task.hpp"
#include "traces/readers/trace_reader.hpp"

namespace tokenyard::traces {

struct TaskOptions {
  bool skip_faulty = false;
  /// Tokens of a hash id, where the file does not say: Mooncake's 512.
  platforms::Tokens block_tokens = 512;
};

/// The formats of tasks that can be read.
const std::vector<TraceFormat>& task_formats();
/// Those of requests (trace_reader.hpp), then those of tasks.
std::vector<TraceFormat> all_formats();
/// Throws sim::InputError with all names if the format is none of them.
bool holds_tasks(const std::string& format);

/// Throws sim::InputError if the format is unknown, the file cannot be read, or has faults.
std::unique_ptr<agents::RecordedTaskSource> open_tasks(const std::string& path, const std::string& format,
                                                       const TaskOptions& options = {});
/// Reads all of a trace; its faults join `faults`, and the summary is then empty.
TraceSummary check_tasks(const std::string& path, const std::string& format, sim::Faults& faults,
                         const TaskOptions& options = {});

}  // namespace tokenyard::traces
