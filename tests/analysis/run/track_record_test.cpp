#include "analysis/run/track_record.hpp"

#include "tests/analysis/run/in_process.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using platforms::built_in_catalog;

namespace {

PoolPlan pool_of(const char* chip, const char* model, const char* engine = "vllm") {
  PoolPlan pool;
  pool.chip = built_in_catalog().find_chip(chip);
  pool.model = built_in_catalog().find_model(model);
  pool.engine = built_in_catalog().find_engine(engine);
  pool.built_in = true;
  return pool;
}

}  // namespace

TEST_CASE("A run says how far off simulations of its model on its chip were, or of others") {
  const TrackRecord measured = track_record(pool_of("h100-sxm", "qwen3-32b"));
  CHECK_THAT(measured.checked, StartsWith("qwen3-32b on h100-sxm: times per output token were ") &&
                                   Contains("points measured with vllm in bf16)"));
  CHECK(measured.warning.empty());
  CHECK_THAT(track_record(pool_of("h100-sxm", "qwen3-32b", "tensorrt-llm")).checked,
             Contains("measured with vllm in bf16"));  // the number format counts for more than the engine
  CHECK_THAT(track_record(pool_of("h100-sxm", "mixtral-8x7b")).checked,
             StartsWith("mixtral-8x7b on h100-sxm: not measured; times per output token of ") &&
                 Contains("other models there were"));
  CHECK(track_record(pool_of("wse-3", "llama-3.1-8b")).checked ==
        "llama-3.1-8b on wse-3: not measured, nor are times per output token of any other model there");
}

TEST_CASE("Where throughput alone was published, that is what was checked") {
  CHECK_THAT(track_record(pool_of("a100-80-sxm", "qwen3-14b")).checked,
             StartsWith("qwen3-14b on a100-80-sxm: output tokens/s were ") && Contains("points measured with vllm"));
}

TEST_CASE("Where simulations were far off, a run warns") {
  // Experts there are kernels of another stack than the tables': docs/fidelity.md.
  PoolPlan pool = pool_of("h200-sxm", "deepseek-r1", "tensorrt-llm");
  pool.weights = platforms::Precision::kFp8;
  CHECK_THAT(track_record(pool).warning,
             StartsWith("deepseek-r1 on h200-sxm: times per output token were x ") && Contains("do not trust"));
}

TEST_CASE("A user's own chip has no record, though it have the catalogue's name") {
  PoolPlan pool = pool_of("h100-sxm", "qwen3-32b");
  pool.built_in = false;
  CHECK(track_record(pool).checked.empty());
}

TEST_CASE("A summary carries what was checked") {
  const std::string pools = R"("pools": [{"name": "p", "model": "qwen3-32b", "chip": "h100-sxm"}])";
  const std::string text = R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1}]}]}, )" + pools +
                           R"(, "workload": {"requests": {"rate_per_s": 1, "prompt_tokens": 100, "output_tokens": 10}},
                              "run": {"duration_s": 20}})";
  const sim::Json summary = simulate(read_scenario(text, true), nullptr, {});
  REQUIRE(summary["checked"].size() == 1);
  CHECK_THAT(summary["checked"][0].get<std::string>(), StartsWith("qwen3-32b on h100-sxm"));
}
