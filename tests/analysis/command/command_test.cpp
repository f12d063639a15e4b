#include "analysis/command/command.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "analysis/command/terminal_summary.hpp"
#include "tests/analysis/command/outcome.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;
using sim::Json;

namespace {

const std::string kScenario = TOKENYARD_SOURCE_DIR "/analysis/scenarios/requests.json";

/// The first words of the rows below "Commands".
std::vector<std::string> commands_named(const std::string& help) {
  std::istringstream lines(help.substr(help.find("\nCommands")));
  std::vector<std::string> commands;
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);
  while (std::getline(lines, line) && line.starts_with("  ")) {
    // What goes on under itself is further to the right.
    if (line[2] != ' ') commands.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return commands;
}

}  // namespace

TEST_CASE("Command: help names every command, each with examples") {
  const Outcome help = run({"--help"});
  CHECK(help.code == kDone);
  const std::vector<std::string> named = commands_named(help.out);
  CHECK(std::set<std::string>(named.begin(), named.end()) ==
        std::set<std::string>{"run", "replay", "demand", "bottleneck", "campaign", "study", "compare", "report",
                              "convert", "check", "graph", "catalog", "schema", "calibrate", "fit-agent"});
  for (const std::string& command : named) {
    INFO(command);
    const Outcome of_command = run({command, "--help"});
    CHECK(of_command.code == kDone);
    CHECK_THAT(of_command.out, Contains("Usage: tokenyard " + command) && Contains("Examples:"));
  }
  CHECK(run({}).code == kWrongInput);
  CHECK_THAT(run({"--version"}).out, Contains("tokenyard 0."));
}

TEST_CASE("Command: a run prints its summary, or it as JSON, and obeys demands") {
  const ResultFolder folder("command");
  const std::vector<std::string> base = {"run",     kScenario, "--set", "/run={\"duration_s\": 20}",
                                         "--write", "none",    "--out", folder.path.string()};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return run(more);
  };
  const Outcome plain = with({});
  CHECK(plain.code == kDone);
  CHECK_THAT(plain.out, Contains("time to first token") && Contains("8 h100-sxm") && Contains(folder.path.string()));
  const Json summary = Json::parse(with({"--json"}).out);
  CHECK(summary["status"] == "complete");
  CHECK(with({"--quiet"}).out.empty());
  CHECK(with({"--quiet", "--assert", "counts.calls > 0"}).code == kDone);
  const Outcome failed = with({"--quiet", "--assert", "counts.calls < 0", "--assert", "p50 task_s < 0"});
  CHECK(failed.code == kInfeasible);
  CHECK_THAT(failed.err, Contains("counts.calls < 0") && Contains("p50 task_s < 0"));
}

TEST_CASE("Command: a manifest names what was read, and the trace that was replayed") {
  const ResultFolder folder("manifest");
  std::filesystem::create_directories(folder.path / "own/chips");
  std::ofstream(folder.path / "own/chips/fast.json") << R"({"name": "fast"})";
  const std::string trace = (folder.path / "trace.csv").string(), own = (folder.path / "own").string();
  std::ofstream(trace) << "arrival_s,prompt_tokens,output_tokens\n0,100,10\n";
  const Outcome replayed = run({"replay", trace, "--format", "requests", "--on", kScenario, "--speed", "2", "--set",
                                R"(/workload={"trace": {"path": "x", "format": "azure", "pool": "main"}})", "--catalog",
                                own, "--quiet", "--out", (folder.path / "run").string()});
  INFO(replayed.err);
  REQUIRE(replayed.code == kDone);
  const Json manifest = Json::parse(folder.read("run/manifest.json"));
  std::vector<std::string> paths;
  for (const Json& input : manifest["inputs"]) paths.push_back(input["path"]);
  CHECK(paths == std::vector<std::string>{kScenario, trace, own});
  CHECK(manifest["inputs"][0]["sha256"].get<std::string>().size() == 64);
  CHECK(manifest["scenario"]["workload"]["trace"]["format"] == "requests");
  CHECK(manifest["scenario"]["workload"]["trace"]["speed"] == 2.0);
  CHECK(manifest["scenario"]["workload"]["trace"]["pool"] == "main");
  std::ofstream(folder.path / "resolved.json") << manifest["scenario"];
  CHECK(run({"check", (folder.path / "resolved.json").string()}).code == kDone);
}

TEST_CASE("Command: a result folder holds one run, but an earlier run's record may be replayed into it") {
  const ResultFolder folder("one-run");
  const std::string out = folder.path.string();
  const auto has = [&](const char* name) { return std::filesystem::exists(folder.path / name); };
  const std::vector<std::string> base = {"run",     kScenario, "--set", "/run={\"duration_s\": 5}",
                                         "--quiet", "--out",   out};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return run(more).code;
  };
  REQUIRE(with({"--write", "calls,record"}) == kDone);
  CHECK((has("calls.csv") && has("record.jsonl") && has("report.html")));
  const std::string record = (folder.path / "record.jsonl").string();
  REQUIRE(run({"replay", record, "--format", "record", "--on", kScenario, "--quiet", "--out", out, "--write", "tasks"})
              .code == kDone);
  CHECK((has("record.jsonl") && has("tasks.csv") && !has("calls.csv")));
  REQUIRE(with({"--write", "none", "--no-report"}) == kDone);
  CHECK_FALSE((has("record.jsonl") || has("tasks.csv") || has("report.html")));

  std::filesystem::remove_all(folder.path);
  std::filesystem::create_directories(folder.path);
  std::ofstream(folder.path / "tasks.csv") << "somebody's own";
  REQUIRE(with({"--write", "none"}) == kDone);
  CHECK(has("tasks.csv"));  // it was no result folder
}

TEST_CASE("Command: weights must fit though the KV blocks are given; what is not had as asked for is warned of") {
  const ResultFolder folder("engine-keys");
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", kScenario, "--set", "/run={\"duration_s\": 5}", "--write", "none", "--out",
                               folder.path.string(), "--set", "/pools/0/parallelism/tp=1"});
    return run(more);
  };
  const Outcome large =
      with({"--set", "/pools/0/engine/num_gpu_blocks_override=1000", "--set", "/pools/0/model=llama-3.1-405b"});
  CHECK(large.code == kInfeasible);
  CHECK_THAT(large.err, Contains("of weights on each of 1 chips"));
  CHECK(with({"--set", "/pools/0/engine/num_gpu_blocks_override=1000"}).code == kDone);
  const Outcome longer = with({"--set", "/pools/0/engine/max_model_len=1000000"});
  CHECK(longer.code == kDone);
  CHECK_THAT(longer.out, Contains("max_model_len is 1000000"));
  CHECK_THAT(with({"--set", "/pools/0/engine/num_gpu_blocks_override=1000", "--set", "/pools/0/parallelism/ep=2"}).out,
             Contains("ep is 2, but llama-3.1-70b has no experts"));
  CHECK_THAT(with({"--set", "/pools/0/model=qwen3-30b-a3b", "--set", "/pools/0/parallelism/ep=8"}).out,
             Contains("ep is 8, but a stage of its replicas has tp · dp = 1 chips"));
}

TEST_CASE("Command: calibrate finds chip, model and parallelism in the names") {
  const auto all_reduce = public_data("aiconfigurator/gb200__custom_allreduce__vllm_0.14.0.csv.xz");
  const auto profile = public_data("llmservingsim/profile_RTXPRO6000_Llama-3.1-8B_tp2_dense.csv.xz");
  if (!all_reduce || !profile) return;
  const ResultFolder folder("calibrate");
  std::filesystem::create_directories(folder.path);
  const std::string entry = (folder.path / "own.json").string(), named = (folder.path / "h200-sxm.json").string();
  CHECK_THAT(run({"calibrate", *all_reduce, "-o", entry}).out, Contains("gb200-nvl72, all-reduces"));
  CHECK_THAT(run({"calibrate", *all_reduce, "-o", named}).out, Contains("h200-sxm, all-reduces"));
  std::string prefix = *profile;
  prefix.resize(prefix.size() - std::string("_dense.csv.xz").size());
  CHECK_THAT(run({"calibrate", prefix, "--format", "llmservingsim", "-o", entry}).out,
             Contains("rtx-pro-6000, kernels of llama-3.1-8b at tensor parallelism 2"));
  std::filesystem::copy_file(*all_reduce, folder.path / "table.csv.xz");
  const Outcome nameless = run({"calibrate", (folder.path / "table.csv.xz").string(), "-o", entry});
  CHECK(nameless.code == kWrongInput);
  CHECK_THAT(nameless.err, Contains("--chip") && Contains("tokenyard catalog chips"));
}

TEST_CASE("Command: an unknown format is answered with all that there are") {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"replay", "t.csv", "--format", "wekaa", "--on", kScenario},
        std::vector<std::string>{"convert", "t.csv", "--format", "wekaa", "--to", "otlp", "-o", "x"}}) {
    const Outcome unknown = run(command);
    CHECK(unknown.code == kWrongInput);
    CHECK_THAT(unknown.err, Contains("azure") && Contains("otlp") && Contains("did you mean \"weka\""));
  }
}

TEST_CASE("Command: check says what each file is") {
  const std::string root = TOKENYARD_SOURCE_DIR;
  const Outcome fine = run({"check", kScenario, root + "/platforms/catalog/chips/h100-sxm.json",
                            root + "/platforms/catalog/clusters/hgx-h200.json",
                            root + "/tests/analysis/schemas/samples/sub_agent.json"});
  INFO(fine.err);
  CHECK(fine.code == kDone);
  for (const char* line : {"requests.json: scenario, fine", "h100-sxm.json: chip, fine", "hgx-h200.json: cluster, fine",
                           "sub_agent.json: agent, fine"}) {
    CHECK_THAT(fine.out, Contains(line));
  }
  const ResultFolder folder("check");
  std::filesystem::create_directories(folder.path);
  std::ofstream(folder.path / "trace.csv") << "arrival_s,prompt_tokens,output_tokens\n0,100,10\n1.5,200,20\n";
  const Outcome trace = run({"check", (folder.path / "trace.csv").string()});
  INFO(trace.err);
  CHECK(trace.code == kDone);
  CHECK_THAT(trace.out, Contains("requests trace of 2 requests over 1.50\u00a0s, 300 tokens in, 30 out, fine"));
  // A folder is ServeGen's also where a file of it is missing, as in what is published of it.
  const std::filesystem::path chunks = folder.path / "chunks";
  std::filesystem::create_directories(chunks);
  std::ofstream(chunks / "chunk-0-trace.csv") << "0,4,1,,0,0\n10,0,0,,0,0\n";
  CHECK_THAT(run({"check", chunks.string()}).err, Contains("chunk-0-dataset.json: found no such file"));
  std::ofstream(chunks / "chunk-0-dataset.json") << R"({"0": {"input_tokens": "{45: 1}", "output_tokens": "{7: 1}"}})";
  CHECK_THAT(run({"check", chunks.string()}).out, Contains("servegen trace of"));
}

TEST_CASE("Command: check doubts a model whose parameters are not what its dimensions make") {
  const ResultFolder folder("check-model");
  Json model = Json::parse(whole_file(TOKENYARD_SOURCE_DIR "/platforms/catalog/models/llama-3.1-8b.json"));
  model["name"] = "mine";
  const std::string path = (folder.path / "mine.json").string();
  const auto said_of = [&](double total) {
    model["parameters_total"]["value"] = total;
    std::ofstream(path) << model;
    const Outcome outcome = run({"check", path});
    CHECK(outcome.code == kDone);
    return outcome.out;
  };
  CHECK(said_of(8.5e9) == path + ": model, fine\n");
  CHECK_THAT(said_of(16e9),
             Contains("model, fine, but parameters_total is 16") && Contains("its dimensions make 8.03"));
}

TEST_CASE("Command: an agent that a trace does not have is told by check, of a scenario and of a campaign") {
  const ResultFolder folder("check-traced-agents");
  std::filesystem::create_directories(folder.path);
  std::ofstream(folder.path / "trace.jsonl")
      << R"({"agent": "sales", "arrival_ns": 0, "steps": [{"kind": "tool", "node": "look-up", "took_ns": 5, "cause": "tool", "count": 3}]})"
      << '\n';
  const auto write = [&](const std::string& agent) {
    std::ofstream(folder.path / "scenario.json")
        << R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1}]}]},
               "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}], "slo": {"ttft_s": 1, "agents": {")" +
               agent + R"(": {"ttft_s": 2}}},
               "workload": {"trace": {"path": "trace.jsonl", "format": "record"}}})";
  };
  std::ofstream(folder.path / "campaign.json") << R"({"scenario": "scenario.json"})";
  for (const char* file : {"scenario.json", "campaign.json"}) {
    INFO(file);
    const std::string path = (folder.path / file).string();
    write("sale");
    const Outcome mistyped = run({"check", path});
    CHECK(mistyped.code == kWrongInput);
    CHECK_THAT(mistyped.err,
               Contains(path) && Contains("/slo/agents: found \"sale\"") && Contains("did you mean \"sales\""));
    write("sales");
    CHECK_THAT(run({"check", path}).out, Contains("fine"));
  }
}

TEST_CASE("Command: the catalogue, agents as graphs, schemas") {
  CHECK_THAT(run({"catalog", "chips"}).out, Contains("h100-sxm"));
  CHECK_THAT(run({"catalog", "chips", "h100-sxm"}).out, Contains("memory_bytes_per_s"));
  CHECK(Json::parse(run({"catalog", "chips", "h100-sxm", "--json"}).out)["name"] == "h100-sxm");
  CHECK_THAT(run({"catalog", "policies"}).out, Contains("task-sticky"));
  CHECK_THAT(run({"catalog", "formats"}).out, Contains("mooncake"));
  CHECK(Json::parse(run({"schema", "scenario"}).out)["$id"] == "tokenyard.scenario/1");
  const std::string agent = TOKENYARD_SOURCE_DIR "/tests/analysis/schemas/samples/sub_agent.json";
  CHECK_THAT(run({"graph", agent}).out, Contains("answer [llm]"));
  CHECK_THAT(run({"graph", agent, "--format", "dot"}).out, Contains("\"answer\" -> \"end\""));
  CHECK_THAT(run({"graph", agent, "--format", "svg"}).out, Contains("</svg>"));
}

TEST_CASE("Command: no line of the answer in words is wider than its paragraph") {
  const ResultFolder folder("command-width");
  // Names of one letter more each: some word ends exactly at the margin.
  for (std::size_t length = 1; length <= 90; ++length) {
    const Outcome outcome =
        run({"run", kScenario, "--set", "/run={\"duration_s\": 5}", "--set",
             "/pools/0/name=\"" + std::string(length, 'p') + '"', "--write", "none", "--out", folder.path.string()});
    REQUIRE(outcome.code == kDone);
    std::istringstream lines(outcome.out.substr(outcome.out.find("\n  results")));
    std::string line;
    std::getline(lines, line);
    std::getline(lines, line);  // of the folder, as long as it is
    while (std::getline(lines, line)) {
      INFO(line);
      CHECK(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }) <= 100);
    }
  }
}

TEST_CASE("Command: check tells rows of agents from Mooncake requests, which hold less") {
  const ResultFolder folder("check-rows");
  std::filesystem::create_directories(folder.path);
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(folder.path / name) << text << '\n';
    return (folder.path / name).string();
  };
  const std::string row = R"("timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2])";
  CHECK_THAT(run({"check", write("a.jsonl", ("{" + row + "}").c_str())}).out, Contains("mooncake trace of 1 requests"));
  CHECK_THAT(run({"check", write("b.jsonl", (R"({"request_id": "r", "wait_for": [], )" + row + "}").c_str())}).out,
             Contains("agentic-mooncake trace of 1 tasks"));
  CHECK_THAT(run({"check", write("c.jsonl", (R"({"session_id": "s", )" + row + "}").c_str())}).out,
             Contains("mooncake-sessions trace of 1 tasks"));
}

TEST_CASE("Command: graph draws an agent as its variants make it, and knows which there are") {
  CHECK_THAT(run({"graph", "trip-planning"}).out, !Contains("look-up"));
  CHECK_THAT(run({"graph", "trip-planning", "--variant", "react"}).out, Contains("look-up"));
  const Outcome wrong = run({"graph", "trip-planning", "--variant", "reakt"});
  CHECK(wrong.code == kWrongInput);
  CHECK_THAT(wrong.err, Contains("did you mean \"react\""));
  CHECK_THAT(run({"catalog", "agents", "it-security"}).out, Contains("offensive, reasoning-heavy"));
}

TEST_CASE("Command: a trace's tokens are in the spans made of it, and no guess at what a cache held") {
  const ResultFolder folder("converted-tokens");
  std::filesystem::create_directories(folder.path);
  const std::string requests = (folder.path / "requests.csv").string(), spans = (folder.path / "spans.jsonl").string();
  std::ofstream(requests) << "arrival_s,prompt_tokens,output_tokens\n0,100,64\n1,200,7\n";
  REQUIRE(run({"convert", requests, "--format", "requests", "--to", "otlp", "-o", spans}).code == kDone);
  CHECK_THAT(run({"check", spans}).out, Contains("300 tokens in, 71 out"));
  CHECK_THAT(folder.read("spans.jsonl"), !Contains("cache_read"));
}

TEST_CASE("Command: fit-agent writes an agent that check takes, and says how near it comes") {
  const ResultFolder folder("fit-command");
  REQUIRE(run({"run", kScenario, "--set", R"(/workload={"agents": [{"agent": "customer-service", "rate_per_s": 1}]})",
               "--set", "/run={\"duration_s\": 300}", "--write", "record", "--no-report", "--quiet", "--out",
               folder.path.string()})
              .code == kDone);
  const std::string agent = (folder.path / "mine.json").string();
  const std::string record = (folder.path / "record.jsonl").string();
  const Outcome fit = run({"fit-agent", record, "--format", "record", "-o", agent, "--name", "mine"});
  CHECK(fit.code == kDone);
  CHECK_THAT(fit.out, Contains("task graph") && Contains("prompt tokens per call") && Contains("off at most"));
  CHECK_THAT(run({"check", agent}).out, Contains("agent, fine"));
  CHECK_THAT(run({"fit-agent", record, "--format", "record", "-o", "-"}).err,
             Contains("--output: found \"-\", allowed: the path of a file"));
  CHECK_THAT(run({"fit-agent", record, "--format", "azure", "-o", agent}).err, Contains("a format of tasks"));
  CHECK_THAT(run({"fit-agent", record, "--format", "record", "-o", agent, "--agent", "customer-servic"}).err,
             Contains("did you mean \"customer-service\""));
}

TEST_CASE("Command: faults that follow from one of the cluster are not told beside it") {
  const auto faults = [](const std::string& cluster) {
    const Outcome outcome = run({"run", kScenario, "--quiet", "--set", "/cluster=" + cluster});
    CHECK(outcome.code == kWrongInput);
    return outcome.err;
  };
  for (const char* cluster : {R"("hgx-h100-4x9")", R"({"sites": [{"nodes": [{"chip": "h100"}]}]})",
                              R"({"sites": [{"nodes": [{"chip": "h100-sxm"}]}], "fabric": {"topology": "torus"}})"}) {
    const std::string said = faults(cluster);
    INFO(said);
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    CHECK_THAT(said, Contains("/cluster"));
  }
  // Of pools that are wrong in themselves it still is.
  const Outcome both =
      run({"run", kScenario, "--quiet", "--set", "/cluster=\"nowhere\"", "--set", "/pools/0/chip=\"h100\""});
  CHECK_THAT(both.err, Contains("/cluster") && Contains("/pools/0/chip"));
}

TEST_CASE("Command: a list of allowed keys has each of them once") {
  const std::string said = run({"run", kScenario, "--quiet", "--set", "/clustr=1"}).err;
  INFO(said);
  CHECK_THAT(said, Contains("did you mean \"cluster\"") && Contains(" cluster, ") && !Contains("cluster, cluster"));
}

TEST_CASE("Command: where no service level is asked for, none is met or kept") {
  const ResultFolder folder("no-level");
  const std::vector<std::string> base = {"run",     kScenario, "--set", "/run={\"duration_s\": 20}", "--set", "/slo={}",
                                         "--write", "none",    "--out", folder.path.string()};
  const Outcome plain = run(base);
  CHECK(plain.code == kDone);
  CHECK_THAT(plain.out, Contains("No service level was asked for") && !Contains("within its limits"));
  const Json summary = Json::parse(folder.read("summary.json"));
  for (const char* key : {"attainment", "attainment_calls", "attainment_tasks", "met"})
    CHECK(summary["slo"][key].is_null());
  CHECK(summary["slo"]["goodput_calls_per_s"] == summary["throughput"]["calls_per_s"]);
  CHECK(summary["agents"]["requests"]["attainment"].is_null());
  std::vector<std::string> demanding = base;
  demanding.insert(demanding.end(), {"--assert", "slo.attainment >= 0.5"});
  CHECK(run(demanding).code == kInfeasible);
}

TEST_CASE("Command: what a search finds wrong with a scenario is told with its file") {
  const Outcome idle = run({"demand", kScenario, "--set", "/run={\"duration_s\": 0.5}", "--no-cache", "--quiet"});
  CHECK(idle.code == kWrongInput);
  CHECK_THAT(idle.err, Contains(kScenario + ": /run/duration_s: found 2 tasks in the 0.5 s that are measured"));
}

TEST_CASE("Command: tasks that failed in a record failed in the spans made of it") {
  const ResultFolder folder("converted");
  std::filesystem::create_directories(folder.path);
  const std::string record = (folder.path / "record.jsonl").string(), spans = (folder.path / "spans.jsonl").string();
  std::ofstream out(record);
  for (const char* status :
       {"", R"("status": "completed", )", R"("status": "failed", )", R"("status": "rejected", )"}) {
    out << R"({"agent": "a", "arrival_ns": 0, )" << status
        << R"("steps": [{"kind": "tool", "node": "look-up", "took_ns": 5, "cause": "tool", "count": 3}]})" << '\n';
  }
  out.close();
  REQUIRE(run({"convert", record, "--format", "record", "--to", "otlp", "-o", spans}).code == kDone);
  std::istringstream lines(folder.read("spans.jsonl"));
  std::vector<int> failed, tools;
  for (std::string line; std::getline(lines, line);) {
    const Json list = Json::parse(line)["resourceSpans"][0]["scopeSpans"][0]["spans"];
    failed.push_back(list[0]["status"]["code"]);
    tools.push_back(static_cast<int>(list.size()) - 1);
  }
  CHECK(failed == std::vector<int>{1, 1, 2, 2});
  CHECK(tools == std::vector<int>{3, 3, 3, 3});
  const std::string again = (folder.path / "again.jsonl").string();
  REQUIRE(run({"convert", record, "--format", "record", "--to", "record", "-o", again}).code == kDone);
  CHECK_THAT(folder.read("again.jsonl"), Contains(R"("status":"failed")") && Contains(R"("status":"rejected")"));
}

TEST_CASE("Command: a run that served nothing says so, with the reason and what helps") {
  const ResultFolder folder("command-nothing");
  const Outcome none =
      run({"run", kScenario, "--set", R"(/run={"duration_s": 20})", "--set", "/pools/0/engine/max_model_len=16",
           "--write", "none", "--no-report", "--out", (folder.path / "out").string()});
  INFO(none.out);
  CHECK(none.code == kDone);
  CHECK_THAT(none.out, Contains("Nothing was served: ") && Contains(" rejected; the notes say why, and what helps.") &&
                           Contains("none: nothing was served") && Contains("a larger engine/max_model_len") &&
                           !Contains("tasks/s") && !Contains("time to first token"));
}
