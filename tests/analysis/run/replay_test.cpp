/// Recorded traces end to end: every call is accounted for, and reuse is what the trace's hashes imply.

#include "tests/analysis/run/in_process.hpp"

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
