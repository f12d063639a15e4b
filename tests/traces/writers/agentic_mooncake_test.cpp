#include "traces/writers/agentic_mooncake.hpp"

#include "agents/record/recorded_task_player.hpp"
#include "tests/agents/work/stand_in.hpp"
#include "tests/support/scratch_folder.hpp"
#include "traces/readers/task_reader.hpp"

using namespace tokenyard;
using sim::Time;

namespace {

/// When the one task of a trace ends, if every call takes half a second and nothing contends.
Time makespan(const std::string& path) {
  const auto source = traces::open_tasks(path, "agentic-mooncake");
  sim::Simulation simulation;
  agents::TimedDoor door(simulation);
  agents::RecordedTaskPlayer player(simulation, door, *source, {},
                                    std::vector<std::uint32_t>(source->names().models.size(), 0), 1);
  agents::TaskLog log;
  player.add_observer(log);
  player.start();
  simulation.run();
  REQUIRE(log.tasks.size() == 1);
  CHECK(log.tasks[0].causes.sum() == log.tasks[0].finish - log.tasks[0].arrival);
  return log.tasks[0].finish - log.tasks[0].arrival;
}

/// The file `to`, converted from `from`.
std::string converted(const std::string& from, const std::string& format, const std::string& to) {
  const auto source = traces::open_tasks(from, format);
  traces::AgenticMooncakeFile file(to, format);
  agents::RecordedTask task;
  while (source->next(task)) file.add(task, source->names());
  file.commit();
  return to;
}

}  // namespace

TEST_CASE("Agentic Mooncake: with a constant service time a task takes its analytic makespan, converted or not") {
  const ScratchFolder folder;
  // root-1: 0 to 0.5; child-1: 0.505 to 1.005, child-2: 0.5 to 1; root-2: 2.5 s of tools and 10 ms later.
  const std::string plain = folder.write(
      "plain",
      R"({"request_id":"root-1","session_id":"root","timestamp":7,"input_length":1024,"output_length":64,"hash_ids":[0,1]}
{"request_id":"root-2","session_id":"root","input_length":1536,"output_length":9,"hash_ids":[0,1,2],"wait_for":["child-1","child-2"],"delay":10,"tool_wait_ms":2500}
{"request_id":"child-1","session_id":"one","input_length":600,"output_length":40,"hash_ids":[7,8],"wait_for":["root-1"],"delay":5}
{"request_id":"child-2","session_id":"two","input_length":600,"output_length":40,"hash_ids":[7,9],"wait_for":["root-1"]}
)");
  CHECK(makespan(plain) == Time::milliseconds(1005 + 2510 + 500));
  CHECK(makespan(converted(plain, "agentic-mooncake", folder / "typed")) == Time::milliseconds(1005 + 2510 + 500));
}

TEST_CASE("Agentic Mooncake: a call that waits for calls keeps its own date and the tools that no call is before") {
  const ScratchFolder folder;
  const std::string call = R"({"kind":"llm","node":"x","model":"m","prompt":[[5,100]],"output_tokens":10)";
  const auto task = [](const std::string& steps) {
    return R"({"task":0,"agent":"a","arrival_ns":0,"steps":[)" + steps + "]}\n";
  };
  const std::string dated =
      folder.write("dated", task(call + "}," + call + R"(,"not_before_ns":61000000000,"after":[[0]]})"));
  CHECK(makespan(converted(dated, "record", folder / "1")) == Time::milliseconds(61'500));
  const std::string tool = R"({"kind":"tool","node":"t","took_ns":30000000000})";
  const std::string joined =
      folder.write("joined", task(tool + "," + call + "}," + call + R"(,"after":[[0,2000000000],[1]]})"));
  CHECK(makespan(converted(joined, "record", folder / "2")) == Time::milliseconds(32'500));
}
