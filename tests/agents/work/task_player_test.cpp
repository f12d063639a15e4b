#include "agents/work/task_player.hpp"

#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using platforms::Cause;
using sim::Time;

namespace {

constexpr const char* kChat = R"({
  "schema": "tokenyard.agent/1", "name": "chat", "template_tokens": 10,
  "contexts": {"main": {"role_prefix_tokens": 1000, "opening_tokens": 50}},
  "nodes": {
    "answer": {"kind": "llm", "output_tokens": 20, "prompt_tokens": 5},
    "lookup": {"kind": "tool", "latency_s": 2, "result_tokens": 100},
    "customer": {"kind": "human", "latency_s": 30, "result_tokens": 40},
    "done": {"kind": "end"}
  },
  "edges": [
    {"from": "answer", "to": "lookup", "count": 2},
    {"from": "answer", "to": "customer", "count": 1},
    {"from": "answer", "to": "done"},
    {"from": "lookup", "to": "answer"},
    {"from": "customer", "to": "answer"}
  ],
  "start": "answer"
})";

constexpr const char* kFanOut = R"({
  "schema": "tokenyard.agent/1", "name": "fan",
  "contexts": {"main": {"role_prefix_tokens": 100, "opening_tokens": 10}, "notes": {"opening_tokens": 7}},
  "template_tokens": 0,
  "nodes": {
    "plan": {"kind": "llm", "output_tokens": 30},
    "split": {"kind": "fan-out", "join": "meet"},
    "quick": {"kind": "tool", "latency_s": {"dist": "uniform", "low": 1, "high": 3}, "result_tokens": 5},
    "slow": {"kind": "tool", "latency_s": 10, "result_tokens": 50},
    "think": {"kind": "llm", "context": "notes", "output_tokens": 11},
    "meet": {"kind": "join"},
    "sum": {"kind": "llm", "output_tokens": {"dist": "lognormal", "median": 40, "sigma": 0.5}, "thinking_tokens": 60},
    "again": {"kind": "llm", "output_tokens": 1},
    "done": {"kind": "end"}
  },
  "edges": [
    {"from": "plan", "to": "split"}, {"from": "split", "to": "quick"}, {"from": "split", "to": "slow"}, {"from": "split", "to": "think"},
    {"from": "quick", "to": "meet"}, {"from": "slow", "to": "meet"}, {"from": "think", "to": "meet"},
    {"from": "meet", "to": "sum"}, {"from": "sum", "to": "again"}, {"from": "again", "to": "done"}
  ],
  "start": "plan"
})";

struct Play {
  explicit Play(
      std::vector<WorkloadEntry> entries, Time end = Time::seconds(1e6), std::uint64_t seed = 1,
      TimedDoor::Duration duration = [](const auto&) { return Time::milliseconds(500); })
      : door(simulation, std::move(duration)), player(simulation, door, seed, std::move(entries), end) {
    player.add_observer(log);
    player.start();
  }
  sim::Simulation simulation;
  TimedDoor door;
  TaskLog log;
  TaskPlayer player;
};

std::vector<WorkloadEntry> one(WorkloadEntry entry) {
  std::vector<WorkloadEntry> entries;
  entries.push_back(std::move(entry));
  return entries;
}

WorkloadEntry limited(WorkloadEntry entry, std::uint64_t tasks) {
  entry.max_tasks = tasks;
  return entry;
}

}  // namespace

TEST_CASE("A task walks its graph: an urn's draws, tools, people, and a context that grows") {
  Play play(one(limited(entry_of({kChat}), 1)));
  play.simulation.run();
  REQUIRE(play.log.tasks.size() == 1);
  const TaskRecord& task = play.log.tasks[0];
  CHECK(task.status == TaskStatus::kCompleted);
  CHECK(task.calls == 4);
  CHECK(task.tool_calls == 2);
  CHECK(task.output_tokens == 80);
  CHECK(task.finish - task.arrival == Time::milliseconds(4 * 500 + 2 * 2000 + 30'000));
  CHECK(task.causes[Cause::kDecode] == Time::seconds(2));
  CHECK(task.causes[Cause::kTool] == Time::seconds(4));
  CHECK(task.causes[Cause::kHuman] == Time::seconds(30));
  // First prompt: role 1000, opening 50, template 10, new 5.
  REQUIRE(play.door.seen.size() == 4);
  CHECK(play.door.seen[0].record.prompt_tokens == 1065);
  CHECK(play.door.seen[3].record.prompt_tokens == 1065 + 3 * (20 + 15) + 2 * 100 + 40);
  // One growing extent behind the role's, and an answer that continues it.
  for (const TimedDoor::Seen& call : play.door.seen) {
    REQUIRE(call.prompt.size() == 2);
    CHECK(call.prompt[0].content == play.door.seen[0].prompt[0].content);
    CHECK(call.prompt[1].content == play.door.seen[0].prompt[1].content);
    CHECK(call.output_content == call.prompt[1].content);
  }
}

TEST_CASE("A tool that fails is tried again as often as max says, then its task goes the way marked else") {
  const auto played = [](const std::string& more) {
    const std::string text = R"({
      "schema": "tokenyard.agent/1", "name": "retry",
      "nodes": {"look": {"kind": "tool", "latency_s": 1, "error": 1}, "done": {"kind": "end"},
                "lost": {"kind": "end", "status": "failed"}},
      "edges": [{"from": "look", "to": "look", "on": "error", "max": 2}, )" +
                             more + R"(], "start": "look"})";
    Play play(one(limited(entry_of({text}), 1)));
    play.simulation.run();
    REQUIRE(play.log.tasks.size() == 1);
    return play.log.tasks[0];
  };
  const TaskRecord lost = played(R"({"from": "look", "to": "done"}, {"from": "look", "to": "lost", "else": true})");
  CHECK(lost.status == TaskStatus::kFailed);
  CHECK(lost.tool_calls == 3);
  CHECK(lost.finish - lost.arrival == Time::seconds(3));
  const TaskRecord done =
      played(R"({"from": "look", "to": "done", "p": 0.999999}, {"from": "look", "to": "lost", "p": 0.000001})");
  CHECK(done.status == TaskStatus::kCompleted);  // on as if it were no error
  CHECK(done.tool_calls == 3);
}

TEST_CASE("Tasks of one agent share the role's prefix and nothing else") {
  Play play(one(limited(entry_of({kChat}), 2)));
  play.simulation.run();
  CHECK(play.log.tasks.size() == 2);
  const auto& seen = play.door.seen;
  const auto other = std::find_if(seen.begin(), seen.end(), [](const auto& call) { return call.record.task == 1; });
  REQUIRE(other != seen.end());
  CHECK(other->prompt[0].content == seen[0].prompt[0].content);
  CHECK(other->prompt[1].content != seen[0].prompt[1].content);
}

TEST_CASE("The branch that ends last is the critical path; branches merge their contexts at the join") {
  Play play(one(limited(entry_of({kFanOut}), 1)));
  play.simulation.run();
  REQUIRE(play.log.tasks.size() == 1);
  const TaskRecord& task = play.log.tasks[0];
  CHECK(task.causes[Cause::kTool] == Time::seconds(10));
  CHECK(task.causes[Cause::kDecode] == Time::milliseconds(1500));  // plan, sum, again; "think" ran beside the slow tool
  CHECK(task.causes.sum() == task.finish - task.arrival);
  CHECK(task.tool_calls == 2);
  REQUIRE(play.door.seen.size() == 4);
  const auto& [think, thought_prompt, thought_content] = play.door.seen[1];
  CHECK(think.prompt_tokens == 7);
  const auto& sum = play.door.seen[2];
  CHECK(sum.record.prompt_tokens == 100 + 10 + 30 + 5 + 50);
  CHECK(sum.output_content == 0);  // it thought first
  const auto& again = play.door.seen[3];
  CHECK(again.record.prompt_tokens == sum.record.prompt_tokens + sum.record.output_tokens - 60);
  CHECK(again.output_content != 0);
}

TEST_CASE("A call says where its task goes next, what its path was served, and when the task is due") {
  WorkloadEntry due = entry_of({kFanOut});
  due.deadline = Time::seconds(60);
  const Agent& agent = *due.agent;
  const std::uint32_t split = agent.find("split"), again = agent.find("again");
  Play play(one(limited(due, 1)));
  play.simulation.run();
  const auto& hints = play.door.hints;
  REQUIRE(hints.size() == 4);
  CHECK(hints[0].next_node == split);
  CHECK(hints[1].next_node == platforms::CallRequest::kNoNode);  // the branch ends: its context is merged
  CHECK(hints[2].next_node == again);
  CHECK(hints[3].next_node == platforms::CallRequest::kNoNode);  // the task ends
  CHECK(hints[1].path_served == Time::milliseconds(500));
  CHECK(hints[2].path_served == Time::milliseconds(1000));  // plan and think
  CHECK(hints[3].path_served == Time::milliseconds(1500));
  for (const TimedDoor::Hints& call : hints) CHECK(call.deadline == play.log.tasks[0].arrival + Time::seconds(60));
}

TEST_CASE("Tools begin as their arguments are made, or with their call where it was guessed") {
  constexpr const char* kTools = R"({
    "schema": "tokenyard.agent/1", "name": "tools", "template_tokens": 0,
    "contexts": {"main": {"role_prefix_tokens": 10}},
    "nodes": {
      "ask": {"kind": "llm", "output_tokens": 40},
      "four": {"kind": "tool", "latency_s": 3, "parallel": 4},
      "one": {"kind": "tool", "latency_s": 5},
      "human": {"kind": "human", "latency_s": 7},
      "again": {"kind": "llm", "output_tokens": 40},
      "last": {"kind": "tool", "latency_s": 2},
      "done": {"kind": "end"}
    },
    "edges": [{"from": "ask", "to": "four"}, {"from": "four", "to": "one"}, {"from": "one", "to": "human"},
              {"from": "human", "to": "again"}, {"from": "again", "to": "last"}, {"from": "last", "to": "done"}],
    "start": "ask"
  })";
  const auto tool_s = [&](ToolOverlap overlap, double right) {
    WorkloadEntry entry = entry_of({kTools});
    entry.tools = {overlap, right};
    Play play(one(limited(entry, 1)), Time::seconds(1e6), 1, [](const auto&) { return Time::seconds(1); });
    play.simulation.run();
    const TaskRecord& task = play.log.tasks.at(0);
    CHECK(task.causes.sum() == task.finish - task.arrival);
    CHECK(task.causes[Cause::kHuman] == Time::seconds(7));
    return task.causes[Cause::kTool].seconds();
  };
  CHECK(tool_s(ToolOverlap::kNoOverlap, 1) == 3 + 5 + 2);
  // Each call takes a second before its first token, and none after it: nothing to run beside.
  CHECK(tool_s(ToolOverlap::kStreaming, 1) == 3 + 5 + 2);
  CHECK(tool_s(ToolOverlap::kSpeculative, 1) == 2 + 5 + 1);  // the second tool follows a tool, not a call
  CHECK(tool_s(ToolOverlap::kSpeculative, 0) == 3 + 5 + 2);

  const AskingCall call{Time::seconds(1), Time::seconds(3), Time::seconds(11)};
  CHECK(head_start(ToolOverlap::kStreaming, call, 0, 4, false) == Time::seconds(6));
  CHECK(head_start(ToolOverlap::kStreaming, call, 3, 4, false) == Time());
  CHECK(head_start(ToolOverlap::kStreaming, call, 0, 1, false) == Time());
  CHECK(head_start(ToolOverlap::kSpeculative, call, 3, 4, true) == Time::seconds(10));
}

TEST_CASE("What is known of a prompt is computed while a tool makes the rest, which then waits for no other") {
  constexpr const char* kSplit = R"({
    "schema": "tokenyard.agent/1", "name": "split", "template_tokens": 5,
    "contexts": {"main": {"role_prefix_tokens": 10, "opening_tokens": 7}, "notes": {"role_prefix_tokens": 20}},
    "nodes": {
      "ask": {"kind": "llm", "output_tokens": 40, "thinking_tokens": 60},
      "look": {"kind": "tool", "latency_s": 3, "result_tokens": 100},
      "read": {"kind": "llm", "output_tokens": 40},
      "person": {"kind": "human", "latency_s": 7, "result_tokens": 1},
      "note": {"kind": "llm", "context": "notes", "output_tokens": 1},
      "check": {"kind": "tool", "latency_s": 0.25},
      "last": {"kind": "llm", "pool": "other", "output_tokens": 1},
      "save": {"kind": "tool", "latency_s": 1},
      "done": {"kind": "end"}, "lost": {"kind": "end", "status": "failed"}
    },
    "edges": [{"from": "ask", "to": "look"}, {"from": "look", "to": "read"}, {"from": "read", "to": "person"}, {"from": "person", "to": "note"},
              {"from": "note", "to": "check"}, {"from": "check", "to": "last"}, {"from": "check", "to": "lost", "on": "error"},
              {"from": "last", "to": "save"}, {"from": "save", "to": "done"}],
    "start": "ask"
  })";
  WorkloadEntry entry = entry_of({kSplit});
  entry.pools[0] = {0, 1};
  entry.tools.overlap = ToolOverlap::kPromptSplit;
  Play play(one(limited(entry, 1)), Time::seconds(1e6), 1, [](const auto&) { return Time::seconds(1); });
  play.simulation.run();
  const auto& calls = play.door.seen;
  const auto& parts = play.door.parts;
  REQUIRE(calls.size() == 4);
  REQUIRE(parts.size() == 2);  // a person is no tool, and behind the last tool nobody reads
  const Agent& agent = *entry.agent;

  // Role and context with the answer, without the tool's result, the template and what was thought.
  const TimedDoor::Seen &first = parts[0], &read = calls[1];
  CHECK(first.record.node == agent.find("read"));
  CHECK(first.record.arrival == calls[0].record.arrival + Time::seconds(1));
  CHECK(first.record.prompt_tokens == 10 + 7 + 5 + 40);
  REQUIRE(first.prompt.size() == 2);
  CHECK(first.prompt[0].content == read.prompt[0].content);
  CHECK(first.prompt[1].content == read.prompt[1].content);
  CHECK(read.record.prompt_tokens == first.record.prompt_tokens + 100 + 5);
  CHECK(read.record.arrival == first.record.arrival + Time::seconds(3));  // the tool's end
  CHECK(read.record.causes[Cause::kQueue] == Time());
  CHECK(play.door.hints[1].part_pool == 0);
  CHECK(play.door.hints[2].part_pool == platforms::CallRequest::kNoPool);

  // Into another context and pool; the tool is done before the part, for which the call waits.
  const TimedDoor::Seen &second = parts[1], &last = calls[3];
  CHECK(second.record.pool == 1);
  CHECK(second.prompt[0].content == read.prompt[0].content);
  CHECK(last.record.pool == 1);
  CHECK(last.record.arrival == second.record.arrival + Time::milliseconds(250));
  CHECK(last.record.scheduled == second.record.arrival + Time::seconds(1));
  CHECK(last.record.causes[Cause::kQueue] == Time::milliseconds(750));
  CHECK(play.door.hints[3].part_pool == 1);

  REQUIRE(play.log.tasks.size() == 1);
  const TaskRecord& task = play.log.tasks[0];
  CHECK(task.calls == 4);
  CHECK(task.output_tokens == 100 + 40 + 1 + 1);
  CHECK(task.causes[Cause::kTool] == Time::seconds(4.25));
  CHECK(task.causes[Cause::kQueue] == Time::milliseconds(750));
  CHECK(task.causes.sum() == task.finish - task.arrival);
  for (const NodeVisit& span : play.log.spans) {
    if (span.name == "check") CHECK(span.end - span.begin == Time::milliseconds(250));
    if (span.name == "last") CHECK(span.end - span.begin == Time::milliseconds(1750));
  }
}

TEST_CASE("Prompts are split where the one way on leads to a model that reads a context which it keeps") {
  const auto parts = [](const std::string& then, const std::string& edges) {
    WorkloadEntry entry = entry_of({R"({
      "schema": "tokenyard.agent/1", "name": "ways", "contexts": {"main": {"role_prefix_tokens": 10}},
      "nodes": {"ask": {"kind": "llm", "output_tokens": 4}, "look": {"kind": "tool", "latency_s": 3}, "then": )" +
                                    then + R"(, "done": {"kind": "end"}},
      "edges": [{"from": "ask", "to": "look"}, {"from": "look", "to": "then"}, {"from": "then", "to": "done"})" +
                                    edges + R"(], "start": "ask"})"});
    entry.tools.overlap = ToolOverlap::kStreamingPromptSplit;
    Play play(one(limited(entry, 1)));
    play.simulation.run();
    CHECK(play.log.tasks.at(0).causes.sum() == play.log.tasks[0].finish - play.log.tasks[0].arrival);
    return play.door.parts.size();
  };
  CHECK(parts(R"({"kind": "llm", "output_tokens": 4})", "") == 1);
  CHECK(parts(R"({"kind": "llm", "output_tokens": 4})", R"(, {"from": "look", "to": "done", "on": "error"})") == 1);
  CHECK(parts(R"({"kind": "llm", "output_tokens": 4})", R"(, {"from": "look", "to": "done", "p": 0})") == 0);
  CHECK(parts(R"({"kind": "llm", "output_tokens": 4, "fresh": true, "prompt_tokens": 9})", "") == 0);
  CHECK(parts(R"({"kind": "llm", "output_tokens": 4, "compact": {"above": 100, "to": 50}})", "") == 0);
  CHECK(parts(R"({"kind": "tool", "latency_s": 1})", "") == 0);
}

TEST_CASE("A part that is refused, and one that is cut off by the run's end, keep nobody") {
  WorkloadEntry entry = entry_of({kChat});
  entry.tools.overlap = ToolOverlap::kPromptSplit;
  Play refused(one(limited(entry, 1)));
  refused.door.longest_prompt = 1084;  // the first prompt has 1065, its part 1085
  refused.simulation.run();
  REQUIRE(refused.log.tasks.size() == 1);
  CHECK(refused.log.tasks[0].status == TaskStatus::kRejected);
  CHECK(refused.log.tasks[0].causes.sum() == refused.log.tasks[0].finish - refused.log.tasks[0].arrival);

  Play cut(one(limited(entry, 1)), Time::seconds(1e6), 1, [](const auto&) { return Time::seconds(50); });
  while (cut.door.parts.empty()) cut.simulation.step();
  const Time asked = cut.simulation.now();
  while (cut.simulation.next_date() < asked + Time::seconds(50)) cut.simulation.step();
  cut.player.finish_unfinished();  // its tool has ended, or a person is asked
  REQUIRE(cut.log.tasks.size() == 1);
  CHECK(cut.log.tasks[0].status == TaskStatus::kUnfinished);
  CHECK(cut.log.tasks[0].causes.sum() == cut.log.tasks[0].finish - cut.log.tasks[0].arrival);
  CHECK(cut.log.tasks[0].causes[Cause::kTool] == Time::seconds(2));
}

TEST_CASE("Tasks beyond those that may be at work are paused as they arrive, and come in as others end") {
  WorkloadEntry entry = entry_of({kChat});
  entry.arrivals.rate_per_s = 1000;  // all at once, nearly
  entry.max_in_flight = 2;
  Play play(one(limited(entry, 5)));
  play.simulation.run();
  REQUIRE(play.log.tasks.size() == 5);
  const Time takes = Time::seconds(36);
  for (const TaskRecord& task : play.log.tasks) {
    CHECK(task.causes.sum() == task.finish - task.arrival);
    CHECK(task.finish - task.arrival == task.causes[Cause::kPaused] + takes);
    const Time round = Time::nanoseconds(takes.ns() * static_cast<std::int64_t>(task.task / 2));
    CHECK(std::abs((task.causes[Cause::kPaused] - round).seconds()) < 0.1);
  }
}

TEST_CASE("Tasks that are paused when the run ends are unfinished, and were paused all their time") {
  WorkloadEntry entry = entry_of({kChat});
  entry.arrivals.rate_per_s = 1000;
  entry.max_in_flight = 1;
  Play play(one(limited(entry, 3)));
  while (play.simulation.next_date() < Time::seconds(10)) play.simulation.step();
  play.player.finish_unfinished();
  REQUIRE(play.log.tasks.size() == 3);
  for (const TaskRecord& task : play.log.tasks) {
    CHECK(task.status == TaskStatus::kUnfinished);
    if (task.task > 0) CHECK(task.causes[Cause::kPaused] == task.finish - task.arrival);
  }
}

TEST_CASE("Paused tasks that end as they begin are not begun one inside the other") {
  WorkloadEntry entry = entry_of({kChat});
  entry.arrivals.rate_per_s = 1e6;
  entry.max_in_flight = 1;
  Play play(one(limited(entry, 100'000)));
  play.door.longest_prompt = 1'000'000'000;
  while (play.player.tasks_in_flight() < 100'000) play.simulation.step();
  play.door.longest_prompt = 1;  // all that is left is rejected
  play.simulation.run();
  CHECK(play.log.tasks.size() == 100'000);
}

TEST_CASE("What is drawn does not depend on how fast anything is, nor on which branch ends first") {
  const auto outputs = [](Time call_takes) {
    Play play(one(limited(entry_of({kFanOut}), 200)), Time::seconds(1e6), 3,
              [call_takes](const auto&) { return call_takes; });
    play.simulation.run();
    std::vector<std::pair<std::uint64_t, platforms::Tokens>> made;
    for (const TaskRecord& task : play.log.tasks)
      made.emplace_back(task.task, task.output_tokens * 1'000'000 + task.prompt_tokens);
    std::sort(made.begin(), made.end());
    return made;
  };
  CHECK(outputs(Time::milliseconds(1)) == outputs(Time::seconds(60)));
}

TEST_CASE("Adding an entry changes no other entry's work") {
  const auto work = [](bool second) {
    std::vector<WorkloadEntry> entries;
    if (second) {
      entries.push_back(limited(entry_of({kFanOut}, 5), 50));
      entries.back().name = "other";
    }
    entries.push_back(limited(entry_of({kFanOut}), 50));
    Play play(std::move(entries));
    play.simulation.run();
    std::vector<std::int64_t> made;
    for (const TaskRecord& task : play.log.tasks) {
      if (task.agent == (second ? 1u : 0u)) made.push_back(task.arrival.ns() + task.prompt_tokens);
    }
    return made;
  };
  CHECK(work(true) == work(false));
}

TEST_CASE("A closed loop keeps as many tasks in flight as it has users") {
  WorkloadEntry entry = entry_of({kChat});
  entry.closed_loop = ClosedLoop{5, 10, sim::Distribution::constant(4)};
  Play play(one(std::move(entry)), Time::seconds(1000));
  play.simulation.run();
  // A task takes 36 s, the next begins 4 s later: 1000 / 40 of each user.
  CHECK(play.log.tasks.size() == 125);
  CHECK(play.player.over());
}

TEST_CASE("A call that is rejected ends its task as rejected, once the other branches have come to a node's end") {
  Play play(one(limited(entry_of({kFanOut}), 1)));
  play.door.longest_prompt = 139;  // "plan" has 110, "think" 7, "sum" 195
  play.simulation.run();
  REQUIRE(play.log.tasks.size() == 1);
  CHECK(play.log.tasks[0].status == TaskStatus::kRejected);
  CHECK(play.log.tasks[0].calls == 3);
  CHECK(play.player.over());
}

TEST_CASE("What is in flight at the end is unfinished, and accounted to the nanosecond") {
  Play play(one(entry_of({kFanOut})), Time::seconds(50));
  while (play.simulation.next_date() < Time::seconds(50)) play.simulation.step();
  const Time now = play.simulation.now();
  const std::size_t before = play.log.tasks.size();
  play.player.finish_unfinished();
  CHECK(play.log.tasks.size() > before);
  for (std::size_t i = before; i < play.log.tasks.size(); ++i) {
    CHECK(play.log.tasks[i].status == TaskStatus::kUnfinished);
    CHECK(play.log.tasks[i].finish == now);
  }
}

TEST_CASE("Every task's causes sum to its duration, whatever runs side by side") {
  const char* boss =
      R"({"schema": "tokenyard.agent/1", "name": "boss", "call_failure": {"p": 0.2, "max": 2, "backoff_s": {"dist": "exponential", "mean": 3}},
    "services": {"desk": {"capacity": 2}},
    "nodes": {
      "plan": {"kind": "llm", "output_tokens": 30, "parallel": {"dist": "empirical", "values": [1, 2, 3]}},
      "workers": {"kind": "sub-agent", "agent": "fan", "parallel": {"dist": "empirical", "values": [1, 2, 3]}, "result_tokens": 25},
      "desk": {"kind": "human", "service": "desk", "latency_s": {"dist": "exponential", "mean": 1}, "parallel": {"dist": "empirical", "values": [1, 4]}},
      "guard": {"kind": "guardrail", "role_prefix_tokens": 400, "prompt_tokens": 9, "output_tokens": 5},
      "done": {"kind": "end"}, "gave-up": {"kind": "end", "status": "failed"}},
    "edges": [{"from": "plan", "to": "workers"}, {"from": "workers", "to": "desk"}, {"from": "workers", "to": "gave-up", "on": "error"},
      {"from": "desk", "to": "plan", "p": 0.4, "max": 3}, {"from": "desk", "to": "guard", "p": 0.6}, {"from": "guard", "to": "done"}],
    "start": "plan"})";
  Play play(one(limited(entry_of({boss, kFanOut}, 3), 2000)));
  play.simulation.run();
  CHECK(play.log.tasks.size() == 2000);
  std::size_t failed = 0;
  for (const TaskRecord& task : play.log.tasks) {
    CHECK(task.causes.sum() == task.finish - task.arrival);
    failed += task.status == TaskStatus::kFailed ? 1 : 0;
  }
  CHECK(failed > 0);  // 0.2³ of the calls fail for good
  CHECK(failed < 400);
  CHECK(play.player.over());
}

TEST_CASE("Task player: a context beyond its limit is replaced by a summary") {
  const std::string agent = R"({
    "schema": "tokenyard.agent/1", "name": "long", "template_tokens": 0,
    "contexts": {"main": {"role_prefix_tokens": 100, "opening_tokens": 400}},
    "nodes": {"think": {"kind": "llm", "output_tokens": 50, "compact": {"above": 1000, "to": 300}},
              "read": {"kind": "tool", "latency_s": 1, "result_tokens": 250}, "end": {"kind": "end"}},
    "start": "think",
    "edges": [{"from": "think", "to": "read", "count": 5}, {"from": "read", "to": "think"}, {"from": "think", "to": "end"}]})";
  WorkloadEntry entry = entry_of({agent});
  entry.max_tasks = 1;
  sim::Simulation simulation;
  TimedDoor door(simulation);
  TaskPlayer player(simulation, door, 1, {entry}, sim::Time::seconds(100));
  player.start();
  simulation.run();
  std::vector<std::int64_t> prompts;
  for (const auto& call : door.seen) prompts.push_back(call.record.prompt_tokens);
  CHECK(prompts == std::vector<std::int64_t>{500, 800, 300, 600, 900, 300});
  // Of what was there, the role's prefix alone is the same.
  CHECK(door.seen[1].prompt[1].content == door.seen[0].prompt[1].content);
  CHECK(door.seen[2].prompt[0].content == door.seen[1].prompt[0].content);
  CHECK(door.seen[2].prompt[1].content != door.seen[1].prompt[1].content);
  CHECK(door.seen[3].prompt[1].content == door.seen[2].prompt[1].content);
}

TEST_CASE("Task player: pictures are asked for with their size and steps, and their time is media's") {
  const std::string agent = R"({
    "schema": "tokenyard.agent/1", "name": "painter", "budget_usd": 1,
    "nodes": {"next": {"kind": "choice"}, "paint": {"kind": "media", "width": 512, "height": 256, "frames": 9, "steps": 30, "parallel": 2},
              "end": {"kind": "end"}},
    "start": "next",
    "edges": [{"from": "next", "to": "paint", "spends": {"share": 0.5, "usd_each": 0.15}}, {"from": "paint", "to": "next"},
              {"from": "next", "to": "end"}]})";
  WorkloadEntry entry = entry_of({agent});
  entry.max_tasks = 1;
  sim::Simulation simulation;
  TimedDoor door(simulation);
  TaskPlayer player(simulation, door, 1, {entry}, sim::Time::seconds(100));
  TaskLog log;
  player.add_observer(log);
  player.start();
  simulation.run();
  CHECK(door.seen.size() == 6);  // three times two: half of the budget pays three
  for (const auto& call : door.seen) {
    CHECK(call.record.media_steps == 30);
    CHECK(call.record.output_tokens == 0);
    CHECK(call.prompt.empty());
  }
  REQUIRE(log.tasks.size() == 1);
  CHECK(log.tasks[0].calls == 6);
  CHECK(log.tasks[0].prompt_tokens + log.tasks[0].output_tokens == 0);
  CHECK(log.spans.size() == 3);
  CHECK(log.spans[0].kind == "media");
}
