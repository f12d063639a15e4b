#include "platforms/spec/engine.hpp"

#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

TEST_CASE("defaults and host terms of the engines") {
  const Catalog& catalog = built_in_catalog();
  const EngineDefaults* vllm = catalog.find_engine("vllm");
  REQUIRE(vllm != nullptr);
  CHECK(vllm->max_num_seqs == 256);
  CHECK(vllm->max_num_batched_tokens == 8192);
  CHECK(vllm->block_size == 16);
  CHECK(vllm->gpu_memory_utilization == 0.9);
  CHECK(vllm->enable_chunked_prefill);
  CHECK(vllm->enable_prefix_caching);
  CHECK_FALSE(vllm->host.asynchronous);
  for (const char* name : {"sglang", "sglang-0.5.9", "tensorrt-llm", "vllm", "vllm-0.18", "vllm-0.19"}) {
    CAPTURE(name);
    const EngineDefaults* engine = catalog.find_engine(name);
    REQUIRE(engine != nullptr);
    CHECK(engine->host.step_s > 0);
    CHECK(engine->host.sequence_s > 0);
    CHECK(engine->host.step_s + 256 * engine->host.sequence_s < 30e-3);  // or no step of a full batch would be served
  }
}

TEST_CASE("small chips take fewer tokens a step") {
  Catalog catalog;
  sim::Faults faults;
  catalog.add(R"({"name": "careful", "arguments": {"max_num_seqs": 8, "max_num_batched_tokens": 64, "block_size": 4,
                  "gpu_memory_utilization": 1}, "small_chips": {"below_bytes": 5e10, "also": ["h100-sxm"],
                  "max_num_batched_tokens": 16}})",
              "careful.json", CatalogKind::kEngine, faults);
  REQUIRE(faults.empty());
  const EngineDefaults& engine = *catalog.find_engine("careful");
  CHECK(engine.budget_on(*built_in_catalog().find_chip("a100-80-sxm")) == 64);
  CHECK(engine.budget_on(*built_in_catalog().find_chip("h100-sxm")) == 16);
  CHECK(engine.budget_on(*built_in_catalog().find_chip("rtx-4090")) == 16);
}

TEST_CASE("an engine without host terms takes no host time") {
  Catalog catalog;
  sim::Faults faults;
  catalog.add(R"({"name": "ideal", "arguments": {"max_num_seqs": 8, "max_num_batched_tokens": 64, "block_size": 4,
                  "gpu_memory_utilization": 1}})",
              "ideal.json", CatalogKind::kEngine, faults);
  REQUIRE(faults.empty());
  const EngineDefaults* ideal = catalog.find_engine("ideal");
  REQUIRE(ideal != nullptr);
  CHECK(ideal->host.step_s == 0);
  CHECK(ideal->host.prefill_step_s == 0);
  CHECK(ideal->reserved_bytes == 0);
}

TEST_CASE("vLLM 0.12 pads experts of fp8 on Hopper, unless each is divided among 8 chips") {
  const EngineDefaults& vllm = *built_in_catalog().find_engine("vllm");
  const Chip& h200 = *built_in_catalog().find_chip("h200-sxm");
  CHECK(vllm.padded_experts_on(h200, Precision::kFp8, 4).rows == 128);
  Chip own = h200;
  own.name = "my-h200";
  CHECK_FALSE(vllm.padded_experts_on(own, Precision::kFp8, 4));
  own.base = "h200-sxm";  // as `calibrate` leaves it
  CHECK(vllm.padded_experts_on(own, Precision::kFp8, 4).rows == 128);
  CHECK_FALSE(vllm.padded_experts_on(h200, Precision::kFp8, 8));
  CHECK_FALSE(vllm.padded_experts_on(h200, Precision::kBf16, 4));
  CHECK_FALSE(vllm.padded_experts_on(*built_in_catalog().find_chip("rtx-pro-6000"), Precision::kFp8, 4));
  CHECK_FALSE(built_in_catalog().find_engine("vllm-0.19")->padded_experts_on(h200, Precision::kFp8, 4));
}

TEST_CASE("Steps are filled up to powers of two on TPUs") {
  const EngineDefaults& vllm = *built_in_catalog().find_engine("vllm");
  CHECK(vllm.buckets_on(*built_in_catalog().find_chip("tpu-v6e")).prompts == 16);
  CHECK_FALSE(vllm.buckets_on(*built_in_catalog().find_chip("h100-sxm")));
  CHECK(bucket_of(0, 16) == 0);
  CHECK(bucket_of(1, 16) == 16);
  CHECK(bucket_of(16, 16) == 16);
  CHECK(bucket_of(17, 16) == 32);
  CHECK(bucket_of(65, 1) == 128);
}
