#include "platforms/cost/sparse_attention.hpp"

#include "platforms/cost/kernel_step_cost.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

const Chip& h200() { return *built_in_catalog().find_chip("h200-sxm"); }
const ModelArchitecture& named(const char* name) { return *built_in_catalog().find_model(name); }

SparseAttention of(const ModelArchitecture& model, double heads = 128) {
  return {h200(), model, Precision::kBf16, heads, 1};
}

ReplicaSpec on_eight_chips() {
  ReplicaSpec spec;
  spec.chip = &h200();
  spec.model = &named("deepseek-v3.2");
  spec.weights = spec.kv = Precision::kFp8;
  spec.parallelism.tp = 8;
  return spec;
}

double seconds(const StepPiece& piece, Tokens context) {
  return static_cast<double>(piece.ticks(context)) * 1e-9 / static_cast<double>(sim::FineTime::kTicksPerNanosecond);
}

}  // namespace

TEST_CASE("A prompt's tokens are scored against all before them, and attend to as many as they choose") {
  const SparseAttention sparse = of(named("deepseek-v3.2"));
  // 61 layers; 64 heads of 128 numbers score, 128 heads of 576 and 512 attend.
  const double score = 61 * 2.0 * 64 * 128, attend = 61 * 2.0 * 128 * (576 + 512);
  CHECK(sparse.prefill_flop(4, 10000) == Approx(4 * 10002.5 * score + 4 * 2048.0 * attend));
  CHECK(sparse.prefill_flop(4096, 0) == Approx(4096 * 2048.5 * score + (2048 * 1024.5 + 2048.0 * 2048) * attend));
  CHECK_FALSE(sparse.chooses(2048, 0));
  CHECK(sparse.chooses(1, 2048));
}

TEST_CASE("Kernels of chosen tokens take 64 heads however few there are") {
  const ModelArchitecture& glm = named("glm-5");
  const auto attention_s = [&](double heads) {
    KernelTime time = of(glm, heads).prefill(1024, 4096);
    return time[Bound::kCompute];
  };
  CHECK(attention_s(8) == Approx(attention_s(64)));
  CHECK(attention_s(128) > 1.5 * attention_s(64));
}

TEST_CASE("Layers that share another's choice neither score nor keep keys") {
  const ModelArchitecture &each = named("glm-5"), &shared = named("glm-5.2");
  KernelTime all = of(each).choose(16, 100000), some = of(shared).choose(16, 100000);
  CHECK(some.total() / all.total() == Approx(21.0 / 78));
  CHECK(shared.index_bytes_per_token() == 21 * 132);
  CHECK(each.kv_bytes_per_token(Precision::kFp8) - shared.kv_bytes_per_token(Precision::kFp8) == 57 * 132);
}

TEST_CASE("Beyond the tokens it chooses, a decoding step grows by its scores alone") {
  ReplicaSpec spec = on_eight_chips();
  const KernelStepCost cost(spec);
  const StepPiece brief = cost.piece({16, 16 * 1000}, {}), wide = cost.piece({16, 16 * 100000}, {});
  CHECK(brief.context_limit <= 16 * 2048);
  CHECK(wide.slope_bytes == 61 * 132);
  CHECK(wide.slope_flop == std::int64_t{61} * 2 * 64 * 128);
  CHECK(brief.slope_bytes == 61 * (656 + 132));
  // 16 calls read 2,048 tokens each, of 656 bytes in 61 layers.
  CHECK(wide.base_bytes - brief.base_bytes == Approx(16.0 * 2048 * 61 * 656).epsilon(1e-6));
  CHECK(wide.slope() < brief.slope());
  CHECK(seconds(cost.piece({16, 16 * 2049}, {}), 16 * 2049) - seconds(cost.piece({16, 16 * 2048}, {}), 16 * 2048) ==
        Approx(61 * (kChooseS + 2049 * kChooseTokenS)).epsilon(0.01));

  spec.model = &named("deepseek-v3");
  const KernelStepCost dense(spec);
  const auto grown = [](const KernelStepCost& of_model) {
    return seconds(of_model.piece({16, 16 * 120000}, {}), 16 * 120000) -
           seconds(of_model.piece({16, 16 * 2048}, {}), 16 * 2048);
  };
  CHECK(grown(cost) < 0.5 * grown(dense));
}

TEST_CASE("No two tokens that a call decodes share what they read") {
  ReplicaSpec spec = on_eight_chips();
  const auto attending = [&](std::size_t drafts) {
    spec.speculation.acceptance.assign(drafts, 0.5);
    const KernelStepCost cost(spec);
    const StepPiece brief = cost.piece({64, 64 * 100}, {}), all = cost.piece({64, 64 * 2048}, {});
    return std::pair(seconds(all, 64 * 2048) - seconds(brief, 64 * 100),
                     all.base_bytes + all.slope_bytes * 64 * 2048 - brief.base_bytes - brief.slope_bytes * 64 * 100);
  };
  const auto [alone_s, alone_bytes] = attending(0);
  const auto [drafted_s, drafted_bytes] = attending(3);
  const double read = 64.0 * 1948 * 61 * 656, keys = 64.0 * 1948 * 61 * 132;
  CHECK(static_cast<double>(alone_bytes) == Approx(read + keys));
  CHECK(static_cast<double>(drafted_bytes) == Approx(4 * read + keys));
  CHECK(drafted_s > 3 * alone_s);
  // Tiles of 64 heads at 410 of H800's 989 TFLOP/s.
  CHECK(of(*spec.model, 16).least_to_attend(64, 2048) == Approx(64.0 * 2048 * 61 * 2 * 64 * 1088 / (989e12 * 0.415)));
}

TEST_CASE("Whoever chooses one token attends to one") {
  ModelArchitecture model = named("glm-5");
  model.sparse->top_k = 1;
  ReplicaSpec spec;
  spec.chip = &h200();
  spec.model = &model;
  spec.weights = spec.kv = Precision::kFp8;
  const KernelStepCost cost(spec);
  for (const Tokens context : {1, 2, 3, 50, 1000}) {
    const double step_s = seconds(cost.piece({1, context}, {}), context);
    CHECK(step_s > 0);
    CHECK(step_s < 1);
  }
}

TEST_CASE("A long prompt is read faster if it chooses, a short one as fast: it has no choice") {
  ReplicaSpec spec;
  spec.chip = &h200();
  spec.weights = spec.kv = Precision::kFp8;
  spec.parallelism = {.dp = 8, .ep = 8};  // all 128 heads on each chip
  const auto prompt_s = [&](const char* model, Tokens tokens, Tokens before) {
    spec.model = &named(model);
    const PrefillChunk chunk{tokens, before, true};
    return seconds(KernelStepCost(spec).piece({}, {&chunk, 1}), 0);
  };
  CHECK(prompt_s("deepseek-v3.2", 4096, 100000) < 0.5 * prompt_s("deepseek-v3", 4096, 100000));
  CHECK(prompt_s("deepseek-v3.2", 2048, 0) == Approx(prompt_s("deepseek-v3", 2048, 0)).epsilon(0.1));
  CHECK(prompt_s("deepseek-v3.2", 4096, 0) > prompt_s("deepseek-v3", 4096, 0));  // each query gathers its own
}
