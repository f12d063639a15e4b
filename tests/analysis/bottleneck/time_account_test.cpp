#include "analysis/bottleneck/time_account.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using agents::StepKind;
using agents::Trigger;
using platforms::Cause;
using sim::Time;

namespace {

/// A task drawn up by hand: steps in seconds, each after some others.
class Drawn {
 public:
  explicit Drawn(const std::string& agent) { ran.task.agent = names.agent(agent); }

  std::uint32_t step(const std::string& name, StepKind kind, double begin_s, double end_s,
                     const std::vector<std::uint32_t>& after = {}, Cause delay = Cause::kOther) {
    agents::RecordedStep& step = ran.task.steps.emplace_back();
    step.kind = kind;
    step.node = names.node(ran.task.agent, kind, name);
    step.cause = kind == StepKind::kHuman ? Cause::kHuman : Cause::kTool;
    traces::StepRun run;
    run.begin = Time::seconds(begin_s);
    run.end = Time::seconds(end_s);
    if (kind == StepKind::kCall) {
      step.model = names.model("main");
      run.causes[Cause::kQueue] = Time::seconds(1);
      run.causes[Cause::kDecode] = run.end - run.begin - Time::seconds(1);
    } else {
      run.causes[step.cause] = run.end - run.begin;
    }
    ran.runs.push_back(run);
    Time before;
    for (const std::uint32_t s : after) before = std::max(before, ran.runs[s].end);
    for (const std::uint32_t s : after) ran.task.depend({s, Trigger::kCompletion, delay, run.begin - before});
    ran.record.finish = std::max(ran.record.finish, run.end);
    ran.record.causes = {};
    ran.record.causes[Cause::kOther] = ran.record.finish;
    return static_cast<std::uint32_t>(ran.runs.size() - 1);
  }

  traces::RanTask ran;
  agents::RecordedNames names;
};

/// ask (0–10), then three side by side (to 30, 15 and 25, the last after 2 s of back-off), then answer (30–40).
Drawn forked() {
  Drawn task("desk");
  const auto ask = task.step("ask", StepKind::kCall, 0, 10);
  const auto slow = task.step("slow", StepKind::kTool, 10, 30, {ask});
  const auto quick = task.step("quick", StepKind::kTool, 10, 15, {ask});
  const auto person = task.step("person", StepKind::kHuman, 12, 25, {ask}, Cause::kRetry);
  task.step("answer", StepKind::kCall, 30, 40, {slow, quick, person});
  return task;
}

}  // namespace

TEST_CASE("Time account: slack is what a step could take longer without delaying its task") {
  TimeAccount account;
  const Drawn task = forked();
  account.add(task.ran, task.names);
  const auto& steps = account.agents().at("desk").steps;
  CHECK(steps.at("quick").slack.max_s().value() == Approx(15));
  CHECK(steps.at("person").slack.max_s().value() == Approx(5));
  for (const char* name : {"ask", "slow", "answer"}) {
    INFO(name);
    CHECK(steps.at(name).slack.count() == 0);
    CHECK(steps.at(name).critical == 1);
  }
  CHECK(steps.at("quick").critical == 0);
}

TEST_CASE("Time account: what lies on the critical path sums to the task") {
  TimeAccount account;
  Drawn task = forked();
  // The last step waits for the person, who now is the last of the three.
  Drawn other("desk");
  const auto ask = other.step("ask", StepKind::kCall, 0, 10);
  const auto person = other.step("person", StepKind::kHuman, 12, 25, {ask}, Cause::kRetry);
  other.step("answer", StepKind::kCall, 25, 40, {person});
  account.add(task.ran, task.names);
  account.add(other.ran, other.names);
  Time sum;
  for (const auto& [name, step] : account.agents().at("desk").steps) sum += step.causes.sum();
  CHECK(sum == Time::seconds(80));
  CHECK(account.agents().at("desk").steps.at("person").causes[Cause::kRetry] == Time::seconds(2));
  CHECK(account.agents().at("desk").steps.at("person").causes[Cause::kHuman] == Time::seconds(13));
  CHECK(account.pools().at("main")[Cause::kQueue] == Time::seconds(4));

  TimeAccount merged;
  merged.merge(account);
  CHECK(merged.json() == account.json());
  const sim::Json json = account.json();
  CHECK(json["steps"][0]["step"] == "answer");
  CHECK(json["steps"][0]["share"] == Approx(25.0 / 80));
  CHECK(json["bands"][0]["task_s"] == Approx(40).epsilon(0.016));
}
