#include "analysis/run/validity.hpp"

#include "sim/input/faults.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using platforms::built_in_catalog;

namespace {

PoolPlan pool_of(const char* chip, const char* model, platforms::Precision weights = platforms::Precision::kBf16) {
  PoolPlan pool;
  pool.chip = built_in_catalog().find_chip(chip);
  pool.model = built_in_catalog().find_model(model);
  pool.engine = built_in_catalog().find_engine("vllm");
  pool.weights = weights;
  return pool;
}

bool says(const PoolPlan& pool, std::string_view words) { return validity_note(pool).find(words) != std::string::npos; }

}  // namespace

TEST_CASE("A run within what was calibrated says nothing") {
  CHECK(validity_note(pool_of("h100-sxm", "llama-3.1-8b")).empty());
  CHECK(validity_note(pool_of("h100-sxm", "llama-3.1-8b", platforms::Precision::kFp8)).empty());
  CHECK_FALSE(step_time_uncertainty(pool_of("h100-sxm", "llama-3.1-8b")).has_value());
}

TEST_CASE("A chip without kernel data, a format that is not fitted and transferred power are said") {
  const PoolPlan tpu = pool_of("tpu-v7", "llama-3.1-8b");
  CHECK(step_time_uncertainty(tpu) == 0.25);
  CHECK(validity_note(tpu) ==
        "tpu-v7: no kernel data, step times ±25 % (extrapolated); power in steps transferred, not measured");
  CHECK(says(pool_of("h200-sxm", "llama-3.1-8b", platforms::Precision::kFp8),
             "h200-sxm: share of the peak of fp8 products assumed"));
  // Every chip either has fitted products or says how far it may be off.
  for (const std::string& name : built_in_catalog().names(platforms::CatalogKind::kChip)) {
    const platforms::Chip& chip = *built_in_catalog().find_chip(name);
    INFO(name);
    CHECK(chip.is_assumed("efficiency/attention_decode") <= chip.step_time_uncertainty.has_value());
  }
}

TEST_CASE("An engine on chips of a vendor whose it does not know is said") {
  PoolPlan pool = pool_of("trainium2", "llama-3.1-8b");
  CHECK(says(pool, "engine vllm does not run on chips of AWS, simulated as if it did"));
  pool.engine = built_in_catalog().find_engine("optimum-neuron");
  CHECK_FALSE(says(pool, "does not run"));
  pool.chip = built_in_catalog().find_chip("h100-sxm");
  CHECK(says(pool, "engine optimum-neuron does not run on chips of NVIDIA"));
  platforms::Chip own = *pool.chip;
  own.vendor = "";  // a user's, who need not say
  pool.chip = &own;
  CHECK_FALSE(says(pool, "does not run"));
}

TEST_CASE("A profile of the pool's model is data") {
  PoolPlan pool = pool_of("tpu-v7", "llama-3.1-8b");
  platforms::Chip chip = *pool.chip;
  chip.kernel_profiles.push_back({"llama-3.1-8b", 1, platforms::Precision::kBf16, platforms::Precision::kBf16,
                                  std::make_shared<platforms::KernelProfile>()});
  pool.chip = &chip;
  CHECK_FALSE(step_time_uncertainty(pool).has_value());
  CHECK_FALSE(says(pool, "extrapolated"));
  pool.parallelism.tp = 2;
  CHECK(says(pool, "extrapolated"));
  pool.parallelism.tp = 1;
  pool.engine = built_in_catalog().find_engine("optimum-neuron");  // no profile is of one compiled shape
  pool.batching.max_num_seqs = 32;
  CHECK(says(pool, "extrapolated"));
}

TEST_CASE("A summary carries the band and the notes of its pools") {
  const std::string scenario =
      R"({"cluster": {"sites": [{"nodes": [{"chip": "tpu-v6e", "count": 1, "chips_per_node": 4}]}]},
          "pools": [{"name": "p", "model": "llama-3.1-8b", "chip": "tpu-v6e", "replicas": 1}],
          "workload": {"requests": {"rate_per_s": 1, "prompt_tokens": 100, "output_tokens": 10}},
          "run": {"duration_s": 20}})";
  const sim::Json summary = simulate(read_scenario(scenario, true), nullptr, {});
  CHECK(summary["pools"]["p"]["step_time_uncertainty"] == 0.25);
  CHECK(summary["validity"].size() == 1);
}
