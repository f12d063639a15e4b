#pragma once
/// Request traces of public formats, one request after the other.
///
/// - `azure`: CSV `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure LLM inference traces of 2023 and 2024). Dates have
///   0 to 9 fractional digits and an optional zone; arrivals count from the first request.
/// - `bailian`: JSON lines of Qwen-Bailian, as Mooncake's but dates in seconds and 16 tokens an id; a last block that
///   is not full may lack its id. Turns of a chat are not chained: each request has its date.
/// - `burstgpt`: CSV `Timestamp,…,Request tokens,Response tokens,…` (BurstGPT, both generations). A row without
///   response tokens is a call that failed: left out and counted.
/// - `mooncake`: JSON lines `{"timestamp": ms, "input_length", "output_length", "hash_ids": […]}`. Each id is an
///   extent of 512 tokens, the last one holds the rest. Other keys are ignored.
/// - `requests`: CSV with the columns `arrival_s,prompt_tokens,output_tokens`, in any order and among others.
/// - `servegen`: a folder of ServeGen's client pools, from which requests are drawn (servegen.cpp).
///
/// Order: rows are sorted by date within a look-ahead of `TraceOptions::reorder_rows` rows (rows of one date keep the
/// file's order); a row that is later than that is refused. Requests therefore never go back in time.
///
/// Faults: a row that is malformed, too late, or whose token counts are not whole numbers from 1 to 10^9 is refused
/// with file and line. In strict mode (the default) up to 20 faults are collected, then `next` throws sim::InputError
/// with all of them; with `skip_faulty` such rows are left out and counted by reason. A file that cannot be read at all
/// (no such file, no text, a header without the columns, no request) is an error in both.
///
/// Files are read in blocks, unpacked if they are compressed (unpacked_file.hpp): memory is one block (1 MiB, or the
/// longest line up to 16 MiB) and the look-ahead, whatever the size of the file. Cost: some 0.12 µs a CSV row, 0.7 µs a
/// Mooncake row.
///
///   auto trace = open_trace("trace.csv", "azure", {.limit = 1000});
///   agents::RecordedRequest request;
///   while (trace->next(request)) …

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/record/request_source.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::traces {

struct TraceFormat {
  std::string_view name;
  std::string_view description;
};
/// The formats that can be read.
const std::vector<TraceFormat>& trace_formats();

/// Pairs of (our column, its name in the file): {"arrival_s", "ts"}.
using ColumnMap = std::vector<std::pair<std::string, std::string>>;
/// Reads "arrival_s=ts,prompt_tokens=in"; what is wrong becomes a fault of "--map".
ColumnMap parse_column_map(std::string_view text, sim::Faults& faults);

struct TraceOptions {
  double speed = 1;                 ///< arrivals are divided by it; finite and positive
  std::uint64_t limit = 0;          ///< only the first N good rows of the file are read; 0: all
  bool skip_faulty = false;         ///< leave faulty rows out and count them, instead of refusing the file
  ColumnMap columns = {};           ///< other names of a CSV file's columns
  std::uint64_t seed = 1;           ///< of a format from which requests are drawn
  std::size_t reorder_rows = 1024;  ///< look-ahead in which rows are sorted; 0 refuses every row that goes back in time
};

/// Throws sim::InputError if the format is unknown, an option is wrong or the file cannot be opened. What the source
/// leaves out is complete after its `next` returned false; its reasons are those of row_fault.hpp.
std::unique_ptr<agents::RequestSource> open_trace(const std::string& path, const std::string& format,
                                                  const TraceOptions& options = {});

/// What a whole trace holds.
struct TraceSummary {
  std::uint64_t tasks = 0;  ///< of a trace of agents
  std::uint64_t requests = 0;
  platforms::Tokens prompt_tokens = 0;
  platforms::Tokens output_tokens = 0;
  sim::Time last_arrival;
  std::vector<std::string> agents;  ///< of a trace of agents; what it holds no task of may be among them
};
/// Reads all of a trace; its faults (up to 20) join `faults`, and the summary then covers the rows before them.
TraceSummary check_trace(const std::string& path, const std::string& format, sim::Faults& faults,
                         const TraceOptions& options = {});

}  // namespace tokenyard::traces
