/// The workloads of published studies: what their papers say of them.

#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

/// Calls by task, in order of arrival.
std::map<std::uint64_t, std::vector<tokenyard::platforms::CallRecord>> by_task(const Played& played) {
  std::map<std::uint64_t, std::vector<tokenyard::platforms::CallRecord>> tasks;
  for (const auto& call : played.calls) tasks[call.record.task].push_back(call.record);
  return tasks;
}

}  // namespace

TEST_CASE("Published workloads: SWE-Bench has the turns and tokens of Continuum's table") {
  const Played played = play("swe-bench");
  double turns = 0, squares = 0, tokens = 0;
  for (const auto& [task, calls] : by_task(played)) {
    const auto n = static_cast<double>(calls.size());
    turns += n;
    squares += n * n;
    tokens += static_cast<double>(calls.back().prompt_tokens + calls.back().output_tokens);
  }
  turns /= 10'000;
  CHECK(turns == Approx(10.9).epsilon(0.01));
  CHECK(std::sqrt(squares / 10'000 - turns * turns) == Approx(2.1).epsilon(0.03));
  CHECK(tokens / 10'000 == Approx(70'000).epsilon(0.02));
}

TEST_CASE("Published workloads: augmented calls have the interceptions and contexts of InferCept's table") {
  struct Kind {
    double interceptions, context;
  };
  const std::map<std::string, Kind> published = {{"calculate", {3.75, 1422}}, {"answer", {2.52, 1846}},
                                                 {"act", {28.18, 2185}},      {"chat", {4.45, 753}},
                                                 {"draw", {6.91, 1247}},      {"speak", {6.91, 1251}}};
  const Played played = play("augmented-llm");
  struct Seen {
    double tasks = 0, interceptions = 0, context = 0;
  };
  std::map<std::string, Seen> seen;
  for (const auto& [task, calls] : by_task(played)) {
    Seen& kind = seen[played.agent->nodes[calls.front().node].name];
    ++kind.tasks;
    for (std::size_t i = 0; i + 1 < calls.size(); ++i) {
      ++kind.interceptions;
      kind.context += static_cast<double>(calls[i].prompt_tokens + calls[i].output_tokens);
    }
  }
  REQUIRE(seen.size() == published.size());
  for (const auto& [name, kind] : published) {
    CAPTURE(name);
    CHECK(seen[name].tasks / 10'000 == Approx(1.0 / 6).epsilon(0.07));
    CHECK(seen[name].interceptions / seen[name].tasks == Approx(kind.interceptions).epsilon(0.05));
    CHECK(seen[name].context / seen[name].interceptions == Approx(kind.context).epsilon(0.03));
  }
}

TEST_CASE("Published workloads: tools and agents have the tokens and the reuse of Mooncake's trace") {
  const Played played = play("tool-agent");
  double prompt = 0, output = 0, found = 0;
  for (const auto& [task, calls] : by_task(played)) {
    tokenyard::platforms::Tokens before = 3000;  // of the role
    for (const auto& call : calls) {
      prompt += static_cast<double>(call.prompt_tokens);
      output += static_cast<double>(call.output_tokens);
      found += static_cast<double>(before);  // by a cache without limit
      before = call.prompt_tokens + call.output_tokens;
    }
  }
  const auto calls = static_cast<double>(played.calls.size());
  CHECK(prompt / calls == Approx(8'596).epsilon(0.02));
  CHECK(output / calls == Approx(182).epsilon(0.02));
  CHECK(found / prompt == Approx(0.59).epsilon(0.03));
}

TEST_CASE("Published workloads: a program of tree search calls 159.7 times, five at a time") {
  const Played played = play("lats");
  CHECK(played.mean().calls == Approx(159.7).epsilon(0.03));
  CHECK(played.mean().tools == Approx(played.mean().calls / 2));
}

TEST_CASE("Published workloads: ReAct calls 9.2 times") {
  CHECK(play("react").mean().calls == Approx(9.2).epsilon(0.01));
}
