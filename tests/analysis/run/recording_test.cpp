#include "analysis/run/recording.hpp"

#include <fmt/format.h>
#include <sstream>

#include "tests/analysis/run/in_process.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using sim::Time;

namespace {

/// Two pools, branches, tools with capacity, people, retries and a growing context: what a record must get right.
const std::string kDesk = R"({
  "seed": 5, "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 2, "chips_per_node": 8}]}]},
  "pools": [{"name": "main", "model": "llama-3.1-70b", "chip": "h100-sxm", "replicas": 2, "parallelism": {"tp": 4}},
            {"name": "small", "model": "llama-3.1-8b", "chip": "h100-sxm"}],
  "workload": {"agents": [{"agent": "AGENT", "rate_per_s": 1.5, "pools": {"default": "main"SMALL}}]},
  "run": {"duration_s": 60}})";

std::string desk(const std::string& agent, const std::string& entry = "") {
  std::string text = kDesk;
  text.replace(text.find("\"rate_per_s\""), 0, entry);
  text.replace(text.find("AGENT"), 5, agent);
  text.replace(text.find("SMALL"), 5, agent == "it-operations" ? "" : R"(, "small": "small")");
  return text;
}

std::string row_of(const std::string& table, std::size_t row) {
  std::istringstream in(table);
  std::string line;
  for (std::size_t i = 0; i <= row; ++i) std::getline(in, line);
  return line;
}

/// Calls, tools and people by date, each call of a tool: name, beginning within the task, duration and tokens. Names of
/// calls are their models.
std::vector<std::string> what_ran(const agents::RecordedTask& task, const agents::RecordedNames& names) {
  std::vector<std::string> ran;
  const agents::RecordedTimes times = agents::recorded_times(task);
  for (std::size_t s = 0; s < task.steps.size(); ++s) {
    const agents::RecordedStep& step = task.steps[s];
    if (step.kind == agents::StepKind::kWait) continue;
    const bool call = step.kind == agents::StepKind::kCall;
    ran.insert(ran.end(), step.count,
               fmt::format("{:020} {} {} {} {} {}", (times.begin[s] - task.arrival).ns(), step.duration.ns(),
                           agents::kStepKindNames[static_cast<std::size_t>(step.kind)],
                           call ? names.models[step.model] : names.nodes[task.agent][step.node].name,
                           call ? task.prompt_tokens(step) : 0, call ? step.output_tokens : 0));
  }
  std::sort(ran.begin(), ran.end());
  return ran;
}

}  // namespace

TEST_CASE("A record replayed on its scenario gives the same calls and tasks, bit for bit") {
  const std::pair<const char*, const char*> workloads[] = {{"customer-service", ""},
                                                           {"it-security", ""},
                                                           {"it-security", R"("max_in_flight": 8, )"},
                                                           {"it-operations", ""},
                                                           {"sales", ""}};
  for (const auto& [agent, entry] : workloads) {
    INFO(agent << ' ' << entry);
    const ResultFolder ran("record-ran"), replayed("record-replayed");
    simulate_text(desk(agent, entry), ran, {.write = {"calls", "tasks", "record"}});
    const Scenario scenario = read_scenario(desk(agent), false);
    const Recording recording((ran.path / "record.jsonl").string(), "record", {}, scenario);
    SimulateOptions options;
    options.out = replayed.path;
    options.write = {"calls", "tasks"};
    options.resolved = "{}";
    simulate(scenario, recording.replay(), options);
    for (const char* table : {"calls.csv", "tasks.csv"}) {
      const std::string before = ran.read(table), after = replayed.read(table);
      std::size_t row = 0;
      while (row_of(before, row) == row_of(after, row) && !row_of(before, row).empty()) ++row;
      INFO(table << " row " << row << "\n" << row_of(before, row) << "\n" << row_of(after, row));
      CHECK(before == after);
      CHECK(before.size() > 1000);
    }
  }
}

TEST_CASE("Simulated agents' spans, imported: the same tasks, calls, tools, people, tokens and durations") {
  for (const char* agent : {"customer-service", "it-security", "sales"}) {
    INFO(agent);
    const ResultFolder ran("otlp-ran");
    simulate_text(desk(agent), ran, {.write = {"otlp", "record"}});
    const auto recorded = traces::open_tasks((ran.path / "record.jsonl").string(), "record");
    const auto imported = traces::open_tasks((ran.path / "trace.otlp.jsonl").string(), "otlp");
    agents::RecordedTask task, other;
    std::size_t tasks = 0;
    Time first;
    while (recorded->next(task)) {
      REQUIRE(imported->next(other));
      if (tasks++ == 0) first = task.arrival;  // spans count from the first of them
      CHECK(recorded->names().agents[task.agent] == imported->names().agents[other.agent]);
      CHECK(task.arrival - first == other.arrival);
      CHECK(what_ran(task, recorded->names()) == what_ran(other, imported->names()));
    }
    CHECK_FALSE(imported->next(other));
    CHECK(tasks > 50);
  }
}

TEST_CASE("Options that do not fit a trace are refused together") {
  const Scenario scenario = read_scenario(llama_70b_on_h100(1), false);
  try {
    Recording("nothing", "azure", {.speed = -1, .users = 0, .from_s = 5, .to_s = 1}, scenario);
    FAIL("not refused");
  } catch (const sim::InputError& error) {
    CHECK(error.faults().size() >= 4);
  }
}

TEST_CASE("The published agentic sessions find in an endless cache what their block hashes imply") {
  const auto packed = public_data("kv_cache_tester_agentic/traces_710_rle.jsonl.xz");
  if (!packed) return;
  const ResultFolder folder("weka");
  const Scenario scenario = read_scenario(
      llama_70b_on_h100(1, R"({"num_gpu_blocks_override": 1000000000, "max_model_len": 1000000})"), false);
  const Recording recording(*packed, "weka", {.users = 8}, scenario);
  SimulateOptions options;
  options.out = folder.path;
  options.write = {"calls"};
  options.resolved = "{}";
  const sim::Json summary = simulate(scenario, recording.replay(), options);
  CHECK(summary["counts"]["tasks"] == 710);
  CHECK(summary["counts"]["calls"] == 49334);
  CHECK(summary["counts"]["calls_completed"] == 49334);
  CHECK(summary["counts"]["prompt_tokens"] == 6'037'445'403);
  // Found with a script of a few lines that keeps every full block of a session.
  CHECK(summary["counts"]["cached_tokens"] == 5'815'020'032);
}
