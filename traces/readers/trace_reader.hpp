#pragma once
/// Request traces of public formats, one request after the other.
///
/// - `azure`: CSV `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure LLM inference traces); arrival from the first row.
/// - `mooncake`: JSON lines `{"timestamp": ms, "input_length", "output_length", "hash_ids": […]}`; each id is 512 tokens.
/// - `requests`: CSV with the columns `arrival_s,prompt_tokens,output_tokens`.
///
/// Files are read line by line: memory does not grow with them. A row that is malformed, out of order or not positive is
/// refused with file and line; up to 20 faults are collected before reading stops.
///
///   auto source = open_trace("trace.csv", "azure", {});
///   while (source->next(request)) …

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/work/request_source.hpp"

namespace tokenyard::traces {

struct TraceFormat {
  std::string_view name;
  std::string_view description;
};
/// The formats that can be read.
const std::vector<TraceFormat>& trace_formats();

struct TraceOptions {
  double speed = 1;           ///< arrivals are divided by it
  std::uint64_t limit = 0;    ///< requests; 0: all
};

/// Throws sim::InputError if the format is unknown or the file cannot be opened.
std::unique_ptr<agents::RequestSource> open_trace(const std::string& path, const std::string& format, const TraceOptions& options);

}  // namespace tokenyard::traces
