#pragma once
/// Which format a trace is in, told by reading it.
///
/// A format fits if one request, or one task, can be read in it; formats of tasks are tried where none of requests fits.
/// A folder is ServeGen's, whatever is wrong with it.
/// Cost: the file is opened once per format, and read up to its first good row; formats of tasks look through all of it.
///
///   const std::string format = detect_format("trace.csv", {}, faults);   // "azure"
///   if (!format.empty()) summarize("trace.csv", format, faults);

#include <string>
#include <vector>

#include "traces/readers/trace_reader.hpp"

namespace tokenyard::traces {

/// The names of all that fit. None fits a pipe or device, which cannot be read again and again.
std::vector<std::string> fitting_formats(const std::string& path, const TraceOptions& options);

/// The one that fits; empty, with a fault, if there is none or more than one.
std::string detect_format(const std::string& path, const TraceOptions& options, sim::Faults& faults);

/// Reads all of a trace, of requests or of tasks: `check_trace` or `check_tasks`.
TraceSummary summarize(const std::string& path, const std::string& format, sim::Faults& faults,
                       const TraceOptions& options = {});

}  // namespace tokenyard::traces
