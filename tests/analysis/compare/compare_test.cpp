#include "analysis/compare/compare.hpp"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/analysis/command/outcome.hpp"
#include "tests/analysis/run/in_process.hpp"

namespace tokenyard::analysis {
namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

const PairedFigure& figure(const PairedTable& table, const std::string& name) {
  for (const PairedFigure& f : table.figures) {
    if (f.name == name) return f;
  }
  FAIL("no figure " << name);
  return table.figures.front();
}

}  // namespace

TEST_CASE("folders are compared in pairs, whatever the order of their rows") {
  const ResultFolder folder("compare");
  const std::string calls = "call_id,task_id,arrival_s,ttft_s,status\n";
  write(folder.path / "a/tasks.csv",
        "task_id,agent,arrival_s,duration_s,status,cause_queue_s,cause_tool_s\n"
        "0,\"a,b\",0,1,completed,0.5,0\n1,x,1,2,completed,0,0\n2,x,2,3,completed,0,0\n3,x,3,,failed,0,0\n9,x,4,1,"
        "completed,0,0\n");
  write(folder.path / "b/tasks.csv",
        "task_id,agent,arrival_s,duration_s,status,cause_queue_s,cause_tool_s\n"
        "2,x,2,6,completed,0,0\n0,\"a,b\",0,2,completed,1.5,0\n1,x,1.5,4,completed,0,0\n3,x,3,5,completed,0,0\n");
  write(folder.path / "a/calls.csv", calls + "0,0,0,1,completed\n");
  write(folder.path / "b/calls.csv", calls + "0,0,0,1,completed\n");
  write(
      folder.path / "a/summary.json",
      R"({"schema": "tokenyard.summary/1", "slo": {"attainment": 0.5, "goodput_tasks_per_s": null}, "agents": {"x": {"attainment": 0.25}, "y": {"attainment": null}}, "pools": {"p": {"busy": 0.25}, "gone": {"busy": 1}}})");
  write(
      folder.path / "b/summary.json",
      R"({"schema": "tokenyard.summary/1", "slo": {"attainment": 0.75, "goodput_tasks_per_s": 1}, "agents": {"x": {"attainment": 0.5}, "y": {"attainment": 1}}, "pools": {"p": {"busy": 0.5}}})");
  const Comparison comparison = compare({folder.path / "a", folder.path / "b"});
  const PairedTable& tasks = comparison.others.at(0).tasks;
  CHECK(tasks.pairs == 4);
  CHECK(tasks.only_base == 1);
  CHECK(tasks.only_other == 0);
  CHECK(tasks.moved == 1);
  const PairedFigure& duration = figure(tasks, "duration_s");
  CHECK(duration.base_mean == Approx(2));
  CHECK(duration.other_mean == Approx(4));
  // By hand: differences 1, 2, 3: mean 2, deviation 1, t(2) = 4.3027; half-width 4.3027 / sqrt(3).
  CHECK(duration.difference.count == 3);
  CHECK(duration.difference.half_width.value() == Approx(4.3027 / std::sqrt(3.0)));
  // Between the order statistics 1, 2, 3, nine tenths of the way from the second to the third.
  CHECK(duration.base_p95 == Approx(2.9));
  CHECK(duration.other_p95 == Approx(5.8));
  const std::vector<RunFigure>& run = comparison.others[0].run;
  REQUIRE(run.size() == 3);  // what one of the runs lacks is not compared
  CHECK((run[0].key == "attainment" && run[0].base == 0.5 && run[0].other == 0.75));
  CHECK((run[1].part == "agents" && run[1].of == "x" && run[1].base == 0.25 && run[1].other == 0.5));
  CHECK((run[2].of == "p" && run[2].base == 0.25 && run[2].other == 0.5));
  CHECK(to_json(comparison)["others"][0]["run"]["agents"]["x"]["attainment"]["other"] == 0.5);
  CHECK(comparison.others[0].levels.empty());  // no manifest says what they were judged by
  CHECK(to_json(comparison)["others"][0]["run"]["pools"]["p"]["busy"]["other"] == 0.5);
  CHECK(figure(tasks, "cause_queue_s").difference.mean == Approx(0.25));
  CHECK(tasks.figures.size() == 2);  // the tool's cause is 0 everywhere
  CHECK(to_json(comparison)["others"][0]["calls"]["figures"]["ttft_s"]["low_95"].is_null());
}

TEST_CASE("runs that were judged by different levels are said to be, with what differs") {
  const ResultFolder folder("compare-levels");
  const auto judged = [&](const char* run, const std::string& scenario) {
    write(folder.path / run / "tasks.csv", "task_id,agent,arrival_s,duration_s,status\n0,x,0,1,completed\n");
    write(folder.path / run / "calls.csv", "call_id,task_id,arrival_s,ttft_s,status\n0,0,0,1,completed\n");
    write(folder.path / run / "manifest.json", R"({"schema": "tokenyard.manifest/1", "scenario": )" + scenario + "}");
  };
  judged("base", R"({"slo": {"ttft_s": 2, "agents": {"sales": {}}}})");
  judged("same", R"({"slo": {"agents": {"sales": {"ttft_s": 2}}, "ttft_s": 2.0, "attainment": 0.95}})");
  judged("strict", R"({"slo": {"ttft_s": 1, "attainment": 0.99, "agents": {"sales": {}, "voice": {"tpot_s": 0.05}}}})");
  judged("none", "{}");
  const Comparison comparison =
      compare({folder.path / "base", folder.path / "same", folder.path / "strict", folder.path / "none"});
  CHECK(comparison.others[0].levels.empty());
  const std::vector<LevelDifference>& levels = comparison.others[1].levels;
  REQUIRE(levels.size() == 4);
  CHECK((levels[0].agent.empty() && levels[0].key == "ttft_s" && levels[0].base == 2 && levels[0].other == 1));
  CHECK((levels[1].key == "attainment" && levels[1].base == 0.95 && levels[1].other == 0.99));
  CHECK((levels[2].agent == "voice" && levels[2].key == "judged_by_itself" && levels[2].base == 0));
  CHECK((levels[3].agent == "voice" && levels[3].key == "tpot_s" && !levels[3].base && levels[3].other == 0.05));
  CHECK(to_json(comparison)["others"][1]["level_differences"][3]["base"].is_null());
  REQUIRE(comparison.others[2].levels.size() == 2);  // of all, and sales no longer by itself
  CHECK((comparison.others[2].levels[0].key == "ttft_s" && !comparison.others[2].levels[0].other));
}

TEST_CASE("a comparison says which of its runs are partial") {
  const ResultFolder folder("compare-partial");
  for (const char* status : {"complete", "partial"}) {
    write(folder.path / status / "tasks.csv", "task_id,agent,arrival_s,duration_s,status\n0,x,0,1,completed\n");
    write(folder.path / status / "calls.csv", "call_id,task_id,arrival_s,ttft_s,status\n0,0,0,1,completed\n");
    write(folder.path / status / "summary.json",
          R"({"schema": "tokenyard.summary/1", "status": ")" + std::string(status) + "\"}");
  }
  const std::string whole = folder.path / "complete", cut = folder.path / "partial";
  const Comparison comparison = compare({whole, whole, cut});
  CHECK_FALSE(comparison.base_partial);
  CHECK_FALSE(comparison.others[0].partial);
  CHECK(comparison.others[1].partial);
  CHECK(to_json(comparison)["others"][1]["partial"] == true);
  CHECK(to_json(compare({cut, whole}))["base_partial"] == true);
  CHECK_THAT(run({"compare", whole, whole}).out, !Catch::Contains("Partial"));
  CHECK_THAT(run({"compare", whole, cut}).out, Catch::Contains("Partial: this run was interrupted before its end"));
  CHECK_THAT(run({"compare", cut, whole}).out, Catch::Contains("Partial: the base was interrupted"));
  CHECK_THAT(run({"compare", cut, cut}).out, Catch::Contains("Partial: both runs were interrupted before their end"));
}

TEST_CASE("calls are paired by their tasks, though another's may come between in one of the runs") {
  const ResultFolder folder("compare-calls");
  const std::string tasks = "task_id,agent,arrival_s,duration_s,status\n0,x,0,1,completed\n1,x,0,1,completed\n";
  const std::string calls = "call_id,task_id,arrival_s,prompt_tokens,ttft_s,status\n";
  for (const char* run : {"a", "b"}) {
    write(folder.path / run / "tasks.csv", tasks);
    write(folder.path / run / "summary.json", R"({"schema": "tokenyard.summary/1"})");
  }
  write(folder.path / "a/calls.csv",
        calls + "0,0,0,10,1,completed\n1,1,1,20,1,completed\n2,0,2,30,1,completed\n3,1,3,40,1,completed\n");
  write(folder.path / "b/calls.csv",
        calls + "0,0,0,10,2,completed\n1,0,1,30,2,completed\n2,1,2,20,2,completed\n3,1,3,40,2,completed\n");
  const PairedTable paired = compare({folder.path / "a", folder.path / "b"}).others.at(0).calls;
  CHECK(paired.pairs == 4);
  CHECK(paired.moved == 2);
  CHECK(figure(paired, "prompt_tokens").difference.half_width == 0.0);
  CHECK(figure(paired, "ttft_s").difference.mean == 1);
}

TEST_CASE("under one seed, a pair's difference is the effect of what was changed") {
  const ResultFolder one("compare-one"), two("compare-two");
  const std::string head =
      R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1}]}]}, "run": {"duration_s": 120},
      "workload": {"requests": {"rate_per_s": 8, "prompt_tokens": {"dist": "lognormal", "median": 1000, "sigma": 0.8}, "output_tokens": 100}},
      "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": )";
  simulate_text(head + "1}]}", one, {.write = {"calls", "tasks"}});
  simulate_text(head + "2}]}", two, {.write = {"calls", "tasks"}});
  const Comparison comparison = compare({one.path, two.path});
  const PairedTable& tasks = comparison.others[0].tasks;
  CHECK(tasks.pairs > 800);
  CHECK(tasks.only_base + tasks.only_other + tasks.moved == 0);
  CHECK(figure(tasks, "prompt_tokens").difference.mean == 0);
  const sim::MeanInterval& duration = figure(tasks, "duration_s").difference;
  CHECK(duration.mean < 0);
  CHECK(-duration.mean > 3 * duration.half_width.value());
  double causes = 0;
  for (const PairedFigure& f : tasks.figures) causes += f.name.starts_with("cause_") ? f.difference.mean : 0;
  CHECK(causes == Approx(duration.mean).epsilon(1e-6));
  CHECK(figure(compare({one.path, one.path}).others[0].tasks, "duration_s").difference.half_width.value() == 0);
}

TEST_CASE("a folder that cannot be compared is named, with the line") {
  const ResultFolder folder("compare-bad");
  CHECK_THROWS_WITH(compare({folder.path / "none", folder.path}),
                    Catch::Contains("none/tasks.csv: found no such file, allowed: the result folder of a run") &&
                        !Catch::Contains("--write"));
  const auto not_written =
      Catch::Contains("allowed: the result folder of a run that wrote it: run it again with --write calls,tasks");
  CHECK_THROWS_WITH(compare({folder.path, folder.path}),
                    Catch::Contains("/tasks.csv: found no such file") && not_written);
  write(folder.path / "tasks.csv", "task_id,arrival_s,duration_s\n0,0,1\n1,0,one\n");
  CHECK_THROWS_WITH(compare({folder.path, folder.path}),
                    Catch::Contains("tasks.csv: line 3") && Catch::Contains("\"one\""));
  write(folder.path / "tasks.csv", "task,arrival_s\n");
  CHECK_THROWS_WITH(compare({folder.path, folder.path}), Catch::Contains("a header with task_id and arrival_s"));
  write(folder.path / "tasks.csv", "task_id,arrival_s,duration_s\n0,0,1\n");
  CHECK_THROWS_WITH(compare({folder.path, folder.path}),
                    Catch::Contains("/calls.csv: found no such file") && not_written);
  write(folder.path / "calls.csv", "call_id,task_id,arrival_s,ttft_s\n0,0,0,1\n");
  write(folder.path / "summary.json", R"({"schema": "tokenyard.demand/1"})");
  CHECK_THROWS_WITH(compare({folder.path, folder.path}),
                    Catch::Contains("summary.json: /schema: found \"tokenyard.demand/1\""));
}

}  // namespace tokenyard::analysis
