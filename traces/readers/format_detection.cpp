#include "traces/readers/format_detection.hpp"

#include <filesystem>
#include <fmt/format.h>

#include "sim/input/json.hpp"
#include "traces/readers/line_file.hpp"
#include "traces/readers/task_reader.hpp"

namespace tokenyard::traces {
namespace {

bool is_pipe_or_device(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_other(std::filesystem::status(path, error));
}

/// Rows of agents, too, hold all that a Mooncake request has: which of the formats is told by their own keys.
std::string mooncake_format(const std::string& path) {
  LineFile file(path);
  std::string_view line;
  file.next(line);
  const std::optional<sim::Json> row = sim::parse_json(line);
  if (!row || !row->is_object()) return "mooncake";
  for (const char* key : {"wait_for", "dependencies", "play_id", "request_id", "tool_wait_ms"}) {
    if (row->contains(key)) return "agentic-mooncake";
  }
  return row->contains("session_id") ? "mooncake-sessions" : "mooncake";
}

/// Whether its beginning can be read, and is text; if not, a fault says so.
bool is_text(const std::string& path, sim::Faults& faults) {
  try {
    std::string begin(std::size_t{1} << 20, '\0');
    UnpackedFile file(path);
    std::size_t size = 0;
    for (std::size_t got = 1; got > 0 && size < begin.size(); size += got)
      got = file.read(begin.data() + size, begin.size() - size);
    if (begin.find('\0') >= size) return true;
    faults.add(path, "", "bytes that are no text, or UTF-16", "text in UTF-8");
  } catch (const sim::InputError& error) {
    faults.add(error.faults());
  }
  return false;
}

}  // namespace

std::vector<std::string> fitting_formats(const std::string& path, const TraceOptions& options) {
  std::vector<std::string> fitting;
  if (is_pipe_or_device(path)) return fitting;
  TraceOptions first = options;
  first.skip_faulty = true;
  first.limit = 1;
  for (const auto* formats : {&trace_formats(), &task_formats()}) {
    for (const TraceFormat& format : *formats) {
      sim::Faults of_format;
      const std::string name(format.name);
      const TraceSummary summary = summarize(path, name, of_format, first);
      if (summary.requests + summary.tasks > 0) fitting.push_back(name);
    }
    if (!fitting.empty()) break;
  }
  return fitting;
}

std::string detect_format(const std::string& path, const TraceOptions& options, sim::Faults& faults) {
  // The one format of folders, right or wrong: its reader says better than "none fits" which file of it is amiss.
  if (std::error_code error; std::filesystem::is_directory(path, error)) return "servegen";
  const std::vector<std::string> fitting = fitting_formats(path, options);
  if (fitting.size() == 1) return fitting.front() == "mooncake" ? mooncake_format(path) : fitting.front();
  if (is_pipe_or_device(path)) {
    faults.add(path, "", "a pipe or device, whose format cannot be told", "a file, or --format to say which it is");
  } else if (!fitting.empty()) {
    faults.add(path, "", fmt::format("a trace that could be {}", fmt::join(fitting, " or ")),
               "--format, to say which it is");
  } else if (is_text(path, faults)) {
    std::vector<std::string_view> names;
    for (const TraceFormat& format : all_formats()) names.push_back(format.name);
    faults.add(path, "", "no request in any format",
               fmt::format("a .json file, or a trace whose --format is one of {}", fmt::join(names, ", ")));
  }
  return {};
}

TraceSummary summarize(const std::string& path, const std::string& format, sim::Faults& faults,
                       const TraceOptions& options) {
  if (holds_tasks(format)) return check_tasks(path, format, faults, {.skip_faulty = options.skip_faulty});
  return check_trace(path, format, faults, options);
}

}  // namespace tokenyard::traces
