#include "agents/work/visit_draws.hpp"

#include <algorithm>
#include <cmath>

#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using sim::Time;

namespace {

constexpr const char* kDraws = R"({
  "schema": "tokenyard.agent/1", "name": "draws", "contexts": {"main": {}},
  "call_failure": {"p": 0.5, "max": 2, "backoff_s": 3},
  "nodes": {
    "ask": {"kind": "llm", "output_tokens": 10, "thinking_tokens": 100},
    "plain": {"kind": "llm", "output_tokens": {"dist": "uniform", "low": 1, "high": 1000}},
    "look": {"kind": "tool", "latency_s": {"dist": "uniform", "low": 1, "high": 9}, "result_tokens": 70, "error": 0.25, "error_tokens": 5,
             "parallel": {"dist": "uniform", "low": 2, "high": 6}},
    "person": {"kind": "human", "latency_s": 8},
    "broken": {"kind": "tool", "latency_s": 1, "result_tokens": 70, "error": 1},
    "many": {"kind": "tool", "latency_s": 1, "parallel": {"dist": "uniform", "low": 1e6, "high": 1e6}},
    "done": {"kind": "end"}
  },
  "edges": [{"from": "ask", "to": "plain", "p": 0.5, "output_tokens": 3}, {"from": "ask", "to": "look", "p": 0.5}, {"from": "plain", "to": "look"},
            {"from": "look", "to": "person"}, {"from": "person", "to": "broken"}, {"from": "broken", "to": "many"}, {"from": "many", "to": "done"}],
  "start": "ask"
})";

constexpr std::uint64_t kSeed = 7;

struct Draws {
  /// A first visit of some task's walk.
  Walk at(const char* node, std::uint64_t task = 1) const {
    Walk walk;
    walk.reset(*entry.agent, kSeed, task, 0);
    walk.enter(entry.agent->find(node));
    return walk;
  }
  WorkloadEntry entry = entry_of({kDraws});
};

}  // namespace

TEST_CASE("Draws of a visit: the same again, others at the next visit and in another task") {
  const Draws draws;
  const auto answer = [&](Walk walk, int visits) {
    for (int i = 1; i < visits; ++i) walk.enter(walk.at());
    return Answers(walk, walk.node().edges[0], {}).next().visible;
  };
  const Walk walk = draws.at("plain");
  CHECK(answer(walk, 1) == answer(walk, 1));
  CHECK(answer(walk, 1) != answer(walk, 2));
  CHECK(answer(walk, 1) != answer(draws.at("plain", 2), 1));
}

TEST_CASE("Draws of a visit: an answer has its edge's length if that has one, and what is asked of it scales") {
  const Draws draws;
  const Walk walk = draws.at("ask");
  const auto next = [&](std::size_t way, double scale) {
    return Answers(walk, walk.node().edges[way], {.output_tokens = scale}).next();
  };
  CHECK(next(0, 1).visible == 3);
  CHECK(next(0, 1).thinking == 100);
  CHECK(next(1, 1).visible == 10);
  CHECK(next(1, 2).visible == 20);
  CHECK(next(1, 2).thinking == 200);
  CHECK(next(0, 0.01).visible == 1);  // an answer is never empty
  CHECK(next(0, 0.01).thinking == 1);
}

TEST_CASE("Draws of a visit: copies are at least one and at most 4,096, one where nothing is said") {
  const Draws draws;
  CHECK(copies_of(draws.at("ask")) == 1);
  CHECK(copies_of(draws.at("many")) == 4096);
  std::int64_t least = 9, most = 0;
  for (std::uint64_t task = 0; task < 200; ++task) {
    const std::int64_t copies = copies_of(draws.at("look", task));
    least = std::min(least, copies);
    most = std::max(most, copies);
  }
  CHECK(least == 2);
  CHECK(most == 6);
}

TEST_CASE("Draws of a visit: tools take as long whatever they say, scaled apart from people") {
  const Draws draws;
  int failed = 0;
  for (std::uint64_t task = 0; task < 400; ++task) {
    const Walk look = draws.at("look", task);
    ToolRuns runs(look, {}), slow(look, {.tool_time = 2, .human_time = 5});
    for (int copy = 0; copy < 3; ++copy) {
      const ToolRuns::Run run = runs.next(), other = slow.next();
      CHECK(run.takes >= Time::seconds(1));
      CHECK(run.takes <= Time::seconds(9));
      CHECK(other.takes == run.takes + run.takes);
      CHECK(other.failed == run.failed);
      CHECK(run.result == (run.failed ? 5 : 70));
      failed += run.failed ? 1 : 0;
    }
  }
  CHECK(failed == Approx(0.25 * 1200).epsilon(0.15));
  CHECK(ToolRuns(draws.at("person"), {.tool_time = 2, .human_time = 5}).next().takes == Time::seconds(40));
  CHECK(ToolRuns(draws.at("person"), {}).next().result == 0);
}

TEST_CASE("Draws of a visit: a failed tool without error_tokens brings the message that docs/agents.md states") {
  const Draws draws;
  std::vector<platforms::Tokens> messages;
  for (std::uint64_t task = 0; task < 2000; ++task)
    messages.push_back(ToolRuns(draws.at("broken", task), {}).next().result);
  std::sort(messages.begin(), messages.end());
  CHECK(messages[1000] == Approx(20).margin(1));
  CHECK(messages[1682] == Approx(20 * std::exp(0.6)).epsilon(0.1));  // a sigma above
}

TEST_CASE("Draws of a visit: attempts fail with their probability, and as many as are tried give the call up") {
  const Draws draws;
  std::map<std::uint32_t, int> times;
  for (std::uint64_t task = 0; task < 4000; ++task) {
    const FailedAttempts failed = failed_attempts(draws.at("ask", task));
    ++times[failed.number];
    CHECK(failed.for_good == (failed.number == 3));
    CHECK(failed.backoff == Time::seconds(3.0 * failed.number));
  }
  CHECK(times[0] == Approx(2000).epsilon(0.07));
  CHECK(times[1] == Approx(1000).epsilon(0.07));
  CHECK(times[2] == Approx(500).epsilon(0.12));
  CHECK(times[3] == Approx(500).epsilon(0.12));
  CHECK(times.size() == 4);
}

TEST_CASE(
    "Draws of a visit: guesses are right as often as said, and a surer guesser is right where a less sure one is") {
  const Draws draws;
  int right = 0;
  for (std::uint64_t task = 0; task < 2000; ++task) {
    const Walk look = draws.at("look", task);
    const bool guessed = foreseen(look, 0, 0.55);
    right += guessed ? 1 : 0;
    if (guessed) CHECK(foreseen(look, 0, 0.8));
    CHECK_FALSE(foreseen(look, 0, 0));
    CHECK(foreseen(look, 0, 1));
  }
  CHECK(right == Approx(1100).epsilon(0.06));
}
