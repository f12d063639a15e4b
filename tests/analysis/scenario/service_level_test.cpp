#include "analysis/scenario/service_level.hpp"

#include "tests/analysis/run/in_process.hpp"
#include "tests/analysis/scenario/test_catalogs.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;

namespace {

/// A chat takes a second, a report half a minute; three in four tasks are chats.
std::string scenario(const std::string& slo) {
  return R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
    "pools": [{"name": "p", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 4}],
    "workload": {"agents": [{"agent": "chat", "rate_per_s": 3}, {"agent": "report", "rate_per_s": 1}]}, "slo": )" +
         slo + R"(, "run": {"duration_s": 100}})";
}

std::string agent(const char* name, int output_tokens) {
  return fmt::format(R"({{"schema": "tokenyard.agent/1", "name": "{}", "start": "answer",
    "nodes": {{"answer": {{"kind": "llm", "prompt_tokens": 100, "output_tokens": {}}}, "done": {{"kind": "end"}}}},
    "edges": [{{"from": "answer", "to": "done"}}]}})",
                     name, output_tokens);
}

Scenario read(const std::string& slo) {
  return read_scenario(scenario(slo), true, {agent("chat", 50), agent("report", 5000)});
}

sim::Json level(const std::string& slo) { return simulate(read(slo), Replay(), {}); }

}  // namespace

TEST_CASE("Service level: an agent's own limits change those of all, null lifts one") {
  const Slo slo = read(R"({"ttft_s": 2, "tpot_s": 0.05, "attainment": 0.9,
    "agents": {"chat": {"ttft_s": 0.4}, "report": {"ttft_s": null, "tpot_s": null, "task_s": 600}}})")
                      .slo;
  CHECK(slo.attainment == 0.9);
  CHECK(slo.of("chat").ttft_s == 0.4);
  CHECK(slo.of("chat").tpot_s == 0.05);
  CHECK(!slo.of("report").on_calls());
  CHECK(slo.of("report").task_s == 600);
  CHECK(slo.of("any other").ttft_s == 2);
  CHECK(slo.own("any other") == nullptr);
  CHECK((slo.on_calls() && slo.on_tasks()));
}

TEST_CASE("Service level: agents under it are of the workload") {
  const auto faults_of = [](const std::string& slo) {
    sim::Faults faults;
    const sim::JsonFile file = sim::JsonFile::parse(R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm"}]}]},
      "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}],
      "workload": {"requests": {"rate_per_s": 1, "prompt_tokens": 9, "output_tokens": 9}}, "slo": )" +
                                                        slo + "}",
                                                    "s.json", faults);
    Scenario::read(file, TestCatalogs::get().view(), true, faults);
    std::string text;
    for (const sim::Fault& fault : faults.list()) text += fault.message() + '\n';
    return text;
  };
  CHECK(faults_of(R"({"ttft_s": 2, "agents": {"requests": {}}})").empty());
  CHECK_THAT(faults_of(R"({"ttft_s": 2, "agents": {"request": {}}})"),
             Contains("s.json: /slo/agents: found \"request\"") && Contains("did you mean \"requests\""));
  CHECK_THAT(faults_of(R"({"ttft_s": 2, "agents": {"requests": {"ttft": 1}}})"),
             Contains("/slo/agents/requests/ttft") && Contains("did you mean \"ttft_s\""));
  CHECK_THAT(faults_of(R"({"agents": {"requests": {"task_s": 0}}})"),
             Contains("/slo/agents/requests/task_s: found 0, allowed: a number above 0"));
  CHECK_THAT(faults_of(R"({"agents": {"requests": {"ttft_s": null}}})"),
             Contains("/slo/agents: found agents, but no limit"));
}

TEST_CASE("Service level: it is met where all work and each agent named in it is within its limits") {
  // Reports take far longer than 5 s: a quarter of all tasks.
  const sim::Json all = level(R"({"task_s": 5, "attainment": 0.5})");
  CHECK(all["slo"]["attainment"].get<double>() == Approx(0.75).epsilon(0.1));
  CHECK(all["slo"]["least_attainment"] == all["slo"]["attainment"]);
  CHECK(all["slo"]["met"] == true);
  CHECK_THAT(all["notes"].dump(), Contains("named in slo/agents"));

  const sim::Json each = level(R"({"task_s": 5, "attainment": 0.5, "agents": {"chat": {}, "report": {}}})");
  CHECK(each["slo"]["attainment"] == all["slo"]["attainment"]);
  CHECK(each["slo"]["least_attainment"] == 0);
  CHECK(each["agents"]["chat"]["attainment"] == 1);
  CHECK(each["slo"]["met"] == false);

  const sim::Json own = level(R"({"task_s": 5, "agents": {"report": {"task_s": 300}}})");
  CHECK(own["slo"]["attainment"] == 1);
  CHECK(own["slo"]["goodput_tasks_per_s"] == own["throughput"]["tasks_per_s"]);
  CHECK(own["slo"]["met"] == true);

  // Calls of chats, tasks of reports.
  const sim::Json apart = level(R"({"agents": {"chat": {"tpot_s": 1e-9}, "report": {"task_s": 300}}})");
  CHECK(apart["agents"]["chat"]["attainment"] == 0);
  CHECK(apart["agents"]["report"]["attainment"] == 1);
  CHECK(apart["slo"]["met"] == false);
  // Only reports have a limit on tasks: what becomes of chats' tasks is not judged.
  const sim::Json reports = level(R"({"agents": {"report": {"task_s": 1e-9}}})");
  CHECK(reports["slo"]["attainment"] == 0);
  CHECK(reports["slo"]["attainment_tasks"].get<double>() == Approx(0.75).epsilon(0.1));
  CHECK(reports["agents"]["chat"]["attainment"].is_null());
}

TEST_CASE("Service level: it is open where nothing came of an agent that is judged by itself") {
  Scenario scenario = read(R"({"ttft_s": 5, "agents": {"report": {"ttft_s": 1e-9}}})");
  scenario.workload.entries[1].arrivals.rate_per_s = 1e-9;
  const sim::Json summary = simulate(scenario, Replay(), {});
  CHECK(summary["slo"]["attainment"] == 1);
  CHECK(summary["slo"]["least_attainment"].is_null());
  CHECK(summary["slo"]["met"].is_null());
  CHECK_THAT(summary["notes"].dump(), Contains("none of report's work came in the measured time"));
}
