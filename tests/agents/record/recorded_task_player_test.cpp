#include "agents/record/recorded_task_player.hpp"

#include "agents/record/model_pools.hpp"
#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using platforms::Cause;
using sim::Time;

namespace {

/// Tasks written down by a test.
struct Tasks final : RecordedTaskSource {
  bool next(RecordedTask& task) override {
    if (given == list.size()) return false;
    task = list[given++];
    return true;
  }
  const RecordedNames& names() const override { return all_names; }
  std::vector<LeftOut> left_out() const override { return {}; }

  RecordedTask& add(Time arrival) {
    list.push_back({});
    list.back().arrival = arrival;
    return list.back();
  }
  std::vector<RecordedTask> list;
  std::size_t given = 0;
  RecordedNames all_names{
      {"agent"}, {{{"call", StepKind::kCall}, {"tool", StepKind::kTool}, {"human", StepKind::kHuman}}}, {"model"}};
};

RecordedStep& call(RecordedTask& task, platforms::Tokens prompt = 100) {
  RecordedStep& step = task.steps.emplace_back();
  step.first_extent = static_cast<std::uint32_t>(task.extents.size());
  step.extents = 1;
  task.extents.push_back({7, prompt});
  step.duration = Time::seconds(2);
  return step;
}

RecordedStep& tool(RecordedTask& task, double seconds, Cause cause = Cause::kTool) {
  RecordedStep& step = task.steps.emplace_back();
  step.kind = cause == Cause::kHuman ? StepKind::kHuman : StepKind::kTool;
  step.node = cause == Cause::kHuman ? 2 : 1;
  step.cause = cause;
  step.duration = Time::seconds(seconds);
  return step;
}

struct Replay {
  explicit Replay(Tasks& source, ReplayPlan plan = {}, std::vector<std::uint32_t> pools = {0})
      : door(simulation), player(simulation, door, source, plan, std::move(pools), 1) {
    player.add_observer(log);
    player.set_on_last([this] { last_arrival = simulation.now(); });
    player.start();
  }
  void run() {
    simulation.run();
    CHECK(player.over());
    for (const TaskRecord& record : log.tasks) CHECK(record.causes.sum() == record.finish - record.arrival);
  }
  sim::Simulation simulation;
  TimedDoor door;
  RecordedTaskPlayer player;
  TaskLog log;
  Time last_arrival = Time::never();
};

}  // namespace

TEST_CASE("Recorded: steps wait for all they depend on; causes follow the critical path") {
  Tasks source;
  RecordedTask& task = source.add(Time::seconds(3));
  call(task);     // 0: 3 – 3.5
  tool(task, 2);  // 1: 3.5 – 5.5
  task.depend({0});
  tool(task, 1);  // 2: 3.75 – 4.75
  task.depend({0, Trigger::kCompletion, Cause::kRetry, Time::seconds(0.25)});
  call(task);  // 3: 6 – 6.5
  task.depend({1, Trigger::kCompletion, Cause::kHuman, Time::seconds(0.5)});
  task.depend({2});
  call(task);  // 4: 3.2 – 3.7, beside the rest
  task.depend({0, Trigger::kDispatch, Cause::kOther, Time::seconds(0.2)});
  Replay replay(source);
  replay.run();
  REQUIRE(replay.log.tasks.size() == 1);
  const TaskRecord& record = replay.log.tasks[0];
  CHECK(record.arrival == Time::seconds(3));
  CHECK(record.finish == Time::seconds(6.5));
  CHECK(record.status == TaskStatus::kCompleted);
  CHECK(record.calls == 3);
  CHECK(record.tool_calls == 2);
  CHECK(record.prompt_tokens == 300);
  CHECK(record.causes[Cause::kDecode] == Time::seconds(1));
  CHECK(record.causes[Cause::kTool] == Time::seconds(2));
  CHECK(record.causes[Cause::kHuman] == Time::seconds(0.5));
  CHECK(record.causes[Cause::kRetry] == Time());
  REQUIRE(replay.door.seen.size() == 3);
  CHECK(replay.door.seen[1].record.arrival == Time::seconds(3.2));
  CHECK(replay.log.spans.size() == 5);
  CHECK(replay.log.spans[0].name == "call");
}

TEST_CASE("Recorded: open loop by the recorded dates, faster, cropped") {
  Tasks source;
  for (const double t : {0.0, 10.0, 20.0, 30.0}) {
    RecordedTask& task = source.add(Time::seconds(t));
    call(task).not_before = Time::seconds(4);
  }
  ReplayPlan plan;
  plan.speed = 2;
  plan.from = Time::seconds(10);
  plan.to = Time::seconds(30);
  Replay replay(source, plan);
  replay.run();
  REQUIRE(replay.log.tasks.size() == 2);
  CHECK(replay.log.tasks[0].arrival == Time());
  CHECK(replay.log.tasks[0].causes[Cause::kOther] == Time::seconds(2));
  CHECK(replay.log.tasks[1].arrival == Time::seconds(5));
  CHECK(replay.log.tasks[1].finish == Time::seconds(7.5));
  CHECK(replay.player.left_out() ==
        std::vector<std::string>{"2 tasks outside the chosen part of the trace were left out"});
  CHECK(replay.last_arrival == Time::seconds(5));
}

TEST_CASE("Recorded: a closed loop of users plays the tasks one after the other") {
  Tasks source;
  for (int i = 0; i < 5; ++i) {
    RecordedTask& task = source.add(Time::seconds(1000 * i));
    call(task);
    tool(task, i == 0 ? 9.5 : 0.5);
    task.depend({0});
  }
  ReplayPlan plan;
  plan.closed_loop = ClosedLoop{2, 0, sim::Distribution::constant(1)};
  Replay replay(source, plan);
  replay.run();
  REQUIRE(replay.log.tasks.size() == 5);
  std::vector<double> begun(5);
  for (const TaskRecord& record : replay.log.tasks) begun[record.task] = record.arrival.seconds();
  CHECK(begun == std::vector<double>{0, 0, 2, 4, 6});  // the first user is busy for 10 s
}

TEST_CASE("Recorded: waits are cut; a model without a pool is played as a wait and counted") {
  Tasks source;
  RecordedTask& task = source.add({});
  call(task);
  tool(task, 3600, Cause::kHuman);
  task.depend({0});
  ReplayPlan plan;
  plan.longest_wait = Time::seconds(60);
  Replay cut(source, plan);
  cut.run();
  CHECK(cut.log.tasks.at(0).finish == Time::seconds(60.5));
  CHECK(cut.log.tasks.at(0).causes[Cause::kHuman] == Time::seconds(60));
  source.given = 0;
  Replay dropped(source, {}, {kDropped});
  dropped.run();
  CHECK(cut.player.left_out().empty());
  CHECK(dropped.player.left_out() == std::vector<std::string>{"1 calls of models without a pool were played as waits"});
  CHECK(dropped.door.seen.empty());
  CHECK(dropped.log.tasks.at(0).calls == 0);
  CHECK(dropped.log.tasks.at(0).finish == Time::seconds(3602));
}

TEST_CASE("Recorded: a rejected call ends its task when what runs has ended") {
  Tasks source;
  RecordedTask& task = source.add({});
  tool(task, 5);
  tool(task, 1);
  call(task, 1000);
  task.depend({1});
  call(task);
  task.depend({2});
  call(task);  // never begins: its wait outlasts the rejection
  task.depend({1, Trigger::kCompletion, Cause::kHuman, Time::seconds(7)});
  Replay replay(source);
  replay.door.longest_prompt = 500;
  replay.run();
  REQUIRE(replay.log.tasks.size() == 1);
  CHECK(replay.log.tasks[0].status == TaskStatus::kRejected);
  CHECK(replay.log.tasks[0].calls == 1);
  CHECK(replay.log.tasks[0].finish == Time::seconds(8));
  CHECK(replay.door.seen.size() == 1);
}

TEST_CASE("Recorded: a chain of a hundred thousand steps without duration ends at once") {
  Tasks source;
  RecordedTask& task = source.add({});
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    tool(task, 0);
    if (i > 0) task.depend({i - 1});
  }
  Replay replay(source);
  replay.run();
  CHECK(replay.log.tasks.at(0).tool_calls == 100'000);
  CHECK(replay.log.tasks.at(0).finish == Time());
}

TEST_CASE("Recorded: what a tool's server took to start is startup again, and cut as its wait is") {
  Tasks source;
  tool(source.add({}), 13).startup = Time::seconds(10);
  const auto causes = [&](Time longest_wait) {
    source.given = 0;
    ReplayPlan plan;
    plan.longest_wait = longest_wait;
    Replay replay(source, plan);
    replay.run();
    CHECK(replay.log.spans.at(0).startup == replay.log.tasks.at(0).causes[Cause::kStartup]);
    return replay.log.tasks.at(0).causes;
  };
  CHECK(causes(Time::never())[Cause::kStartup] == Time::seconds(10));
  CHECK(causes(Time::never())[Cause::kTool] == Time::seconds(3));
  CHECK(causes(Time::seconds(7))[Cause::kStartup] == Time::seconds(7));
}

TEST_CASE("Recorded: what is unfinished keeps its causes") {
  Tasks source;
  RecordedTask& first = source.add({});
  tool(first, 100);
  RecordedTask& second = source.add({});
  call(second);
  tool(second, 1);
  second.depend({0, Trigger::kCompletion, Cause::kHuman, Time::seconds(100)});
  Replay replay(source);
  while (replay.simulation.next_date() < Time::seconds(50)) replay.simulation.step();
  replay.player.finish_unfinished();
  REQUIRE(replay.log.tasks.size() == 2);
  for (const TaskRecord& record : replay.log.tasks) {
    CHECK(record.status == TaskStatus::kUnfinished);
    CHECK(record.causes.sum() == record.finish - record.arrival);
  }
}

TEST_CASE("Recorded names: a node is its agent's, its kind's and its name's") {
  RecordedNames names;
  const std::uint32_t one = names.agent("one"), other = names.agent("other");
  CHECK(names.node(one, StepKind::kCall, "x") == 0);
  CHECK(names.node(one, StepKind::kTool, "x") == 1);
  CHECK(names.node(other, StepKind::kTool, "x") == 0);
  CHECK(names.node(one, StepKind::kTool, "y") == 2);
  CHECK(names.agent("one") == one);
  CHECK(names.node(one, StepKind::kTool, "x") == 1);
  CHECK(names.nodes[one].size() == 3);
  CHECK(names.nodes[one][1].kind == StepKind::kTool);
}

TEST_CASE("Recorded models go to pools by exact name, longest prefix, pool, and default") {
  sim::Faults faults;
  const std::vector<ModelPools::Pool> pools = {{"main", "llama-3.1-70b"}, {"small", "llama-3.1-8b"}, {}};
  const ModelPools map =
      ModelPools::parse("gpt-4o=small,claude-*=main,claude-haiku-*=small,tts=none", pools, 0, faults);
  CHECK(faults.empty());
  CHECK(map.pool("gpt-4o") == 1);
  CHECK(map.pool("claude-haiku-4-5") == 1);
  CHECK(map.pool("claude-opus-4-5") == 0);
  CHECK(map.pool("tts") == kDropped);
  CHECK(map.pool("small") == 1);
  CHECK(map.pool("llama-3.1-8b") == 1);
  CHECK(map.pool("anything") == 0);
  CHECK(ModelPools::parse("*=none", pools, 0, faults).pool("anything") == kDropped);
  ModelPools::parse("a=smal,b,=main", pools, 0, faults);
  REQUIRE(faults.size() == 3);
  CHECK_THAT(faults.list()[0].message(), Catch::Matchers::Contains("did you mean \"small\""));
}

TEST_CASE("Recorded: a task that failed when it was recorded fails again, after all its steps") {
  Tasks source;
  source.add(Time::seconds(1)).status = TaskStatus::kFailed;
  call(source.list.back());
  tool(source.list.back(), 2);
  source.list.back().depend({0});
  call(source.add(Time::seconds(2)));
  Replay replay(source);
  replay.run();
  REQUIRE(replay.log.tasks.size() == 2);
  const auto& failed = replay.log.tasks[0].task == 0 ? replay.log.tasks[0] : replay.log.tasks[1];
  CHECK(failed.status == TaskStatus::kFailed);
  CHECK(failed.finish == Time::seconds(3.5));
  CHECK(failed.calls == 1);
  CHECK(replay.log.tasks[&failed == &replay.log.tasks[0] ? 1 : 0].status == TaskStatus::kCompleted);
}
