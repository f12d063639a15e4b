#include "platforms/cost/speculative_step_cost.hpp"

#include "platforms/cost/replica_memory.hpp"
#include "platforms/spec/catalog.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

ReplicaSpec deepseek() {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h200-sxm");
  spec.model = built_in_catalog().find_model("deepseek-v3");
  spec.parallelism.tp = 8;
  spec.weights = spec.kv = Precision::kFp8;
  return spec;
}

double seconds(const StepCost& cost, std::int32_t calls, Tokens context, std::span<const PrefillChunk> chunks = {}) {
  const StepPiece piece = cost.piece({calls, context}, chunks);
  REQUIRE(piece.context_limit >= context);
  return static_cast<double>(piece.ticks(context)) * 1e-9 / static_cast<double>(sim::FineTime::kTicksPerNanosecond);
}

}  // namespace

TEST_CASE("Checking drafts costs more than a token and less than as many steps") {
  ReplicaSpec spec = deepseek();
  const KernelStepCost plain(spec);
  spec.speculation.acceptance = {0.8, 0.8, 0.8};
  const SpeculativeStepCost ngram(spec);
  for (const std::int32_t calls : {1, 16, 128}) {
    CAPTURE(calls);
    const double one = seconds(plain, calls, 2000 * calls), four = seconds(ngram, calls, 2000 * calls);
    CHECK(four > one);
    CHECK(four < 4 * one);
  }
  // All weights that four tokens need are read.
  CHECK(static_cast<double>(ngram.piece({1, 2000}, {}).base_flop) >
        3.9 * static_cast<double>(plain.piece({1, 2000}, {}).base_flop));
}

TEST_CASE("Drafts that cost the chips nothing leave prompts as they are") {
  ReplicaSpec spec = deepseek();
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  spec.parallelism.tp = 1;
  const KernelStepCost plain(spec);
  spec.speculation.acceptance = {0.8, 0.8, 0.8};
  const SpeculativeStepCost ngram(spec);
  for (const Tokens tokens : {100, 1000, 8000}) {
    const PrefillChunk prompt{tokens, 0, true};
    CHECK(seconds(ngram, 0, 0, {&prompt, 1}) == seconds(plain, 0, 0, {&prompt, 1}));
  }
}

TEST_CASE("A drafter passes the step's tokens once and then one token of each call, k - 1 times") {
  ReplicaSpec spec = deepseek();
  spec.speculation.acceptance = {0.8};
  const SpeculativeStepCost ngram(spec);
  spec.speculation.drafter = layer_drafter(*spec.model);
  spec.speculation.shares_vocabulary = true;
  const double one = seconds(SpeculativeStepCost(spec), 16, 16'000), without = seconds(ngram, 16, 16'000);
  // One layer of 61, and the output matrix again.
  CHECK(one > without);
  CHECK(one < 1.15 * without);
  const auto with = [&](std::size_t drafts, bool drafter) {
    ReplicaSpec other = spec;
    other.speculation.acceptance.assign(drafts, 0.8);
    if (!drafter) other.speculation.drafter = nullptr;
    return seconds(SpeculativeStepCost(other), 16, 16'000);
  };
  const double third = with(3, true) - with(3, false), second = with(2, true) - with(2, false);
  CHECK(third > second);
  CHECK(third - second < one - without + 1e-3);

  // It computes prompts, too.
  const PrefillChunk prompt{2048, 0, true};
  CHECK(seconds(SpeculativeStepCost(spec), 0, 0, {&prompt, 1}) > seconds(ngram, 0, 0, {&prompt, 1}));
}

TEST_CASE("A drafter takes memory: its weights, and a cache of its own") {
  ReplicaSpec spec = deepseek();
  const double weights = weight_bytes_per_chip(spec), kv = kv_bytes_per_token_per_chip(spec);
  spec.speculation.acceptance = {0.8};
  CHECK(weight_bytes_per_chip(spec) == weights);
  spec.speculation.drafter = layer_drafter(*spec.model);
  spec.speculation.shares_vocabulary = true;
  // DeepSeek-V3's module for multi-token prediction has 11.5 G parameters of its own (the model card, 2024-12); of
  // these the projection, in 16 bits, lies on each chip.
  const double projection = 2 * 7168.0 * 7168.0;
  CHECK((weight_bytes_per_chip(spec) - weights) * 8 == Approx(11.5e9 + (8 * 2 - 1) * projection).epsilon(0.02));
  CHECK(kv_bytes_per_token_per_chip(spec) == Approx(kv * 62 / 61));
  spec.model = built_in_catalog().find_model("llama-3.1-70b");
  spec.speculation.drafter = std::make_shared<ModelArchitecture>(*built_in_catalog().find_model("llama-3.1-8b"));
  spec.speculation.shares_vocabulary = false;
  ReplicaSpec small = spec;
  small.model = spec.speculation.drafter.get();
  ReplicaSpec large = spec;
  small.speculation = large.speculation = {};
  CHECK(weight_bytes_per_chip(spec) == Approx(weight_bytes_per_chip(small) + weight_bytes_per_chip(large)));
}
