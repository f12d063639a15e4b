#pragma once
/// One maker per format; `open_trace` (trace_reader.hpp) is the registry that others use.

#include "traces/readers/trace_reader.hpp"

namespace tokenyard::traces {

std::unique_ptr<agents::RequestSource> make_azure_reader(const std::string& path, const TraceOptions& options);
std::unique_ptr<agents::RequestSource> make_bailian_reader(const std::string& path, const TraceOptions& options);
std::unique_ptr<agents::RequestSource> make_burstgpt_reader(const std::string& path, const TraceOptions& options);
std::unique_ptr<agents::RequestSource> make_servegen_reader(const std::string& path, const TraceOptions& options);
std::unique_ptr<agents::RequestSource> make_requests_reader(const std::string& path, const TraceOptions& options);
std::unique_ptr<agents::RequestSource> make_mooncake_reader(const std::string& path, const TraceOptions& options);

}  // namespace tokenyard::traces
