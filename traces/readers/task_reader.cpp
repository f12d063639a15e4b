#include "traces/readers/task_reader.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "traces/readers/format_table.hpp"
#include "traces/readers/task_formats.hpp"
#include "traces/readers/token_count.hpp"

namespace tokenyard::traces {
namespace {

using Opener = std::unique_ptr<agents::RecordedTaskSource> (*)(const std::string& path, const TaskOptions& options);

const FormatTable<Opener>& table() {
  static const FormatTable<Opener> kTable({
      {{"agentic-mooncake", "agentic Mooncake (JSON lines: LLM calls with wait_for, or typed dependencies, version 2)"},
       open_agentic_mooncake},
      {{"jaeger", "OpenTelemetry spans of agents as Jaeger exports them (JSON)"}, open_jaeger},
      {{"mooncake-sessions", "Mooncake rows with session_id: turns one after the other"}, open_mooncake_sessions},
      {{"otlp", "OpenTelemetry spans of agents (OTLP/JSON lines; GenAI and OpenInference attributes)"}, open_otlp},
      {{"record", "a simulation's own record (--write record)"}, open_record},
      {{"weka", "agentic sessions of kv-cache-tester (Weka), with block hashes and sub-agents"}, open_weka},
      {{"wfformat", "WfCommons workflow, WfFormat 1.5 (tasks of recorded run time)"}, open_wfformat},
  });
  return kTable;
}

}  // namespace

const std::vector<TraceFormat>& task_formats() { return table().formats(); }

std::vector<TraceFormat> all_formats() {
  std::vector<TraceFormat> formats = trace_formats();
  formats.insert(formats.end(), task_formats().begin(), task_formats().end());
  return formats;
}

bool holds_tasks(const std::string& format) {
  std::vector<std::string> names;
  for (const TraceFormat& known : all_formats()) names.emplace_back(known.name);
  if (std::find(names.begin(), names.end(), format) != names.end()) return table().has(format);
  throw sim::InputError({"", "--format", '"' + format + '"',
                         fmt::format("one of {}{}", fmt::join(names, ", "), sim::did_you_mean(format, names))});
}

std::unique_ptr<agents::RecordedTaskSource> open_tasks(const std::string& path, const std::string& format,
                                                       const TaskOptions& options) {
  if (options.block_tokens < 1 || options.block_tokens > kMaxTokens) {
    throw sim::InputError({"", "--block-tokens", fmt::format("{}", options.block_tokens),
                           fmt::format("a whole number from 1 to {}", kMaxTokens)});
  }
  return table().opener(format)(path, options);
}

TraceSummary check_tasks(const std::string& path, const std::string& format, sim::Faults& faults,
                         const TaskOptions& options) {
  TraceSummary summary;
  try {
    const std::unique_ptr<agents::RecordedTaskSource> source = open_tasks(path, format, options);
    summary.agents = source->names().agents;
    agents::RecordedTask task;
    while (source->next(task)) {
      ++summary.tasks;
      for (const agents::RecordedStep& step : task.steps) {
        if (step.kind != agents::StepKind::kCall) continue;
        ++summary.requests;
        summary.prompt_tokens += task.prompt_tokens(step);
        summary.output_tokens += step.output_tokens;
      }
      summary.last_arrival = task.arrival;
    }
  } catch (const sim::InputError& error) {
    faults.add(error.faults());
  }
  return summary;
}

}  // namespace tokenyard::traces
