#include "analysis/command/assertion.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;
using sim::Json;

namespace {

Assertion::Verdict judged(const std::string& text, const Json& summary) {
  sim::Faults faults;
  const Assertion assertion = Assertion::parse(text, faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return assertion.judge(summary);
}

std::string refusal(const std::string& text) {
  sim::Faults faults;
  Assertion::parse(text, faults);
  REQUIRE(faults.size() == 1);
  return faults.list()[0].message();
}

const Json kSummary = {{"latency", {{"ttft_s", {{"p95", 1.5}}}, {"tpot_s", {{"p50", nullptr}}}}},
                       {"slo", {{"attainment", 0.95}, {"met", true}}},
                       {"pools", {{"llama-3.1", {{"busy", 0.8}}}}},
                       {"counts", {{"calls_failed", 0}}}};

}  // namespace

TEST_CASE("Assertions: statistics of latencies and any number of the summary") {
  CHECK(judged("p95 ttft_s < 2", kSummary).holds);
  CHECK(judged("p95 ttft_s<2", kSummary).holds);
  CHECK(judged("slo.attainment >= 0.95", kSummary).holds);
  CHECK(judged("counts.calls_failed == 0", kSummary).holds);
  CHECK(judged("slo.met == 1", kSummary).holds);
  CHECK(judged("pools.llama-3.1.busy != 0", kSummary).holds);
  CHECK_FALSE(judged("slo.attainment > 0.95", kSummary).holds);
  CHECK(judged("p95 ttft_s <= 1", kSummary).reason == "\"p95 ttft_s <= 1\" is false: it is 1.5");
}

TEST_CASE("Assertions: what is null or not there holds for no bound") {
  CHECK_FALSE(judged("p50 tpot_s < 2", kSummary).holds);
  CHECK_FALSE(judged("p50 tpot_s >= 0", kSummary).holds);
  CHECK_THAT(judged("p50 tpot_s < 2", kSummary).reason, Contains("no sample"));
  CHECK_FALSE(judged("pools.other.busy < 2", kSummary).holds);
}

TEST_CASE("Assertions: bad grammar and unknown keys are refused before the run, with the nearest name") {
  CHECK_THAT(refusal("p95 ttft_s"), Contains("STATISTIC METRIC OP NUMBER"));
  CHECK_THAT(refusal("p95 of ttft_s < 2"), Contains("STATISTIC METRIC OP NUMBER"));
  CHECK_THAT(refusal("p94 ttft_s < 2"), Contains("did you mean \"p9"));
  CHECK_THAT(refusal("p95 tfft_s < 2"), Contains("did you mean \"ttft_s\""));
  CHECK_THAT(refusal("slo.atainment < 2"), Contains("did you mean \"attainment\""));
  CHECK_THAT(refusal("slo < 2"), Contains("attainment"));
  CHECK_THAT(refusal("p95 ttft_s < 2s"), Contains("allowed: a number"));
  CHECK_THAT(refusal("p95 ttft_s < nan"), Contains("allowed: a number"));
  CHECK_THAT(refusal("name == 5"), Contains("allowed: a number"));
  CHECK_THAT(refusal("pools < 1"), Contains("allowed: a number"));
}

TEST_CASE("Assertions: names of pools and agents are the scenario's, dots included") {
  const auto refused = [](const std::string& text) {
    sim::Faults faults;
    const Assertion assertion = Assertion::parse(text, faults);
    CHECK(faults.empty());
    assertion.check_names({{"pools", {"main", "llama-3.1"}}, {"agents", {"sales"}}, {"training", {}}}, faults);
    return faults.empty() ? std::string() : faults.list()[0].message();
  };
  CHECK(refused("pools.main.busy > 0.5").empty());
  CHECK(refused("pools.llama-3.1.bound.compute > 0.5").empty());
  CHECK(refused("pools.main.kv_tiers.host.hit_rate > 0.5").empty());
  CHECK(refused("p95 ttft_s < 2").empty());
  CHECK_THAT(refused("pools.man.busy > 0.5"), Contains("did you mean \"main\""));
  CHECK_THAT(refused("pools.main.bussy > 0.5"), Contains("did you mean \"busy\""));
  CHECK_THAT(refused("pools.main.chip == 1"), Contains("allowed: a number"));
  CHECK_THAT(refused("agents.sale.task_s.p95 < 9"), Contains("did you mean \"sales\""));
  CHECK_FALSE(refused("training.job.step_s < 9").empty());
}
