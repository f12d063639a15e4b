#include "traces/writers/otlp.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/scratch_folder.hpp"
#include "traces/readers/task_reader.hpp"

using namespace tokenyard;
using platforms::CallStatus;
using sim::Time;

TEST_CASE("OTLP: a call's answer has the tokens that were made, the record those asked for") {
  const ScratchFolder folder;
  const traces::Names names{{"a"}, {{"x"}}, {"main"}, {"m"}};
  traces::OtlpFile file(folder / "trace", names);
  std::vector<platforms::Tokens> asked;
  traces::TaskRecorder recorder(names, [&](const traces::RanTask& ran, const agents::RecordedNames& recorded) {
    asked.push_back(ran.task.steps.at(0).output_tokens);
    file.add(ran, recorded);
  });
  const std::vector<platforms::Extent> prompt = {{7, 50}};
  const auto run = [&](std::uint64_t task, CallStatus status, platforms::Tokens made) {
    platforms::CallRequest request;
    request.task = task;
    request.prompt = prompt;
    platforms::CallRecord record;
    record.call = record.task = task;
    record.prompt_tokens = 50;
    record.output_tokens = 100;
    recorder.on_submit(request, record);
    record.finish = Time::seconds(2);
    record.output_tokens = made;
    record.status = status;
    recorder.on_call(record);
    agents::TaskRecord ended;
    ended.task = task;
    ended.finish = Time::seconds(2);
    recorder.on_task(ended);
  };
  run(0, CallStatus::kCompleted, 100);
  run(1, CallStatus::kUnfinished, 30);
  run(2, CallStatus::kRejected, 0);
  file.commit();
  std::vector<std::string> made, models, pools;
  std::ifstream lines(folder / "trace");
  for (std::string line; std::getline(lines, line);) {
    const auto document = nlohmann::json::parse(line);
    for (const auto& span : document["resourceSpans"][0]["scopeSpans"][0]["spans"]) {
      for (const auto& attribute : span["attributes"]) {
        if (attribute["key"] == "gen_ai.usage.output_tokens") made.push_back(attribute["value"]["intValue"]);
        if (attribute["key"] == "gen_ai.request.model") models.push_back(attribute["value"]["stringValue"]);
        if (attribute["key"] == "tokenyard.pool") pools.push_back(attribute["value"]["stringValue"]);
      }
    }
  }
  CHECK(made == std::vector<std::string>{"100", "30", "0"});
  CHECK(asked == std::vector<platforms::Tokens>{100, 100, 100});
  CHECK(models == std::vector<std::string>(3, "m"));
  CHECK(pools == std::vector<std::string>(3, "main"));
  const auto again = traces::open_tasks(folder / "trace", "otlp");  // its pool is what a replay looks for
  CHECK(again->names().models == std::vector<std::string>{"main"});
}
