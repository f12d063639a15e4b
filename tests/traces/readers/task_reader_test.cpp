#include "traces/readers/task_reader.hpp"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <sys/stat.h>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/traces/readers/shown_task.hpp"

using namespace tokenyard;
using namespace tokenyard::traces;
using agents::RecordedTask;
using agents::StepKind;
using Catch::Matchers::Contains;
using platforms::Cause;
using sim::Time;

namespace {

std::vector<RecordedTask> read_all(agents::RecordedTaskSource& source) {
  std::vector<RecordedTask> tasks;
  RecordedTask task;
  while (source.next(task)) tasks.push_back(task);
  return tasks;
}

std::vector<sim::Fault> faults_of(const std::string& path, const std::string& format) {
  try {
    open_tasks(path, format);
  } catch (const sim::InputError& error) {
    return error.faults();
  }
  return {};
}

const std::string kHeader =
    R"({"schema":"dynamo.agentic_mooncake","version":2,"block_size":16,"hash_id_scope":"local","source":{"format":"x","digest":"y"}})"
    "\n";

}  // namespace

TEST_CASE("Agentic Mooncake: calls wait for others, in any order of rows") {
  const ScratchFolder folder;
  const std::string path = folder.write(
      "t", R"({"request_id":"b2","session_id":"b","timestamp":9000,"input_length":3,"output_length":1,"hash_ids":[1]}
{"request_id":"root-2","session_id":"run:root","input_length":1536,"output_length":256,"hash_ids":[0,1,2],"wait_for":["root-1","child-1"],"delay":10.5,"tool_wait_ms":2500,"tool_events":[{"tool_class":"crm"},{"tool_class":"crm"}]}
{"request_id":"child-1","session_id":"run:child","input_length":600,"output_length":40,"hash_ids":[7,8],"wait_for":["root-1"],"delay":5}
{"request_id":"root-1","session_id":"run:root","timestamp":1000,"input_length":1024,"output_length":64,"hash_ids":[0,1],"prefix_reset":true,"branches":["child-1"]}
)");
  const auto source = open_tasks(path, "agentic-mooncake");
  const std::vector<RecordedTask> tasks = read_all(*source);
  REQUIRE(tasks.size() == 2);
  const RecordedTask& run = tasks[0];
  CHECK(run.arrival == Time::seconds(1));
  REQUIRE(run.steps.size() == 4);  // root-1, child-1, tools, root-2
  CHECK(run.steps[0].branch == 0);
  CHECK(run.steps[1].branch == 1);
  CHECK(run.steps[1].parent_branch == 0);
  CHECK(run.dependencies[0].delay == Time::milliseconds(5));
  CHECK(run.steps[2].kind == StepKind::kTool);
  CHECK(run.steps[2].count == 2);
  CHECK(run.steps[2].duration == Time::milliseconds(2500));
  CHECK(run.steps[2].dependencies == 2);
  CHECK(source->names().nodes[0][run.steps[2].node].name == "crm");
  CHECK(run.dependencies[run.steps[3].first_dependency].step == 2);
  CHECK(run.dependencies[run.steps[3].first_dependency].delay == Time::nanoseconds(10'500'000));
  // Ids that follow each other are one extent; equal beginnings are equal contents.
  CHECK(run.steps[0].extents == 1);
  CHECK(run.extents[run.steps[0].first_extent].tokens == 1024);
  CHECK(run.extents[run.steps[3].first_extent].tokens == 1536);
  CHECK(run.extents[run.steps[0].first_extent].content == run.extents[run.steps[3].first_extent].content);
  CHECK(tasks[1].arrival == Time::seconds(9));
}

TEST_CASE("Agentic Mooncake, version 2: typed dependencies within plays") {
  const ScratchFolder folder;
  const std::string rows =
      R"({"request_id":"a","play_id":"p","session_id":"s","model":"m","input_length":40,"output_length":2,"hash_ids":[5,6,9],"not_before_ms":100}
{"request_id":"c","play_id":"p","session_id":"s","model":"m","input_length":40,"output_length":2,"hash_ids":[5,6,9],"not_before_ms":0,"dependencies":[{"request_id":"a","trigger":"completion","delay_ms":1,"relation":"sequence"},{"request_id":"b","trigger":"completion","delay_ms":0,"relation":"join"}]}
{"request_id":"b","play_id":"p","session_id":"sub","model":"small","input_length":20,"output_length":2,"not_before_ms":0,"dependencies":[{"request_id":"a","trigger":"dispatch","delay_ms":2.5,"relation":"spawn"}]}
{"request_id":"d","play_id":"q","session_id":"s","model":"m","input_length":40,"output_length":2,"hash_ids":[5,6,9],"not_before_ms":50}
)";
  const auto source = open_tasks(folder.write("t", kHeader + rows), "agentic-mooncake");
  const std::vector<RecordedTask> tasks = read_all(*source);
  REQUIRE(tasks.size() == 2);
  CHECK(source->names().models == std::vector<std::string>{"m", "small"});
  CHECK(tasks[0].arrival == Time::milliseconds(50));
  const RecordedTask& p = tasks[1];
  REQUIRE(p.steps.size() == 3);
  CHECK(p.dependencies[p.steps[1].first_dependency].trigger == agents::Trigger::kDispatch);
  CHECK(p.dependencies[p.steps[1].first_dependency].delay == Time::nanoseconds(2'500'000));
  CHECK(p.steps[2].dependencies == 2);
  CHECK(p.steps[0].extents == 2);
  CHECK(p.extents[0].tokens == 32);
  CHECK(p.extents[0].content != tasks[0].extents[0].content);  // ids are a play's own
}

TEST_CASE("Mooncake sessions: turns follow the answer before them") {
  const ScratchFolder folder;
  const auto source = open_tasks(
      folder.write("t", R"({"session_id":"a","timestamp":0,"input_length":10,"output_length":1,"hash_ids":[1]}
{"timestamp":500,"input_length":10,"output_length":1,"hash_ids":[2]}
{"session_id":"a","timestamp":2000,"input_tokens":20,"output_tokens":1,"hash_ids":[1]}
{"session_id":"a","delay_ms":50,"input_length":20,"output_length":1,"hash_ids":[1]}
)"),
      "mooncake-sessions");
  const std::vector<RecordedTask> tasks = read_all(*source);
  REQUIRE(tasks.size() == 2);
  REQUIRE(tasks[0].steps.size() == 3);
  CHECK(tasks[0].dependencies[0].delay == Time::seconds(2));
  CHECK(tasks[0].dependencies[0].cause == Cause::kHuman);
  CHECK(tasks[0].dependencies[1].delay == Time::milliseconds(50));
  CHECK(tasks[1].arrival == Time::milliseconds(500));
}

TEST_CASE("Weka: tools and users between requests, sub-agents beside them") {
  const ScratchFolder folder;
  const std::string session = R"({"id":"t","block_size":64,"requests":[
   {"t":0,"type":"n","model":"opus","in":130,"out":5,"hash_ids":[1,2],"input_types":["text"],"api_time":7,"think_time":0},
   {"t":134,"type":"subagent","agent_id":"a","duration_ms":126000,"status":"completed","requests":[
     {"t":0,"type":"n","model":"haiku","in":70,"out":5,"hash_runs":[[9,1]],"input_types":["text"],"api_time":2,"think_time":0},
     {"t":5,"type":"n","model":"haiku","in":140,"out":5,"hash_runs":[[9,2]],"input_types":["tool_result"],"think_time":3}]},
   {"t":153,"type":"n","model":"opus","in":200,"out":5,"hash_ids":[1,2,4],"input_types":["tool_result"],"api_time":10,"think_time":146},
   {"t":170,"type":"s","model":"opus","in":264,"out":5,"hash_ids":[1,2,4,5],"input_types":["text"],"think_time":7}]})";
  std::string one_line = session;
  std::erase(one_line, '\n');
  for (const std::string& path :
       {folder.write("lines", one_line + "\n" + one_line + "\n"), folder.write("whole", session),
        folder.write_packed("packed", session), folder.write("marked", "\xEF\xBB\xBF" + session)}) {
    const auto source = open_tasks(path, "weka");
    const std::vector<RecordedTask> tasks = read_all(*source);
    REQUIRE(tasks.size() == (path.ends_with("lines") ? 2 : 1));
    const RecordedTask& task = tasks[0];
    CHECK(shown(task, source->names()) ==
          "0opus 1haiku<0+1 1tools<1+0=3 1haiku<2+0 0tools<3+0=19 0opus<4+0 0user<5+0=7 0opus<6+0");
    CHECK(task.extents[0].tokens == 128);
    CHECK(task.extents[1].content == 0);
    if (tasks.size() == 2) CHECK(tasks[1].extents[0].content != task.extents[0].content);
  }
}

TEST_CASE("WfFormat: a workflow is one task of steps with recorded run times") {
  const ScratchFolder folder;
  const std::string path =
      folder.write("w.json", R"({"name":"x","schemaVersion":"1.5","workflow":{"specification":{"tasks":[
    {"name":"join","id":"j","parents":["b","c"],"children":[]},
    {"name":"split","id":"a","parents":[],"children":["b","c"]},{"name":"work","id":"b","parents":["a"],"children":["j"]},{"name":"work","id":"c","parents":["a"],"children":[]}],
    "files":[{"id":"f","sizeInBytes":1}]},
    "execution":{"tasks":[{"id":"a","runtimeInSeconds":1},{"id":"b","runtimeInSeconds":2},{"id":"c","runtimeInSeconds":3.5},{"id":"j","runtimeInSeconds":1}]}}})");
  const auto source = open_tasks(path, "wfformat");
  const std::vector<RecordedTask> tasks = read_all(*source);
  REQUIRE(tasks.size() == 1);
  CHECK(tasks[0].steps.size() == 4);
  CHECK(tasks[0].dependencies.size() == 4);
  CHECK(source->names().nodes[0].size() == 3);
  REQUIRE(source->left_out().size() == 1);
  CHECK(source->left_out()[0].count == 1);
}

TEST_CASE("Every malformed trace of tasks is refused with its line or pointer") {
  struct Case {
    std::string file, place, message;
  };
  const std::vector<Case> cases = {
      {"agentic-mooncake_wait_for_nobody.jsonl", "line 2", "wait_for/0 = \"x\""},
      {"agentic-mooncake_id_again.jsonl", "line 2", "request_id \"a\" again, after line 1"},
      {"agentic-mooncake_circle.jsonl", "line 1", R"("b" waits for "c" waits for "b")"},
      {"agentic-mooncake_negative_delay.jsonl", "line 2", "delay = \"-1\""},
      {"agentic-mooncake_open_brace.jsonl", "line 2, column 1", "{"},
      {"agentic-mooncake_waitfor.jsonl", "line 2", "an unknown key \"waitfor\""},
      {"mooncake-sessions_timestam.jsonl", "line 1", "an unknown key \"timestam\""},
      {"agentic-mooncake_no_id.jsonl", "line 1", "request_id = nothing"},
      {"agentic-mooncake_many_ids.jsonl", "line 1", "2 hash_ids for 10 tokens"},
      {"agentic-mooncake_version_3.jsonl", "line 1", "version = \"3\""},
      {"agentic-mooncake_dependency_without_trigger.jsonl", "line 2", "dependencies/0"},
      {"agentic-mooncake_dependency_on_nobody.jsonl", "line 2", "dependencies/0/request_id = \"z\""},
      {"mooncake-sessions_back_in_time.jsonl", "line 2", "before that of the turn before"},
      {"weka_negative_output.jsonl", "line 1: /requests/0/out", "out = \"-1\""},
      {"weka_think_time_camel.jsonl", "line 1: /requests/0/thinkTime", "an unknown key"},
      {"weka_few_ids_of_sub_agent.jsonl", "line 1: /requests/0/requests/0/hash_ids", "1 blocks for 640 tokens"},
      {"otlp_text_time.jsonl", "line 1: /resourceSpans/0/scopeSpans/0/spans/0/startTimeUnixNano", "\"x\""},
      {"otlp_no_spans.jsonl", "line 1: /", "no resourceSpans"},
      {"jaeger_negative_time.jsonl", "line 1: /data/0/spans/0/startTime", "-1"},
      {"jaeger_span_within_itself.jsonl", "line 1: /data/0/spans/0", "within itself"},
      {"otlp_huge_input.jsonl", "line 1: /resourceSpans/0/scopeSpans/0/spans/0/attributes/0/value",
       R"(gen_ai.usage.input_tokens = "{"intValue":"9000000000000"}")"},
      {"wfformat_version_1.4.json", "/schemaVersion", "\"1.4\""},
      {"wfformat_version_number.json", "/schemaVersion", "1.5"},
      {"wfformat_array.json", "/schemaVersion", "nothing"},
      {"wfformat_unknown_parent.json", "/workflow/specification/tasks/0/parents/0", "\"z\""},
      {"wfformat_circle.json", "/workflow/specification/tasks/0", R"("a" after "b" after "a")"},
      {"wfformat_no_workflow.json", "/workflow", "no object"},
      {"wfformat_text_parents.json", "/workflow/specification/tasks/1/parents", "\"a\""},
      {"wfformat_number_child.json", "/workflow/specification/tasks/0/children/1", "7"},
      {"wfformat_parent_singular.json", "/workflow/specification/tasks/1/parent", "an unknown key"},
      {"wfformat_id_again.json", "/workflow/execution/tasks/1/id", "\"a\" again"},
      {"record_statu.jsonl", "line 1: /statu", "an unknown key"},
      {"record_startup_longer.jsonl", "line 1: /steps/0/startup_ns", "6"},
      {"record_afte.jsonl", "line 1: /steps/0/afte", "an unknown key"},
      {"record_after_itself.jsonl", "line 1: /steps/0/after/0", "[0]"},
      {"record_after_overflow.jsonl", "line 1: /steps/0/after/0", "[9223372036854775807]"},
      {"record_huge_branch.jsonl", "line 1: /steps/0/branch", "5000000000"},
      {"record_beyond_all_dates.jsonl", "line 1", "2000000000 s after"},
      {"otlp_span_of_decades.jsonl", "line 1: /resourceSpans/0/scopeSpans/0/spans/0", "767225601 s"}};
  const std::filesystem::path folder = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "tests/traces/bad_tasks";
  for (const Case& bad : cases) {
    INFO(bad.file);
    const std::string path = folder / bad.file;
    const auto faults = faults_of(path, bad.file.substr(0, bad.file.find('_')));
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].file == path);
    CHECK(faults[0].place == bad.place);
    CHECK_FALSE(faults[0].allowed.empty());
    CHECK_THAT(faults[0].found, Contains(bad.message));
  }
  const auto files = std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  CHECK(static_cast<std::size_t>(files) == cases.size());
}

TEST_CASE(
    "What is no JSON is refused once, with line and column: a document of several lines, or each line that is none") {
  const ScratchFolder folder;
  const auto faults = [&](const std::string& text, const char* format) {
    return faults_of(folder.write("bad", text), format);
  };
  const auto only = [&](const std::string& text) {
    const auto found = faults(text, "jaeger");
    REQUIRE(found.size() == 1);
    return found[0];
  };
  // However much of the document stands on its first line.
  for (const std::string first : {"{", "{\"data\": [{\"spans\": [", "[{\"data\":"}) {
    INFO(first);
    const sim::Fault fault = only(first + "\n{\"traceID\": \"a\" \"spanID\": \"b\"},\n{}\n]}]}\n");
    CHECK(fault.place == (first == "{" ? "line 2, column 1" : "line 2, column 24"));
    CHECK_THAT(fault.found, Contains("syntax error while parsing object") && Contains("in \"{\"traceID\""));
    CHECK_THAT(fault.allowed, Contains("\"operationName\""));
  }
  CHECK(only("{\n\"data\": [").place == "line 2, column 9");
  CHECK(only("\xEF\xBB\xBF{\n\"data\": x\n}").place == "line 2, column 9");
  // A row of a table that is cut is one of many.
  const std::string row = "{\"request_id\":\"a\",\"input_length\":10,\"output_length\":1,\"hash_ids\":[1]}\n";
  const auto cut = faults("{\"request_id\":\"b\",\"hash_ids\":[1\n" + row + row + "{\"a\":\n", "agentic-mooncake");
  REQUIRE(cut.size() == 3);
  CHECK(cut[0].place == "line 1, column 31");
  CHECK(cut[1].place == "line 3");
  CHECK(cut[2].place == "line 4, column 5");
  // Of a long line, what is around the place.
  const auto far = faults(row + "{\"text\": \"" + std::string(500, 'x') + "\", \"y\": 07}\n", "agentic-mooncake");
  REQUIRE(far.size() == 1);
  CHECK(far[0].place == "line 2, column 520");
  CHECK_THAT(far[0].found, Contains("in …\"xxx") && Contains("xxx\", \"y\": 07}\""));
  // Too large a number is JSON all the same.
  const auto huge = faults(row + "{\"y\": 99999999999999999999}\n", "agentic-mooncake");
  REQUIRE(huge.size() == 1);
  CHECK(huge[0].place == "line 2");
}

TEST_CASE("What a mistyped or a badly written key of a trace should be is said") {
  const ScratchFolder folder;
  const auto allowed = [&](const char* format, const char* text) {
    const auto faults = faults_of(folder.write("bad", text), format);
    REQUIRE(faults.size() == 1);
    return faults[0].allowed;
  };
  CHECK_THAT(
      allowed("record", R"({"task":0,"agent":"a","arrival_ns":0,"steps":[{"kind":"tool","node":"x","afte":[[0]]}]})"),
      Contains("did you mean \"after\"?"));
  CHECK_THAT(
      allowed("record", R"({"task":0,"agent":"a","arrival_ns":0,"steps":[{"kind":"tool","node":"x","branch":1e9}]})"),
      Contains("a whole number from 0 to 1000000000, without a point or an exponent"));
  CHECK_THAT(allowed("mooncake-sessions", R"({"sesion_id":"a","timestamp":5,"input_length":1,"output_length":1})"),
             Contains("did you mean \"session_id\"?"));
  // Keys of others stay allowed, near as they may be to one that is there.
  const std::string others =
      R"({"session_id":"a","timestamp":5,"timestamps":[5],"mode":"x","input_length":1,"output_length":1})";
  CHECK(read_all(*open_tasks(folder.write("good", others), "mooncake-sessions")).size() == 1);
}

TEST_CASE("What is no trace of tasks at all is refused; what is faulty can be left out and counted") {
  const ScratchFolder folder;
  for (const TraceFormat& format : task_formats()) {
    const std::string name(format.name);
    INFO(name);
    CHECK(holds_tasks(name));
    CHECK_FALSE(faults_of(folder.write("empty", ""), name).empty());
    CHECK_THAT(faults_of(folder / "missing", name).at(0).found, Contains("No such file"));
    CHECK_THAT(faults_of(folder / ".", name).at(0).found, Contains("directory"));
  }
  CHECK_THAT(faults_of(folder / "missing", "agentic-moncake").at(0).allowed,
             Contains("did you mean \"agentic-mooncake\""));
  const std::string rows = R"({"request_id":"a","input_length":10,"output_length":1,"hash_ids":[1]}
{"request_id":"b","wait_for":["x"],"input_length":10,"output_length":1,"hash_ids":[1]}
{"request_id":"c","wait_for":["b"],"input_length":10,"output_length":1,"hash_ids":[1]}
{"request_id":"d","input_length":0,"output_length":1,"hash_ids":[1]}
)";
  const auto source = open_tasks(folder.write("rows", rows), "agentic-mooncake", {.skip_faulty = true});
  CHECK(read_all(*source).size() == 1);
  std::uint64_t left_out = 0;
  for (const agents::LeftOut& l : source->left_out()) left_out += l.count;
  CHECK(left_out == 3);
}

TEST_CASE("A task that stands behind a later one is refused, or left out and not played") {
  const ScratchFolder folder;
  std::string lines;
  for (const int arrival : {5, 1, 3, 5, 6}) {
    lines += fmt::format(R"({{"task":0,"agent":"a","arrival_ns":{},"steps":[{{"kind":"tool","node":"x"}}]}})", arrival);
    lines += '\n';
  }
  const std::string path = folder.write("record", lines);
  const auto faults = faults_of(path, "record");
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].place == "line 2");
  CHECK(faults[1].place == "line 3");
  const auto source = open_tasks(path, "record", {.skip_faulty = true});
  std::vector<std::int64_t> arrivals;
  for (const RecordedTask& task : read_all(*source)) arrivals.push_back(task.arrival.ns());
  CHECK(arrivals == std::vector<std::int64_t>{5, 5, 6});
  REQUIRE(source->left_out().size() == 1);
  CHECK(source->left_out()[0].count == 2);
}

TEST_CASE("A format that is read twice refuses a pipe; a workflow is read once, packed or not") {
  const ScratchFolder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] {
    std::ofstream(pipe) << R"({"task":0,"agent":"a","arrival_ns":0,"steps":[{"kind":"tool","node":"x"}]})" << '\n';
  });
  const auto faults = faults_of(pipe, "record");
  writer.join();
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].found == "a pipe");

  const std::string workflow =
      R"({"schemaVersion":"1.5","workflow":{"specification":{"tasks":[{"id":"a"}]},"execution":{"tasks":[{"id":"a","runtimeInSeconds":1}]}}})";
  CHECK(read_all(*open_tasks(folder.write_packed("w.json.gz", workflow), "wfformat")).size() == 1);
}

TEST_CASE("Damaged traces of tasks are read or refused, never more") {
  const std::vector<std::pair<std::string, std::string>> sound = {
      {"agentic-mooncake",
       R"({"request_id":"a","session_id":"s","timestamp":5,"input_length":10,"output_length":1,"hash_ids":[1]}
{"request_id":"b","wait_for":["a"],"delay":1.5,"tool_wait_ms":20,"tool_events":[{"tool_class":"x"}],"input_length":600,"output_length":1,"hash_ids":[1,2]}
)"},
      {"agentic-mooncake",
       kHeader +
           R"({"request_id":"a","play_id":"p","session_id":"s","model":"m","input_length":40,"output_length":2,"hash_ids":[5,6,9],"not_before_ms":100}
{"request_id":"b","play_id":"p","session_id":"s","model":"m","input_length":20,"output_length":2,"not_before_ms":0,"dependencies":[{"request_id":"a","trigger":"dispatch","delay_ms":2.5,"relation":"spawn"}]}
)"},
      {"mooncake-sessions",
       R"({"session_id":"a","timestamp":0,"input_length":10,"output_length":1,"hash_ids":[1]}
{"session_id":"a","timestamp":2000,"delay":3,"input_tokens":20,"output_tokens":1,"hash_ids":[1]}
)"},
      {"weka",
       R"({"id":"t","block_size":64,"requests":[{"t":0,"type":"n","model":"m","in":130,"out":5,"hash_ids":[1,2],"input_types":["text"],"api_time":7},{"t":134,"type":"subagent","duration_ms":126000,"status":"completed","requests":[{"t":0,"type":"n","model":"h","in":70,"out":5,"hash_runs":[[9,1]],"think_time":3}]}]}
)"},
      {"otlp",
       R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"a1","spanId":"b1","name":"invoke_agent x","startTimeUnixNano":"10","endTimeUnixNano":"90","status":{"code":2}},{"traceId":"a1","spanId":"b2","parentSpanId":"b1","name":"call_llm","startTimeUnixNano":"20","endTimeUnixNano":"50","links":[{"traceId":"a1","spanId":"b1"}],"attributes":[{"key":"gen_ai.usage.input_tokens","value":{"intValue":"9"}}]}]}]}]}
)"},
      {"jaeger",
       R"({"data":[{"spans":[{"traceID":"a1","spanID":"b1","operationName":"call_llm","references":[{"refType":"CHILD_OF","spanID":"b2"}],"startTime":5,"duration":7,"tags":[{"key":"llm.token_count.prompt","value":9}]}]}]}
)"},
      {"wfformat",
       R"({"schemaVersion":"1.5","workflow":{"specification":{"tasks":[{"id":"a","children":["b"]},{"id":"b","parents":["a"]}]},"execution":{"tasks":[{"id":"a","runtimeInSeconds":1},{"id":"b","runtimeInSeconds":1e3}]}}}
)"},
      {"record",
       R"({"task":0,"agent":"a","arrival_ns":5,"steps":[{"kind":"llm","node":"n","model":"m","prompt":[[7,40]],"output_tokens":3,"took_ns":9},{"kind":"tool","node":"x","branch":1,"parent":0,"took_ns":5,"cause":"tool","after":[[0,5,"other","dispatch"]]}]}
)"}};
  const ScratchFolder folder;
  std::mt19937 random(11);
  const std::string_view bytes = "0123456789\"{}[],:-.eEnt \n";
  std::size_t read = 0, refused = 0;
  for (const auto& [format, text] : sound) {
    INFO(format);
    CHECK(faults_of(folder.write("sound", text), format).empty());
    for (int i = 0; i < 150; ++i) {
      std::string damaged = text;
      for (auto edits = 1 + random() % 3; edits > 0; --edits) {
        const std::size_t at = random() % damaged.size();
        const auto kind = random() % 4;
        if (kind == 0) damaged.erase(at, 1 + random() % 8);
        if (kind == 1) damaged.insert(at, 1, bytes[random() % bytes.size()]);
        if (kind == 2) damaged[at] = bytes[random() % bytes.size()];
        if (kind == 3) damaged.insert(at, "99999999999");
        if (damaged.empty()) damaged = " ";
      }
      INFO(damaged);
      const std::string path = folder.write("damaged", damaged);
      for (const bool skip_faulty : {false, true}) {
        try {
          const auto source = open_tasks(path, format, {.skip_faulty = skip_faulty});
          for (const RecordedTask& task : read_all(*source)) CHECK_FALSE(task.steps.empty());
          ++read;
        } catch (const sim::InputError&) {
          ++refused;
        }
      }
    }
  }
  CHECK(read > 100);
  CHECK(refused > 500);
}
