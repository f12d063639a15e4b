#pragma once
/// One opener per format of tasks; `open_tasks` (task_reader.hpp) is the registry that others use.

#include "traces/readers/task_reader.hpp"

namespace tokenyard::traces {

std::unique_ptr<agents::RecordedTaskSource> open_agentic_mooncake(const std::string& path, const TaskOptions& options);
std::unique_ptr<agents::RecordedTaskSource> open_jaeger(const std::string& path, const TaskOptions& options);
std::unique_ptr<agents::RecordedTaskSource> open_mooncake_sessions(const std::string& path, const TaskOptions& options);
std::unique_ptr<agents::RecordedTaskSource> open_otlp(const std::string& path, const TaskOptions& options);
std::unique_ptr<agents::RecordedTaskSource> open_record(const std::string& path, const TaskOptions& options);
std::unique_ptr<agents::RecordedTaskSource> open_weka(const std::string& path, const TaskOptions& options);
std::unique_ptr<agents::RecordedTaskSource> open_wfformat(const std::string& path, const TaskOptions& options);

}  // namespace tokenyard::traces
