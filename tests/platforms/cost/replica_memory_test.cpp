#include "platforms/cost/replica_memory.hpp"

#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;

namespace {

ReplicaSpec spec_of(const char* model, std::int64_t tp) {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h200-sxm");
  spec.model = built_in_catalog().find_model(model);
  spec.parallelism.tp = tp;
  return spec;
}

}  // namespace

TEST_CASE("KV is divided among chips down to one cached head of the full layers") {
  // Gemma 4's full layers have 2 of them, its windows 8.
  CHECK(kv_bytes_per_token_per_chip(spec_of("gemma-4-26b-a4b", 2)) == 5 * 2 * 512 * 2);
  CHECK(kv_bytes_per_token_per_chip(spec_of("gemma-4-26b-a4b", 8)) == 5 * 2 * 512 * 2);
  CHECK(kv_bytes_per_token_per_chip(spec_of("llama-3.1-8b", 8)) == 131072 / 8);
  CHECK(kv_bytes_per_token_per_chip(spec_of("deepseek-v3", 8)) == 70272);
}

TEST_CASE("What windows and states take is told in tokens of context") {
  const BoundedKv gemma = bounded_kv(spec_of("gemma-3-27b", 1));  // 52 layers of 62 have a window
  CHECK(gemma.of_window_token == Approx(5.2));
  CHECK(gemma.tokens(100) == Approx(520));
  CHECK(gemma.tokens(5000) == Approx(5.2 * 1024));
  // 45 layers' states in 32 bits, beside 15 layers with 2 heads of 256 numbers.
  const double state = 45.0 * 64 * 128 * 128 * 4;
  CHECK(bounded_kv(spec_of("qwen3.5-397b-a17b", 1)).tokens(1) == Approx(state / 30720));
  CHECK(bounded_kv(spec_of("qwen3.5-397b-a17b", 8)).tokens(1) == Approx(state / 8 / (30720 / 2.0)));
  CHECK_FALSE(bounded_kv(spec_of("llama-3.1-8b", 4)));
}

TEST_CASE("A drafter's windows are kept, too; a model that keeps nothing else counts in kibibytes") {
  ReplicaSpec spec = spec_of("gemma-3-27b", 1);
  spec.speculation.drafter = std::make_shared<ModelArchitecture>(*spec.model);
  CHECK(bounded_kv(spec).tokens(5000) == Approx(5.2 * 1024));  // twice as much, of tokens twice as large

  ModelArchitecture windows = *built_in_catalog().find_model("llama-3.1-8b");
  windows.sliding_layers = 32;
  windows.full_layers = 0;
  windows.window = 4096;
  spec = spec_of("llama-3.1-8b", 1);
  spec.model = &windows;
  CHECK(kv_bytes_per_token_per_chip(spec) == 1024);
  CHECK(bounded_kv(spec).tokens(10000) == Approx(128 * 4096));
  CHECK(kv_capacity_tokens(spec, 0.9, 0) < *spec.chip->memory_bytes / 1024);
}

TEST_CASE("Chips beyond the cached heads hold copies of their keys' and values' weights") {
  const auto of = [](std::int64_t tp) { return weight_bytes_per_chip(spec_of("qwen3-235b-a22b", tp)); };
  const double kv = 2 * 94.0 * 2 * 4096 * 4 * 128;  // bytes in all layers
  CHECK(8 * of(8) - 4 * of(4) ==
        Approx(kv + 4 * 2 *
                        (built_in_catalog().find_model("qwen3-235b-a22b")->parameters().router +
                         built_in_catalog().find_model("qwen3-235b-a22b")->parameters().norms)));
}

TEST_CASE("Products down to latent vectors, indexers, routers and norms are whole on every chip of a group") {
  const ModelArchitecture& model = *built_in_catalog().find_model("deepseek-v3");
  const double one = weight_bytes_per_chip(spec_of("deepseek-v3", 1)),
               eight = weight_bytes_per_chip(spec_of("deepseek-v3", 8));
  CHECK(one == Approx(model.weight_bytes(Precision::kBf16)));
  const double whole = 2 * (61.0 * 7168 * (1536 + 512 + 64) + model.parameters().router + model.parameters().norms);
  CHECK(8 * eight - one == Approx(7 * whole).epsilon(1e-6));
}
