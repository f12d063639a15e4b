#include "analysis/measured/serving_bench.hpp"

#include "platforms/cost/profiled_step_cost.hpp"
#include "platforms/cost/replica_memory.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using namespace tokenyard::platforms;

namespace {

ReplicaSpec llama_on(const char* chip) {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip(chip);
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  return spec;
}

/// Attention that is far from linear in the context: leaps are cut at every point of its grid.
KernelProfile bent_profile() {
  KernelProfile profile;
  for (const double tokens : {1.0, 64.0, 2048.0}) {
    profile.layer.add(tokens, 1e-4 + 1e-7 * tokens);
    profile.token_once.add(tokens, 1e-5);
    profile.sequence_once.add(tokens, 2e-4);
  }
  for (const double calls : {1.0, 8.0, 64.0}) {
    for (const double context : {16.0, 100.0, 128.0, 300.0, 511.0}) {
      profile.decode[calls].add(context, 1e-6 * calls * context * (1 + context / 100));
      for (const double prompt : {16.0, 1024.0}) profile.mixed[prompt][0][calls].add(context, 1e-5 + 1e-8 * prompt);
    }
  }
  return profile;
}

}  // namespace

TEST_CASE("Leaping equals stepping where a measured profile bends") {
  const ReplicaSpec spec = llama_on("h100-sxm");
  const KernelProfile profile = bent_profile();
  ServingBench bench;
  bench.cost = std::make_shared<ProfiledStepCost>(spec, profile);
  bench.kv.blocks = 800;
  const BenchLoad load{
      .users = 24, .prompt_tokens = 333, .output_tokens = 500, .requests = 60, .turnaround_s = 0.01, .shortest = 0.7};
  const ServingResult leapt = bench.closed_loop(load);
  bench.batching.stepwise = true;
  const ServingResult stepped = bench.closed_loop(load);
  REQUIRE(leapt.calls.size() == 60);
  REQUIRE(stepped.calls.size() == 60);
  for (std::size_t i = 0; i < leapt.calls.size(); ++i) {
    CHECK(leapt.calls[i].ttft_s == stepped.calls[i].ttft_s);
    CHECK(leapt.calls[i].e2e_s == stepped.calls[i].e2e_s);
  }
  CHECK(leapt.totals.with_prompts == stepped.totals.with_prompts);
  CHECK(leapt.totals.without_prompts == stepped.totals.without_prompts);
  CHECK(leapt.totals.preemptions > 0);
}

TEST_CASE("Pieces of a profile join at the points of its grid") {
  const ReplicaSpec spec = llama_on("h100-sxm");
  const KernelProfile profile = bent_profile();
  const ProfiledStepCost cost(spec, profile);
  for (Tokens context = 8; context < 8 * 600;) {
    const StepPiece piece = cost.piece({8, context}, {});
    REQUIRE(piece.context_limit >= context);
    if (piece.context_limit > 8 * 600) break;
    const StepPiece next = cost.piece({8, piece.context_limit + 1}, {});
    const double here = static_cast<double>(piece.ticks(piece.context_limit + 1)),
                 there = static_cast<double>(next.ticks(piece.context_limit + 1));
    CHECK(here == Approx(there).epsilon(1e-3));
    CHECK(cost.piece({8, piece.context_limit}, {}).ticks(context) == piece.ticks(context));
    context = piece.context_limit + 1;
  }
}

TEST_CASE("A profile has the launches of its kernels in it, and not what unequal contexts take") {
  ReplicaSpec spec = llama_on("rtx-pro-6000");
  const KernelProfile profile = bent_profile();
  const PrefillChunk chunk{500, 0, true};
  const auto ticks = [&](Tokens skew, std::span<const PrefillChunk> chunks) {
    return ProfiledStepCost(spec, profile).piece({64, 64'000, skew}, chunks).ticks(64'000);
  };
  const std::int64_t decoding = ticks(0, {}), mixed = ticks(0, {&chunk, 1});
  spec.host.step_s = spec.host.prefill_step_s = spec.host.layer_s = 1;
  CHECK(ticks(0, {}) == decoding);
  CHECK(ticks(0, {&chunk, 1}) == mixed);
  spec.host.sequence_s = 1;
  CHECK(ticks(0, {}) - decoding == sim::FineTime::ticks_in(64));
  spec.host = {};
  const KernelStepCost models(spec);
  const Tokens skew = 63 * 2000;
  CHECK(ticks(skew, {}) - decoding == models.longest_alone({64, 64'000, skew}, false));
  CHECK(ticks(skew, {&chunk, 1}) - mixed == models.longest_alone({64, 64'000, skew}, true));
  CHECK(models.piece({64, 64'000, skew}, {}).ticks(64'000) - models.piece({64, 64'000, 0}, {}).ticks(64'000) ==
        models.longest_alone({64, 64'000, skew}, false));
}

TEST_CASE("A bench's cache is what the weights leave, and there is none without room or without a number") {
  const EngineDefaults& engine = *built_in_catalog().find_engine("vllm");
  const ReplicaSpec spec = llama_on("h100-sxm");
  const ServingBench bench = bench_of(engine, spec).value();
  CHECK(bench.batching.max_num_seqs == engine.max_num_seqs);
  CHECK(bench.tokenize_s_per_token == engine.host.prompt_token_s);
  CHECK(bench.kv.blocks ==
        static_cast<std::int64_t>(kv_capacity_tokens(spec, engine.gpu_memory_utilization, engine.reserved_bytes)) /
            engine.block_size);
  CHECK(bench_of(engine, spec, 0.5).value().kv.blocks < bench.kv.blocks);
  CHECK_FALSE(bench_of(engine, spec, 0.1));
  Chip unknown = *spec.chip;
  unknown.memory_bytes.reset();
  ReplicaSpec on_unknown = spec;
  on_unknown.chip = &unknown;
  CHECK_FALSE(bench_of(engine, on_unknown));
}
