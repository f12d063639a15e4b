#include "traces/readers/trace_reader.hpp"

#include <cmath>
#include <fmt/format.h>

#include "sim/input/text.hpp"
#include "traces/readers/format_table.hpp"
#include "traces/readers/formats.hpp"

namespace tokenyard::traces {
namespace {

using Opener = std::unique_ptr<agents::RequestSource> (*)(const std::string& path, const TraceOptions& options);

const FormatTable<Opener>& table() {
  static const FormatTable<Opener> kTable({
      {{"azure", "Azure LLM inference traces (CSV: TIMESTAMP,ContextTokens,GeneratedTokens)"}, make_azure_reader},
      {{"bailian", "Qwen-Bailian (JSON lines with hash_ids of 16 tokens, dates in seconds)"}, make_bailian_reader},
      {{"burstgpt", "BurstGPT (CSV: Timestamp,…,Request tokens,Response tokens,…)"}, make_burstgpt_reader},
      {{"mooncake", "Mooncake (JSON lines with hash_ids of 512 tokens)"}, make_mooncake_reader},
      {{"requests", "CSV: arrival_s,prompt_tokens,output_tokens, or other names by --map"}, make_requests_reader},
      {{"servegen", "ServeGen (a folder of client pools, from which requests are drawn by the seed)"},
       make_servegen_reader},
  });
  return kTable;
}

}  // namespace

const std::vector<TraceFormat>& trace_formats() { return table().formats(); }

ColumnMap parse_column_map(std::string_view text, sim::Faults& faults) {
  ColumnMap map;
  for (const std::string_view item : sim::comma_separated(text)) {
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == item.size()) {
      faults.add("", "--map", fmt::format("\"{}\"", item), "column=name, as in arrival_s=ts,prompt_tokens=in");
    } else {
      map.emplace_back(item.substr(0, equals), item.substr(equals + 1));
    }
  }
  return map;
}

std::unique_ptr<agents::RequestSource> open_trace(const std::string& path, const std::string& format,
                                                  const TraceOptions& options) {
  if (!(options.speed > 0) || !std::isfinite(options.speed)) {
    throw sim::InputError({"", "--speed", fmt::format("{}", options.speed), "a number above 0"});
  }
  return table().opener(format)(path, options);
}

TraceSummary check_trace(const std::string& path, const std::string& format, sim::Faults& faults,
                         const TraceOptions& options) {
  TraceSummary summary;
  try {
    const std::unique_ptr<agents::RequestSource> trace = open_trace(path, format, options);
    agents::RecordedRequest request;
    while (trace->next(request)) {
      ++summary.requests;
      summary.prompt_tokens += platforms::tokens_of(request.prompt);
      summary.output_tokens += request.output_tokens;
      summary.last_arrival = request.arrival;
    }
  } catch (const sim::InputError& error) {
    faults.add(error.faults());
  }
  return summary;
}

}  // namespace tokenyard::traces
