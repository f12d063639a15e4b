/// The public recordings of agents: counted, and played where nothing contends.

#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "tests/support/public_data.hpp"
#include "tests/support/scratch_folder.hpp"
#include "traces/readers/task_reader.hpp"
#include "traces/writers/agentic_mooncake.hpp"
#include "traces/writers/record.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using agents::RecordedStep;
using agents::RecordedTask;
using agents::StepKind;
using Json = nlohmann::json;
using sim::Time;

namespace {

struct Totals {
  std::int64_t tasks = 0, calls = 0, tools = 0, tool_calls = 0, humans = 0, prompt = 0, output = 0;
  std::vector<std::int64_t> durations;  ///< of tasks, if calls take their recorded time
  std::set<std::uint32_t> branches;

  void add(const RecordedTask& task) {
    ++tasks;
    for (const RecordedStep& step : task.steps) {
      branches.insert(step.branch);
      if (step.kind == StepKind::kCall) {
        ++calls;
        prompt += task.prompt_tokens(step);
        output += step.output_tokens;
      }
      tools += step.kind == StepKind::kTool ? 1 : 0;
      tool_calls += step.kind == StepKind::kTool ? step.count : 0;
      humans += step.kind == StepKind::kHuman ? 1 : 0;
    }
    const agents::RecordedTimes times = agents::recorded_times(task);
    durations.push_back((*std::max_element(times.end.begin(), times.end.end()) - task.arrival).ns());
  }
};

Totals totals(const std::string& path, const std::string& format) {
  const auto source = open_tasks(path, format);
  Totals all;
  RecordedTask task;
  while (source->next(task)) all.add(task);
  return all;
}

void check_expected(const std::string& path, const std::string& format, const Json& expected) {
  INFO(path);
  const auto source = open_tasks(path, format);
  std::vector<RecordedTask> tasks;
  RecordedTask task;
  while (source->next(task)) tasks.push_back(task);
  REQUIRE(tasks.size() == expected["traces"].get<std::size_t>());
  Totals all;
  for (const RecordedTask& t : tasks) all.add(t);
  CHECK(all.calls == expected["llm_calls"].get<std::int64_t>());
  CHECK(all.tools == expected["tool_calls"].get<std::int64_t>());
  CHECK(all.prompt == expected["input_tokens"].get<std::int64_t>());
  CHECK(all.output == expected["output_tokens"].get<std::int64_t>());
  // If calls take their recorded time, everything happens when it happened. Plumbing may begin before the first agent.
  const agents::RecordedTimes times = agents::recorded_times(tasks[0]);
  std::vector<std::pair<std::int64_t, std::int64_t>> ran, recorded;
  for (std::size_t s = 0; s < tasks[0].steps.size(); ++s) {
    const StepKind kind = tasks[0].steps[s].kind;
    if (kind == StepKind::kCall || kind == StepKind::kTool)
      ran.emplace_back(times.begin[s].ns(), tasks[0].steps[s].duration.ns());
  }
  for (const Json& call : expected["calls"])
    recorded.emplace_back(call["t"].get<std::int64_t>(), call["dur"].get<std::int64_t>());
  std::sort(ran.begin(), ran.end());
  std::sort(recorded.begin(), recorded.end());
  REQUIRE(ran.size() == recorded.size());
  for (std::size_t i = 0; i < ran.size(); ++i) {
    CHECK(ran[i].second == recorded[i].second);
    CHECK(ran[i].first - ran[0].first == recorded[i].first - recorded[0].first);
  }
}

}  // namespace

TEST_CASE("Real agents' spans: calls, tools, tokens and dates are the expected ones, in any order and split") {
  const auto expected_file = public_data("otel/EXPECTED.json");
  if (!expected_file) return;
  const Json expected = Json::parse(std::ifstream(*expected_file));
  const ScratchFolder folder;
  for (const auto& [file, values] : expected.items()) {
    const std::string path = public_data("otel/" + file).value();
    check_expected(path, "otlp", values);
    // Shuffled, one span a line, enumerations by name.
    std::vector<Json> spans;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      const Json document = Json::parse(line);
      for (const Json& resource : document["resourceSpans"]) {
        for (const Json& scope : resource["scopeSpans"]) {
          for (Json span : scope["spans"]) {
            if (span.contains("status") && span["status"].value("code", 0) == 2)
              span["status"]["code"] = "STATUS_CODE_ERROR";
            for (const char* id : {"traceId", "spanId", "parentSpanId"}) {
              if (!span.contains(id)) continue;
              std::string text = span[id];
              std::transform(text.begin(), text.end(), text.begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
              span[id] = text;
            }
            spans.push_back(std::move(span));
          }
        }
      }
    }
    std::mt19937 shuffle(7);
    std::shuffle(spans.begin(), spans.end(), shuffle);
    std::string text;
    for (const Json& span : spans)
      text += R"({"batches":[{"instrumentationLibrarySpans":[{"spans":[)" + span.dump() + "]}]}]}\n";
    check_expected(folder.write(file, text), "otlp", values);
  }
  check_expected(public_data("otel/kagent_helm_1.jaeger.json").value(), "jaeger", expected["kagent_helm_1.otlp.jsonl"]);
}

TEST_CASE("All 710 published agentic sessions are read, and converted without a change in what they are") {
  const ScratchFolder folder;
  const auto path = public_data("kv_cache_tester_agentic/traces_710_rle.jsonl.xz");
  if (!path) return;
  const Totals sessions = totals(*path, "weka");
  CHECK(sessions.tasks == 710);
  CHECK(sessions.calls == 49334);
  // Sums taken from requests_flat.csv with a script of a few lines.
  CHECK(sessions.prompt == 6'037'445'403);
  CHECK(sessions.output == 21'709'947);

  const auto source = open_tasks(*path, "weka");
  AgenticMooncakeFile mooncake(folder / "mooncake.jsonl", "weka", 512);
  RecordFile record(folder / "record.jsonl");
  RecordedTask task;
  while (source->next(task)) {
    mooncake.add(task, source->names());
    record.add(task, source->names());
  }
  mooncake.commit();
  record.commit();
  const Totals as_mooncake = totals(folder / "mooncake.jsonl", "agentic-mooncake"),
               as_record = totals(folder / "record.jsonl", "record");
  for (const Totals& other : {as_mooncake, as_record}) {
    CHECK(other.tasks == sessions.tasks);
    CHECK(other.calls == sessions.calls);
    CHECK(other.prompt == sessions.prompt);
    CHECK(other.output == sessions.output);
  }
  CHECK(as_record.durations == sessions.durations);
  CHECK(as_record.tool_calls == sessions.tool_calls);
}

TEST_CASE("The published workflow takes its critical path") {
  const auto path = public_data("wfformat/1000genome-chameleon-2ch-100k-001.json");
  if (!path) return;
  const Totals workflow = totals(*path, "wfformat");
  CHECK(workflow.tasks == 1);
  CHECK(workflow.tools == 52);
}

TEST_CASE("The minimal examples of the formats are read") {
  const auto mooncake = public_data("format_examples/agentic_mooncake_min.jsonl");
  if (!mooncake) return;
  CHECK(totals(*mooncake, "agentic-mooncake").calls == 3);
  const Totals spans = totals(public_data("format_examples/otlp_genai_min.jsonl").value(), "otlp");
  CHECK(spans.calls == 1);
  CHECK(spans.tools == 1);
  CHECK(spans.prompt == 1024);
  CHECK(spans.durations == std::vector<std::int64_t>{2'500'000'000});
  CHECK(totals(public_data("format_examples/wfformat_min.json").value(), "wfformat").durations ==
        std::vector<std::int64_t>{1'400'000'000});
}
