#include "traces/writers/tables.hpp"

#include <fmt/compile.h>

namespace tokenyard::traces {
namespace {

using platforms::CallRecord;
using sim::Time;

/// "12.000000345"; empty for a time that never came.
struct Seconds {
  Time time;
};

/// One quoted field if it needs quotes.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace
}  // namespace tokenyard::traces

template <>
struct fmt::formatter<tokenyard::traces::Seconds> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <typename Context>
  auto format(const tokenyard::traces::Seconds& s, Context& context) const {
    if (s.time == tokenyard::sim::Time::never()) return context.out();
    return fmt::format_to(context.out(), FMT_COMPILE("{}.{:09}"), s.time.ns() / 1'000'000'000, s.time.ns() % 1'000'000'000);
  }
};

namespace tokenyard::traces {

CallsTable::CallsTable(const std::filesystem::path& path, const Names& names) : file_(path), names_(names) {
  fmt::format_to(file_.out(), "call_id,task_id,agent,node,pool,replica,model,arrival_s,scheduled_s,first_token_s,finish_s,prompt_tokens,"
                              "cached_tokens,output_tokens,ttft_s,tpot_s,e2e_s,preemptions,status\n");
}

void CallsTable::on_call(const CallRecord& r) {
  const bool completed = r.status == platforms::CallStatus::kCompleted;
  const bool has_token = r.first_token != CallRecord::kNoTime;
  const Time never = Time::never();
  const Time ttft = has_token ? r.first_token - r.arrival : never;
  const Time tpot = completed && r.output_tokens > 1 ? Time::nanoseconds((r.finish - r.first_token).ns() / (r.output_tokens - 1)) : never;
  fmt::format_to(file_.out(), FMT_COMPILE("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n"), r.call, r.task, field(names_.agents[r.agent]),
                 field(names_.nodes[r.agent][r.node]), field(names_.pools[r.pool]), r.replica, field(names_.models[r.pool]), Seconds{r.arrival},
                 Seconds{r.scheduled}, Seconds{r.first_token}, Seconds{completed ? r.finish : never}, r.prompt_tokens, r.cached_tokens, r.output_tokens,
                 Seconds{ttft}, Seconds{tpot}, Seconds{completed ? r.finish - r.arrival : never}, r.preemptions,
                 platforms::kCallStatusNames[static_cast<std::size_t>(r.status)]);
  file_.flush_if_full();
}

TasksTable::TasksTable(const std::filesystem::path& path, const Names& names) : file_(path), names_(names) {
  fmt::format_to(file_.out(), "task_id,agent,arrival_s,finish_s,duration_s,status,calls,tool_calls,prompt_tokens,cached_tokens,output_tokens");
  for (const std::string_view cause : platforms::kCauseNames) fmt::format_to(file_.out(), ",cause_{}_s", cause);
  fmt::format_to(file_.out(), "\n");
}

void TasksTable::on_task(const agents::TaskRecord& r) {
  fmt::format_to(file_.out(), FMT_COMPILE("{},{},{},{},{},{},{},{},{},{},{}"), r.task, field(names_.agents[r.agent]), Seconds{r.arrival}, Seconds{r.finish},
                 Seconds{r.finish - r.arrival}, agents::kTaskStatusNames[static_cast<std::size_t>(r.status)], r.calls, r.tool_calls,
                 r.prompt_tokens, r.cached_tokens, r.output_tokens);
  for (const Time t : r.causes.by_cause) fmt::format_to(file_.out(), FMT_COMPILE(",{}"), Seconds{t});
  fmt::format_to(file_.out(), "\n");
  file_.flush_if_full();
}

SeriesTable::SeriesTable(const std::filesystem::path& path, const Names& names) : file_(path), names_(names) {
  fmt::format_to(file_.out(), "time_s,pool,running,waiting,kv_utilization,busy,batch_tokens_per_s,output_tokens_per_s,power_w\n");
}

void SeriesTable::add(const SeriesRow& r) {
  fmt::format_to(file_.out(), "{},{},{},{},{:.6f},{:.6f},{:.3f},{:.3f},", Seconds{r.time}, field(names_.pools[r.pool]), r.running, r.waiting,
                 r.kv_utilization, r.busy, r.batch_tokens_per_s, r.output_tokens_per_s);
  if (r.power_w) fmt::format_to(file_.out(), "{:.3f}", *r.power_w);
  fmt::format_to(file_.out(), "\n");
  file_.flush_if_full();
}

}  // namespace tokenyard::traces
