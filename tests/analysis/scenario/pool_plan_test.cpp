#include "analysis/scenario/pool_plan.hpp"

#include <fmt/format.h>

#include "tests/analysis/run/in_process.hpp"
#include "tests/analysis/scenario/test_catalogs.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;

namespace {

std::string scenario(const std::string& chip, const std::string& model, const std::string& parallelism,
                     const std::string& engine) {
  return R"({"cluster": {"sites": [{"nodes": [{"chip": ")" + chip + R"(", "count": 1, "chips_per_node": 8}]}]},
    "pools": [{"name": "p", "model": ")" +
         model + R"(", "chip": ")" + chip + R"(", "parallelism": )" + parallelism + R"(, "engine": )" + engine + R"(}],
    "workload": {"requests": {"closed_loop": {"users": 64}, "prompt_tokens": 100, "output_tokens": 200}},
    "run": {"duration_s": 20, "warmup_s": 5}})";
}

PoolPlan pool_of(const std::string& chip, const std::string& parallelism, const std::string& engine) {
  return read_scenario(scenario(chip, "llama-3.1-8b", parallelism, engine)).pools[0];
}

}  // namespace

TEST_CASE("An engine's limits are those of each data-parallel rank, as vLLM's arguments are") {
  const std::string limits = R"({"max_num_seqs": 8, "max_num_batched_tokens": 512, "num_gpu_blocks_override": 1000})";
  const PoolPlan pool = pool_of("h100-sxm", R"({"dp": 4})", limits);
  CHECK(pool.batching.max_num_seqs == 8);
  CHECK(pool.batching.max_num_batched_tokens == 512);
  CHECK(pool.cache.blocks == 1000);
  // 64 users: four ranks serve 32 of them at a time, one serves 8.
  const auto running = [&](const char* parallelism) {
    const ResultFolder folder("ranks");
    const sim::Json summary = simulate_text(scenario("h100-sxm", "qwen3-30b-a3b", parallelism, limits), folder);
    const sim::Json& latency = summary["latency"];
    return summary["throughput"]["output_tokens_per_s"].get<double>() * latency["itl_s"]["mean"].get<double>();
  };
  CHECK(running(R"({"dp": 4, "ep": 4})") == Approx(32).epsilon(0.1));
  CHECK(running(R"({"tp": 4, "ep": 4})") == Approx(8).epsilon(0.1));
}

TEST_CASE("Tokens a step are fewer on small chips, but never fewer than calls") {
  CHECK(pool_of("h100-sxm", "{}", "{}").batching.max_num_batched_tokens == 8192);
  CHECK(pool_of("a100-80-sxm", "{}", "{}").batching.max_num_batched_tokens == 2048);
  CHECK(pool_of("l40s", "{}", R"({"name": "vllm-0.19"})").batching.max_num_batched_tokens == 2048);
  CHECK(pool_of("a100-80-sxm", "{}", R"({"name": "sglang"})").batching.max_num_batched_tokens == 8192);
  CHECK(pool_of("a100-80-sxm", "{}", R"({"max_num_seqs": 3000})").batching.max_num_batched_tokens == 3000);
  CHECK(pool_of("a100-80-sxm", "{}", R"({"max_num_batched_tokens": 4096})").batching.max_num_batched_tokens == 4096);
}

TEST_CASE("What no replica can hold ends a run whose users repeat it at once") {
  const std::string text = scenario("h100-sxm", "llama-3.1-8b", "{}", R"({"num_gpu_blocks_override": 10})");
  const ResultFolder folder("never-fits");
  CHECK_THROWS_WITH(simulate_text(text, folder), Contains("pool \"p\" rejects calls again and again") &&
                                                     Contains("a prompt of 100 tokens and an answer of 200") &&
                                                     Contains("160 tokens of KV"));
}

TEST_CASE("An engine of one compiled shape has no flags to share steps, and says where its shape does not fit") {
  const auto text_with = [](const std::string& more) {
    return scenario("trainium2", "llama-3.1-8b", "{}", R"({"name": "optimum-neuron")" + more + "}");
  };
  const auto with = [&](const std::string& more) { return read_scenario(text_with(more)); };
  const Scenario plain = with("");
  CHECK(plain.warnings.empty());
  CHECK(plain.pools[0].batching.max_model_len == 4096);
  CHECK(plain.pools[0].spec().step_shape.compiled.calls == 32);
  CHECK(plain.pools[0].spec().step_shape.compiled.length == 4096);
  CHECK_FALSE(pool_of("trainium2", "{}", "{}").spec().step_shape.compiled);
  for (const char* key : {"enable_chunked_prefill", "enable_mixed_chunk", "enable_prefix_caching"}) {
    sim::Faults faults;
    const sim::JsonFile file = sim::JsonFile::parse(text_with(fmt::format(R"(, "{}": true)", key)), "scenario", faults);
    Scenario::read(file, TestCatalogs::get().view(), true, faults);
    REQUIRE(faults.list().size() == 1);
    CHECK_THAT(faults.list()[0].message(), Contains(key) && Contains("optimum-neuron computes a prompt at a time"));
  }
  const Scenario large = with(R"(, "max_num_seqs": 256, "max_model_len": 131072)");
  REQUIRE(large.warnings.size() == 1);
  CHECK_THAT(large.warnings[0], Contains("compiles places for 256 calls of 131072 tokens"));
}
