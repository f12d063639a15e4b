/// `tokenyard convert`: a trace in another format.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "analysis/command/commands.hpp"
#include "analysis/command/trace_options.hpp"
#include "traces/readers/task_reader.hpp"
#include "traces/writers/agentic_mooncake.hpp"
#include "traces/writers/otlp.hpp"
#include "traces/writers/record.hpp"
#include "traces/writers/row_text.hpp"

namespace tokenyard::analysis {
namespace {

using agents::RecordedTask;
using sim::Time;

struct ConvertArguments {
  std::string trace, format, to, out, map;
  bool skip_faulty = false;
  platforms::Tokens block_tokens = 512;
};

/// Requests as tasks of one call.
class LoneCalls final : public agents::RecordedTaskSource {
 public:
  explicit LoneCalls(std::unique_ptr<agents::RequestSource> requests) : requests_(std::move(requests)) {
    names_.agent("requests");
    names_.node(0, agents::StepKind::kCall, "request");
    names_.model("unnamed model");
  }
  bool next(RecordedTask& task) override {
    if (!requests_->next(request_)) return false;
    task.clear();
    task.arrival = request_.arrival;
    agents::RecordedStep& step = task.steps.emplace_back();
    step.output_tokens = request_.output_tokens;
    step.extents = static_cast<std::uint32_t>(request_.prompt.size());
    task.extents = request_.prompt;
    return true;
  }
  const agents::RecordedNames& names() const override { return names_; }
  std::vector<agents::LeftOut> left_out() const override { return requests_->left_out(); }

 private:
  std::unique_ptr<agents::RequestSource> requests_;
  agents::RecordedRequest request_;
  agents::RecordedNames names_;
};

/// What a format has no place for; empty: it holds all.
std::string_view not_kept(std::string_view format) {
  if (format == "requests") return "tasks and their waits, prefixes that calls share";
  if (format == "agentic-mooncake") return "prefixes that tasks share, which tool a wait was for, how tasks ended";
  if (format == "otlp") return "what a prompt shares with others";
  return {};
}

[[noreturn]] void refuse_without_calls(const ConvertArguments& a) {
  throw sim::InputError({a.trace, "", "no call to a model", "a trace with some: " + a.to + " is about nothing else"});
}

/// Calls as a table of requests, each at the date at which it began if calls took their recorded time.
void write_requests(agents::RecordedTaskSource& source, const ConvertArguments& a) {
  struct Row {
    Time date;
    platforms::Tokens prompt, output;
  };
  std::vector<Row> rows;
  RecordedTask task;
  while (source.next(task)) {
    const agents::RecordedTimes times = agents::recorded_times(task);
    for (std::size_t s = 0; s < task.steps.size(); ++s) {
      if (task.steps[s].kind != agents::StepKind::kCall) continue;
      rows.push_back({times.begin[s], task.prompt_tokens(task.steps[s]), task.steps[s].output_tokens});
    }
  }
  if (rows.empty()) refuse_without_calls(a);
  std::stable_sort(rows.begin(), rows.end(), [](const Row& x, const Row& y) { return x.date < y.date; });
  traces::OutputFile file(a.out);
  traces::RowText(file.buffer()).text("arrival_s,prompt_tokens,output_tokens\n");
  for (const Row& row : rows) {
    traces::RowText(file.buffer()).seconds(row.date).comma().integer(row.prompt).comma().integer(row.output).end();
    file.flush_if_full();
  }
  file.commit();
}

void write_spans(agents::RecordedTaskSource& source, const std::string& path) {
  traces::OtlpFile file(path);
  traces::RanTask ran;
  std::uint64_t number = 0;
  while (source.next(ran.task)) {
    const agents::RecordedTimes times = agents::recorded_times(ran.task);
    ran.runs.clear();
    ran.record = {};
    ran.record.task = number++;
    ran.record.arrival = ran.record.finish = ran.task.arrival;
    ran.record.status = ran.task.status;
    for (std::size_t s = 0; s < ran.task.steps.size(); ++s) {
      traces::StepRun& run = ran.runs.emplace_back();
      run.begin = times.begin[s];
      run.end = times.end[s];
      run.cached_tokens = -1;  // a trace tells what its calls made, not what a cache held
      run.output_tokens = ran.task.steps[s].output_tokens;
      ran.record.finish = std::max(ran.record.finish, times.end[s]);
    }
    file.add(ran, source.names());
  }
  file.commit();
}

int convert(const ConvertArguments& a, const Surroundings& surroundings) {
  traces::keep_input(a.out, a.trace, "--output");
  std::unique_ptr<agents::RecordedTaskSource> source;
  if (traces::holds_tasks(a.format)) {
    source = traces::open_tasks(a.trace, a.format, {a.skip_faulty, a.block_tokens});
  } else {
    sim::Faults faults;
    traces::TraceOptions options;
    options.skip_faulty = a.skip_faulty;
    options.columns = traces::parse_column_map(a.map, faults);
    faults.throw_if_any();
    source = std::make_unique<LoneCalls>(traces::open_trace(a.trace, a.format, options));
  }
  RecordedTask task;
  std::uint64_t without_calls = 0;
  if (a.to == "requests") {
    write_requests(*source, a);
  } else if (a.to == "otlp") {
    write_spans(*source, a.out);
  } else if (a.to == "record") {
    traces::RecordFile file(a.out);
    while (source->next(task)) file.add(task, source->names());
    file.commit();
  } else {
    traces::AgenticMooncakeFile file(a.out, a.format);
    std::uint64_t tasks = 0;
    for (; source->next(task); ++tasks) file.add(task, source->names());
    without_calls = file.tasks_without_calls();
    if (without_calls == tasks) refuse_without_calls(a);
    file.commit();
  }
  for (const agents::LeftOut& left_out : source->left_out())
    fmt::print(surroundings.err, "left out: {} {}\n", left_out.count, left_out.what);
  if (without_calls > 0) fmt::print(surroundings.err, "left out: {} tasks without a call\n", without_calls);
  if (const std::string_view lost = not_kept(a.to); !lost.empty() && traces::holds_tasks(a.format))
    fmt::print(surroundings.err, "not kept, for want of a place in {}: {}\n", a.to, lost);
  return kDone;
}

}  // namespace

void add_convert(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("convert", "writes a trace in another format");
  const auto a = std::make_shared<ConvertArguments>();
  sub->add_option("TRACE", a->trace, "the trace, packed (gzip, xz, bzip2, zstd) or not")->required();
  add_format_option(*sub, a->format)->required();
  sub->add_option("--to", a->to, "agentic-mooncake, otlp, record or requests")
      ->option_text("FORMAT")
      ->required()
      ->check(one_of("--to", {"agentic-mooncake", "otlp", "record", "requests"}));
  sub->add_option("-o,--output", a->out, "the file to write")->option_text("FILE")->required();
  add_map_option(*sub, a->map);
  add_skip_bad_rows_option(*sub, a->skip_faulty);
  add_block_tokens_option(*sub, a->block_tokens);
  sub->footer(
      "  tokenyard convert spans.jsonl --format otlp --to agentic-mooncake -o tasks.jsonl\n"
      "  tokenyard convert sessions.jsonl --format weka --to requests -o requests.csv");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return convert(*a, s); }; });
}

}  // namespace tokenyard::analysis
