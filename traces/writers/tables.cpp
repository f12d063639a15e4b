#include "traces/writers/tables.hpp"

#include <cmath>

#include "traces/writers/row_text.hpp"
#include "traces/writers/table_columns.hpp"

namespace tokenyard::traces {
namespace {

using platforms::CallRecord;
using sim::Time;

Names csv_names(Names names) {
  const auto quote_all = [](std::vector<std::string>& list) {
    for (std::string& name : list) name = csv_field(name);
  };
  quote_all(names.agents);
  for (std::vector<std::string>& nodes : names.nodes) quote_all(nodes);
  quote_all(names.pools);
  quote_all(names.models);
  return names;
}

void name(RowText& row, const std::vector<std::string>& names, std::uint32_t index) {
  if (index < names.size()) {
    row.text(names[index]);
  } else {
    row.integer(index);
  }
}

void number(fmt::memory_buffer& buffer, double value, int decimals) {
  if (std::isfinite(value)) fmt::format_to(fmt::appender(buffer), "{:.{}f}", value, decimals);
}

Time difference(Time later, Time earlier) {
  return later == Time::never() || earlier == Time::never() ? Time::never() : later - earlier;
}

}  // namespace

CallsTable::CallsTable(const std::filesystem::path& path, const Names& names) : file_(path), names_(csv_names(names)) {
  RowText(file_.buffer()).text(header_of(kCallColumns)).end();
}

void CallsTable::on_call(const CallRecord& r) {
  static const std::vector<std::string> kNoNames;
  const Time finish = r.status == platforms::CallStatus::kCompleted ? r.finish : Time::never();
  Time tpot = Time::never();
  if (finish != Time::never() && r.first_token != Time::never() && r.output_tokens > 1) {
    const std::int64_t gaps = r.output_tokens - 1;
    tpot = Time::nanoseconds(((r.finish - r.first_token).ns() + gaps / 2) / gaps);
  }
  RowText row(file_.buffer());
  row.integer(r.call).comma().integer(r.task).comma();
  name(row, names_.agents, r.agent);
  row.comma();
  name(row, r.agent < names_.nodes.size() ? names_.nodes[r.agent] : kNoNames, r.node);
  row.comma();
  name(row, names_.pools, r.pool);
  row.comma().integer(r.replica).comma();
  name(row, names_.models, r.pool);
  row.comma().seconds(r.arrival).comma().seconds(r.scheduled).comma().seconds(r.first_token).comma().seconds(finish);
  row.comma().integer(r.prompt_tokens).comma().integer(r.cached_tokens).comma().integer(r.output_tokens);
  row.comma().seconds(difference(r.first_token, r.arrival)).comma().seconds(tpot);
  row.comma().seconds(difference(finish, r.arrival)).comma().integer(r.preemptions);
  row.comma().text(platforms::kCallStatusNames[static_cast<std::size_t>(r.status)]).end();
  file_.flush_if_full();
}

TasksTable::TasksTable(const std::filesystem::path& path, const Names& names) : file_(path), names_(csv_names(names)) {
  RowText row(file_.buffer());
  row.text(header_of(kTaskColumns));
  for (const std::string_view cause : platforms::kCauseNames) row.text(",cause_").text(cause).text("_s");
  row.end();
}

void TasksTable::on_task(const agents::TaskRecord& r) {
  RowText row(file_.buffer());
  row.integer(r.task).comma();
  name(row, names_.agents, r.agent);
  row.comma().seconds(r.arrival).comma().seconds(r.finish).comma().seconds(difference(r.finish, r.arrival));
  row.comma().text(agents::kTaskStatusNames[static_cast<std::size_t>(r.status)]);
  row.comma().integer(r.calls).comma().integer(r.tool_calls);
  row.comma().integer(r.prompt_tokens).comma().integer(r.cached_tokens).comma().integer(r.output_tokens);
  for (const Time t : r.causes.by_cause) row.comma().seconds(t);
  row.end();
  file_.flush_if_full();
}

SeriesTable::SeriesTable(const std::filesystem::path& path, const Names& names)
    : file_(path), names_(csv_names(names)) {
  RowText(file_.buffer()).text(kSeriesHeader).end();
}

void SeriesTable::add(const SeriesRow& r) {
  RowText row(file_.buffer());
  row.seconds(r.time).comma();
  name(row, names_.pools, r.pool);
  row.comma().integer(r.running).comma().integer(r.waiting).comma();
  number(file_.buffer(), r.kv_utilization, 6);
  row.comma();
  number(file_.buffer(), r.busy, 6);
  row.comma();
  number(file_.buffer(), r.batch_tokens_per_s, 3);
  row.comma();
  number(file_.buffer(), r.output_tokens_per_s, 3);
  row.comma();
  if (r.power_w) number(file_.buffer(), *r.power_w, 3);
  row.end();
  file_.flush_if_full();
}

}  // namespace tokenyard::traces
