/// Recorded traces end to end: every call is accounted for, and reuse is what the trace's hashes imply.

#include "tests/analysis/run/in_process.hpp"
#include "tests/support/catch.hpp"
#include "traces/readers/task_reader.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;

TEST_CASE("The Azure conversation trace: every call is accounted for") {
  const auto trace = public_data("azure_llm_2023/AzureLLMInferenceTrace_conv.csv");
  if (!trace) return;
  const ResultFolder folder("azure");
  const auto source = traces::open_trace(*trace, "azure", {});
  const sim::Json summary = simulate_text(llama_70b_on_h100(4), folder, {.write = {"calls"}}, source.get());
  const sim::Json& counts = summary["counts"];
  CHECK(counts["calls"] == 19366);
  CHECK(counts["calls_completed"] == 19366);
  CHECK(counts["tasks"] == 19366);
  CHECK(counts["prompt_tokens"].get<std::int64_t>() + counts["output_tokens"].get<std::int64_t>() == 26'450'535);
  const std::string calls = folder.read("calls.csv");
  CHECK(std::count(calls.begin(), calls.end(), '\n') == 19366 + 1);
}

TEST_CASE("With unlimited KV one replica reuses of the Mooncake trace what its hashes imply") {
  const auto trace = public_data("mooncake_fast25/conversation_trace.jsonl");
  if (!trace) return;
  const ResultFolder folder("mooncake");
  const auto source = traces::open_trace(*trace, "mooncake", {});
  const sim::Json summary =
      simulate_text(llama_70b_on_h100(1, R"({"num_gpu_blocks_override": 100000000})"), folder, {}, source.get());
  const sim::Json& counts = summary["counts"];
  CHECK(counts["calls_completed"] == 12031);
  // 0.366 of the 512-token blocks, partial last ones included, which are 0.374 of the prompt tokens.
  CHECK(counts["cached_tokens"].get<double>() / counts["prompt_tokens"].get<double>() == Approx(0.374).margin(0.0005));
}

TEST_CASE("Tasks that failed are recorded as such, and fail when the record is replayed") {
  const ResultFolder folder("failed-record");
  const std::string desk = R"({
      "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
      "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 4}],
      "workload": {"agents": [{"agent": "soc-investigator", "variant": "weak-model", "rate_per_s": 1}]},
      "run": {"duration_s": 60}})";
  const sim::Json ran = simulate_text(desk, folder, {.write = {"record"}});
  const auto failed = ran["counts"]["tasks_failed"].get<int>();
  CHECK(failed > 10);
  const auto source = traces::open_tasks((folder.path / "record.jsonl").string(), "record");
  Replay replay;
  replay.tasks = source.get();
  replay.pools = {0};
  const ResultFolder again("failed-replay");
  CHECK(simulate_text(desk, again, {}, replay)["counts"]["tasks_failed"].get<int>() == failed);
}

TEST_CASE("A record of a run that ended before its work is read again, each task with its status") {
  const ResultFolder folder("unfinished-record");
  const sim::Json ran = simulate_text(R"({
      "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
      "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}],
      "workload": {"requests": {"rate_per_s": 5, "prompt_tokens": 500, "output_tokens": 2000}},
      "run": {"duration_s": 20, "drain": false}})",
                                      folder, {.write = {"record"}});
  const auto source = traces::open_tasks((folder.path / "record.jsonl").string(), "record");
  agents::RecordedTask task;
  int unfinished = 0;
  while (source->next(task)) unfinished += task.status == platforms::CallStatus::kUnfinished ? 1 : 0;
  CHECK(unfinished > 10);
  CHECK(ran["counts"]["tasks_unfinished"].get<int>() == unfinished);
}

TEST_CASE("Requests that arrive all at once are measured until the last has ended, however often series are sampled") {
  const ResultFolder folder("at-once");
  std::filesystem::create_directories(folder.path);
  const std::string path = (folder.path / "batch.csv").string();
  std::ofstream(path) << "arrival_s,prompt_tokens,output_tokens\n0,1000,50\n0,1000,50\n0,1000,50\n";
  const auto source = traces::open_trace(path, "requests", {});
  const sim::Json summary = simulate_text(llama_70b_on_h100(1), folder, {}, source.get());
  CHECK(summary["counts"]["calls_completed"] == 3);
  CHECK(summary["latency"]["ttft_s"]["p50"].is_number());
  const double all_s = summary["latency"]["e2e_s"]["max"];
  CHECK(summary["throughput"]["output_tokens_per_s"].get<double>() * all_s == Approx(150).epsilon(1e-3));
  CHECK(summary["throughput"]["calls_per_s"].get<double>() * all_s == Approx(3).epsilon(1e-3));
  CHECK(summary["energy"]["joules"].get<double>() > 0);
  const auto again = traces::open_trace(path, "requests", {});
  std::string seldom = llama_70b_on_h100(1);
  seldom.insert(1, R"("run": {"series_interval_s": 60}, )");
  const sim::Json same = simulate_text(seldom, ResultFolder("at-once-seldom"), {}, again.get());
  for (const char* group : {"throughput", "cost", "slo"}) CHECK(same[group] == summary[group]);
  CHECK(same["energy"]["joules"].get<double>() == Approx(summary["energy"]["joules"].get<double>()));
}

TEST_CASE("Where all arrives at once and nothing is measured, the note advises what is not set yet") {
  const ResultFolder folder("at-once-undrained");
  std::filesystem::create_directories(folder.path);
  const std::string path = (folder.path / "batch.csv").string();
  std::ofstream(path) << "arrival_s,prompt_tokens,output_tokens\n0,1000,50\n0,1000,50\n";
  const auto notes = [&](const std::string& run) {
    const auto source = traces::open_trace(path, "requests", {});
    std::string text = llama_70b_on_h100(1);
    text.insert(1, R"("run": )" + run + ", ");
    return simulate_text(text, folder, {}, source.get())["notes"].dump();
  };
  using Catch::Matchers::Contains;
  const std::string undrained = notes(R"({"warmup_s": 0, "drain": false})");
  CHECK_THAT(undrained, Contains("/run/drain=true") && !Contains("/run/warmup_s=0"));
  const std::string warm = notes(R"({"duration_s": 60, "warmup_s": 10})");
  CHECK_THAT(warm, Contains("/run/warmup_s=0") && !Contains("/run/drain=true"));
  CHECK_THAT(notes(R"({"warmup_s": 0})"), !Contains("nothing arrived in the measured time"));
}

TEST_CASE("Where all has arrived before the warm-up ends, nothing is measured, and nothing is less than nothing") {
  const ResultFolder folder("warm");
  std::filesystem::create_directories(folder.path);
  const std::string path = (folder.path / "early.csv").string();
  std::ofstream(path) << "arrival_s,prompt_tokens,output_tokens\n0,1000,500\n0.1,1000,500\n";
  const auto source = traces::open_trace(path, "requests", {});
  const sim::Json summary = simulate_text(R"({
      "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
      "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm"}],
      "workload": {"requests": {"rate_per_s": 1, "prompt_tokens": 1, "output_tokens": 1}},
      "run": {"duration_s": 60, "warmup_s": 1}})",
                                          folder, {}, source.get());
  CHECK(summary["counts"]["calls_completed"] == 2);
  for (const char* phase : {"prefill", "decode"}) CHECK(summary["pools"]["main"]["roofline"][phase]["steps"] == 0);
}
