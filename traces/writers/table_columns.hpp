#pragma once
/// The columns of calls.csv and tasks.csv, for whoever writes the tables and whoever reads them again.
///
///   header_of(kCallColumns);   // "call_id,task_id,agent,…"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tokenyard::traces {

/// What a column says of its row.
enum class Says : std::uint8_t {
  kWhich,  ///< which it is, whose and when
  kHow     ///< how it went: a figure
};
struct Column {
  std::string_view name;
  Says says;
};

inline constexpr auto kCallColumns = std::to_array<Column>({{"call_id", Says::kWhich},
                                                            {"task_id", Says::kWhich},
                                                            {"agent", Says::kWhich},
                                                            {"node", Says::kWhich},
                                                            {"pool", Says::kWhich},
                                                            {"replica", Says::kWhich},
                                                            {"model", Says::kWhich},
                                                            {"arrival_s", Says::kWhich},
                                                            {"scheduled_s", Says::kWhich},
                                                            {"first_token_s", Says::kWhich},
                                                            {"finish_s", Says::kWhich},
                                                            {"prompt_tokens", Says::kHow},
                                                            {"cached_tokens", Says::kHow},
                                                            {"output_tokens", Says::kHow},
                                                            {"ttft_s", Says::kHow},
                                                            {"tpot_s", Says::kHow},
                                                            {"e2e_s", Says::kHow},
                                                            {"preemptions", Says::kHow},
                                                            {"status", Says::kWhich}});

/// Behind them stands one figure per cause: "cause_queue_s".
inline constexpr auto kTaskColumns = std::to_array<Column>({{"task_id", Says::kWhich},
                                                            {"agent", Says::kWhich},
                                                            {"arrival_s", Says::kWhich},
                                                            {"finish_s", Says::kWhich},
                                                            {"duration_s", Says::kHow},
                                                            {"status", Says::kWhich},
                                                            {"calls", Says::kHow},
                                                            {"tool_calls", Says::kHow},
                                                            {"prompt_tokens", Says::kHow},
                                                            {"cached_tokens", Says::kHow},
                                                            {"output_tokens", Says::kHow}});

inline std::string header_of(std::span<const Column> columns) {
  std::string header;
  for (const Column& column : columns) header.append(header.empty() ? "" : ",").append(column.name);
  return header;
}

}  // namespace tokenyard::traces
