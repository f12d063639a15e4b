#include "platforms/cost/kernel_step_cost.hpp"

#include "platforms/spec/catalog.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

double seconds(const StepPiece& piece, Tokens context) {
  return static_cast<double>(piece.ticks(context)) * 1e-9 / static_cast<double>(sim::FineTime::kTicksPerNanosecond);
}

}  // namespace

TEST_CASE("No step of any model on any chip is faster than its physical floor") {
  std::size_t timed = 0;
  for (const std::string& chip_name : built_in_catalog().names(CatalogKind::kChip)) {
    for (const std::string& model_name : built_in_catalog().names(CatalogKind::kModel)) {
      ReplicaSpec spec;
      spec.chip = built_in_catalog().find_chip(chip_name);
      spec.model = built_in_catalog().find_model(model_name);
      for (const Precision weights : kPrecisions) {
        spec.weights = weights;
        spec.kv = Precision::kFp8;
        if (!missing_numbers(spec).empty()) continue;
        ++timed;
        INFO(chip_name << ", " << model_name << ", " << name_of(weights));
        const KernelStepCost cost(spec);
        const auto parameters = spec.model->parameters();
        // Every weight but the embedding and the experts is read in every step, the latter at least once per expert of
        // a token.
        const double read =
            (parameters.total() - parameters.embedding - parameters.experts + parameters.active_experts) *
            bytes_per_weight(weights);
        const double peak = std::max(*spec.chip->peak_flops_per_s[spec.chip->compute_precision(weights).value()],
                                     spec.chip->peak_flops_per_s[Precision::kBf16].value_or(0));
        for (const std::int32_t calls : {1, 7, 64, 512}) {
          const Tokens context = 1000 * calls;
          const double kv = spec.model->kv_bytes_per_token(spec.kv) * static_cast<double>(context);
          const double time = seconds(cost.piece({calls, context}, {}), context);
          CHECK(time >= 0.999 * (read + kv) / *spec.chip->memory_bytes_per_s);
          CHECK(time >= 0.999 * 2 * calls * (parameters.active() - parameters.embedding) / peak);
        }
        const PrefillChunk prompt{4096, 0, true};
        CHECK(seconds(cost.piece({0, 0}, {&prompt, 1}), 0) >=
              0.999 * 2 * 4096 * (parameters.active() - parameters.embedding - parameters.lm_head) / peak);
      }
    }
  }
  CHECK(timed > 400);
}

// A row more can fill units that were idle, so that weights are read a little faster: measured products do that, too.
TEST_CASE("A step with one more call, one more prompt token or more context takes no less, within 2 %") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  const KernelStepCost cost(spec);
  std::int64_t before = 0;
  for (std::int32_t calls = 1; calls <= 600; ++calls) {
    const std::int64_t ticks = cost.piece({calls, 1000}, {}).ticks(1000);
    CHECK(static_cast<double>(ticks) >= 0.98 * static_cast<double>(before));
    before = ticks;
  }
  before = 0;
  for (Tokens tokens = 1; tokens <= 4096; tokens += 13) {
    const PrefillChunk prompt{tokens, 0, true};
    const std::int64_t ticks = cost.piece({0, 0}, {&prompt, 1}).ticks(0);
    CHECK(static_cast<double>(ticks) >= 0.98 * static_cast<double>(before));
    before = ticks;
  }
  CHECK(cost.piece({8, 9000}, {}).slope() > 0);
  CHECK(cost.piece({600, 1000}, {}).ticks(1000) > cost.piece({1, 1000}, {}).ticks(1000));
}

TEST_CASE("Arithmetic of a step is two operations per weight and token, and attention") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  const KernelStepCost cost(spec);
  const auto parameters = spec.model->parameters();
  const StepPiece piece = cost.piece({32, 0}, {});
  CHECK(static_cast<double>(piece.base_flop) ==
        Approx(2 * 32 * (parameters.total() - parameters.embedding - parameters.norms)).epsilon(1e-6));
  CHECK(piece.slope_flop == 4 * 32 * 32 * 128);
}

TEST_CASE(
    "Attention to the cache is the same line for every sum of contexts up to the piece's limit, and goes on where it "
    "ends") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  REQUIRE_FALSE(spec.chip->efficiency.attention_decode_residual[Precision::kBf16].empty());
  const KernelStepCost cost(spec);
  for (const std::int32_t calls : {1, 3, 64}) {
    std::size_t pieces = 0;
    for (Tokens context = 1; context < 100000 * calls;) {
      const StepPiece piece = cost.piece({calls, context}, {});
      REQUIRE(piece.context_limit >= context);
      ++pieces;
      CHECK(piece.slope() >= 0);
      const Tokens last = std::min<Tokens>(piece.context_limit, 100000 * calls);
      for (const Tokens inside : {context, (context + last) / 2, last}) {
        const StepPiece again = cost.piece({calls, inside}, {});
        CHECK(again.ticks(inside) == piece.ticks(inside));
        CHECK(again.context_limit == piece.context_limit);
      }
      CHECK(seconds(cost.piece({calls, last + 1}, {}), last + 1) == Approx(seconds(piece, last)).epsilon(1e-3));
      context = last + 1;
    }
    CHECK(pieces > 5);
  }
}

TEST_CASE("A stage reads the KV of its own layers alone, and computes its share of a prompt's attention") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  const KernelStepCost one(spec);
  spec.parallelism.pp = 2;
  const KernelStepCost halves(spec);
  constexpr Tokens kContext = 64 * 16000;
  const StepPiece whole = one.piece({64, kContext}, {}), half = halves.piece({64, kContext}, {});
  CHECK(half.slope_bytes == whole.slope_bytes / 2);
  CHECK(half.slope_flop == whole.slope_flop / 2);
  // Half of what the contexts take, beyond what the tables say of half as many calls at a time.
  CHECK(static_cast<double>(half.slope()) == Approx(0.5 * static_cast<double>(whole.slope())).epsilon(0.05));
  CHECK(seconds(half, kContext) < 0.6 * seconds(whole, kContext));
  const PrefillChunk brief{1024, 0, true}, behind{1024, 100000, true};
  const auto attention = [&](const KernelStepCost& cost) {
    return seconds(cost.piece({}, {&behind, 1}), 0) - seconds(cost.piece({}, {&brief, 1}), 0);
  };
  CHECK(attention(halves) == Approx(0.5 * attention(one)).epsilon(1e-6));
  const auto flop = [&](const KernelStepCost& cost) {
    return static_cast<double>(cost.piece({}, {&behind, 1}).base_flop);
  };
  CHECK(flop(halves) == Approx(0.5 * flop(one)).epsilon(0.01));  // the output matrix is whole
}

TEST_CASE("A call alone passes the layers of all stages one after the other") {
  ReplicaSpec spec;
  spec.model = built_in_catalog().find_model("llama-3.1-70b");
  for (const char* chip : {"h200-sxm", "b200-sxm"}) {
    spec.chip = built_in_catalog().find_chip(chip);
    const auto grown_s = [&](std::int64_t pp, std::int32_t calls) {
      spec.parallelism.pp = pp;
      const KernelStepCost cost(spec);
      const Tokens brief = calls * 1000, all = calls * 100000;
      return seconds(cost.piece({calls, all}, {}), all) - seconds(cost.piece({calls, brief}, {}), brief);
    };
    INFO(chip);
    CHECK(grown_s(2, 1) == Approx(grown_s(1, 1)).epsilon(0.01));
    CHECK(grown_s(8, 1) == Approx(grown_s(1, 1)).epsilon(0.01));
    CHECK(grown_s(8, 2) == Approx(grown_s(2, 2)).epsilon(0.01));
  }
  const auto behind_s = [&](std::int64_t pp) {
    spec.parallelism.pp = pp;
    const KernelStepCost cost(spec);
    const PrefillChunk brief{1, 0, true}, behind{1, 100000, true};
    return seconds(cost.piece({}, {&behind, 1}), 0) - seconds(cost.piece({}, {&brief, 1}), 0);
  };
  CHECK(behind_s(8) == Approx(behind_s(1)).epsilon(0.01));
}

TEST_CASE("Layers with a window see no more of what was cached before a chunk") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("gemma-3-27b");
  ModelArchitecture windows = *spec.model;  // all layers slide
  windows.sliding_layers += windows.full_layers;
  windows.full_layers = 0;
  spec.model = &windows;
  const KernelStepCost cost(spec);
  const auto flop = [&](Tokens tokens, Tokens before) {
    const PrefillChunk chunk{tokens, before, true};
    return static_cast<double>(cost.piece({}, {&chunk, 1}).base_flop);
  };
  CHECK(flop(4096, 8192) == Approx(flop(4096, 0)).epsilon(0.01));
  const double pair = 62 * 4.0 * 32 * 128;
  CHECK(flop(100, 8192) - flop(100, 0) == Approx(100 * (1024 - 50) * pair).epsilon(0.01));
}

TEST_CASE("Where kernels give each call as many units, a batch waits for its longest call and for empty places") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("b200-sxm");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  spec.parallelism.tp = 8;  // one cached head of a call: 148 units, so up to 148 calls at once
  const KernelStepCost cost(spec);
  REQUIRE(cost.minds_skew());
  const auto attention = [&](const DecodingCalls& decoding) {  // all but what does not grow
    return seconds(cost.piece(decoding, {}), decoding.context) - seconds(cost.piece({decoding.calls, 0}, {}), 0);
  };
  const Tokens longest = 60000, all = 16 * longest, short_ones = longest + 15 * 2000;
  CHECK(attention({16, short_ones, all - short_ones}) == Approx(attention({16, all})).epsilon(1e-6));
  CHECK(attention({9, 9 * longest}) == Approx(attention({16, all})).epsilon(1e-3));
  CHECK(attention({16, short_ones}) < 0.3 * attention({16, all}));

  // 304 calls take turns on the units: 148 / 304 of what is missing is waited for.
  const Tokens many = 304 * longest, mean = many / 2;
  CHECK(attention({304, mean, many - mean}) ==
        Approx(attention({304, mean + (many - mean) * 148 / 304})).epsilon(1e-3));

  const Tokens skew = 30000;
  const StepPiece piece = cost.piece({16, 16000, skew}, {});
  REQUIRE(piece.context_limit < all);
  CHECK(piece.slope_bytes == cost.piece({16, 16000}, {}).slope_bytes);
  const StepPiece last = cost.piece({16, piece.context_limit, skew}, {});
  CHECK(last.ticks(piece.context_limit) == piece.ticks(piece.context_limit));
  CHECK(last.context_limit == piece.context_limit);
  CHECK(seconds(cost.piece({16, piece.context_limit + 1, skew}, {}), piece.context_limit + 1) ==
        Approx(seconds(piece, piece.context_limit)).epsilon(1e-3));

  spec.chip = built_in_catalog().find_chip("h100-sxm");
  const KernelStepCost even(spec);
  CHECK_FALSE(even.minds_skew());
  CHECK(even.piece({16, 16000, skew}, {}).ticks(16000) == even.piece({16, 16000}, {}).ticks(16000));
}

TEST_CASE("Inputs of 8 bits are quantised at the format's share of the bandwidth") {
  ReplicaSpec spec;
  Chip slow = *built_in_catalog().find_chip("h100-sxm");
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  spec.weights = Precision::kFp8;
  const PrefillChunk prompt{4096, 0, true};
  const double before = seconds(KernelStepCost(spec).piece({}, {&prompt, 1}), 0);
  std::optional<double>& share = slow.efficiency.gemm_formats[Precision::kFp8].quantise_memory;
  const double s_per_byte = 1 / (*share * 3.35e12);
  share = *share / 2;
  spec.chip = &slow;
  // The inputs of a layer's four products: 3 * 4096 + 14336 elements, 2 bytes in and 1 out, once more as long.
  const double once = 32 * 3.0 * (3 * 4096 + 14336) * 4096 * s_per_byte;
  CHECK(seconds(KernelStepCost(spec).piece({}, {&prompt, 1}), 0) - before == Approx(once).epsilon(1e-6));
}

TEST_CASE("A decoding batch is computed for every place of its captured graph, which read experts like its calls") {
  CHECK(graph_places(3) == 4);
  CHECK(graph_places(9) == 16);
  CHECK(graph_places(257) == 272);
  CHECK(graph_places(513) == 513);  // no graph is that large

  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("qwen3-30b-a3b");
  spec.parallelism.dp = spec.parallelism.ep = 2;
  const KernelStepCost cost(spec);
  constexpr Tokens kNone = 0;
  const auto time = [&](std::int32_t calls, std::int32_t elsewhere) {
    const OtherRanks others{.tokens = elsewhere, .decoded = elsewhere, .fullest = elsewhere};
    return seconds(cost.piece({calls, kNone}, {}, others), kNone);
  };
  // 16 places on each of the two ranks. Beside 16 calls, only what each call costs itself is less.
  CHECK(time(9, 8) == Approx(time(16, 16)).epsilon(0.03));
  CHECK(time(8, 9) == Approx(time(16, 16)).epsilon(0.03));
  CHECK(time(8, 8) < 0.9 * time(8, 9));
}

TEST_CASE("A compiled shape takes its time whatever is in it, and its work is that of what is there") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("trainium2");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  spec.step_shape.compiled = {.calls = 32, .length = 4096};
  const KernelStepCost cost(spec);
  spec.step_shape.compiled = {};
  const KernelStepCost any(spec);
  const StepPiece one = cost.piece({1, 100}, {}), all = cost.piece({32, 32 * 4000}, {});
  CHECK(one.ticks(100) == all.ticks(32 * 4000));
  CHECK(one.slope() == 0);
  CHECK(seconds(one, 100) == Approx(seconds(any.piece({32, 32 * 4096}, {}), 32 * 4096)).epsilon(1e-6));
  CHECK(one.base_flop < all.base_flop / 20);
  CHECK(one.base_bytes == all.base_bytes);  // all is read, and what is not there masked
  CHECK(one.base_bytes > 32'000'000'000);
  CHECK(one.slope_bytes == 0);
  const PrefillChunk brief{100, 0, true}, full{4096, 0, true};
  CHECK(cost.piece({}, {&brief, 1}).ticks(0) == cost.piece({}, {&full, 1}).ticks(0));
  CHECK(cost.piece({}, {&full, 1}).ticks(0) == any.piece({}, {&full, 1}).ticks(0));
  CHECK(cost.piece({}, {&brief, 1}).base_flop < cost.piece({}, {&full, 1}).base_flop / 20);
}

TEST_CASE("Padded experts take the same time in every step, by how many of them a chip has") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h200-sxm");
  spec.model = built_in_catalog().find_model("qwen3-235b-a22b");
  spec.weights = Precision::kFp8;
  spec.parallelism = {.tp = 4, .ep = 4};
  const KernelStepCost bare(spec);
  spec.padded_experts = {.rows = 128, .share = 0.5};
  const KernelStepCost padded(spec);
  // Of 94 layers, 32 experts of 3 products of 4,096 by 1,536, at half of 1,979 TFLOP/s.
  const double expected = 94 * 128 * 32 * 3 * 2.0 * 4096 * 1536 / (0.5 * 1.979e15);
  for (const std::int32_t calls : {1, 16, 256}) {
    const auto decoding = [&](const KernelStepCost& of) { return seconds(of.piece({calls, Tokens{0}}, {}), 0); };
    CHECK(decoding(padded) - decoding(bare) == Approx(expected).epsilon(1e-3));
  }
  const PrefillChunk chunk{4096, 0, true};
  CHECK(seconds(padded.piece({}, {&chunk, 1}), 0) - seconds(bare.piece({}, {&chunk, 1}), 0) ==
        Approx(expected).epsilon(1e-3));
  CHECK(padded.piece({1, Tokens{0}}, {}).base_flop == bare.piece({1, Tokens{0}}, {}).base_flop);
  CHECK(static_cast<double>(padded.piece({1, Tokens{0}}, {}).padding_flop) == Approx(expected * 0.5 * 1.979e15));
  CHECK(bare.piece({1, Tokens{0}}, {}).padding_flop == 0);
}

TEST_CASE("Weights that a step reads are unpacked where the chip has no arithmetic for them") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  const double products = spec.model->parameters_total() - 2.0 * 128256 * 4096;  // without embedding and head
  for (const auto& [weights, unpacked] :
       {std::pair{Precision::kBf16, 0.0}, std::pair{Precision::kFp8, 0.0}, std::pair{Precision::kFp4, products}}) {
    spec.weights = weights;
    const StepPiece piece = KernelStepCost(spec).piece({16, Tokens{16000}}, {});
    CHECK(static_cast<double>(piece.unpacked) == Approx(unpacked).epsilon(1e-3));
  }
}

TEST_CASE("In buckets a step takes as long as with the next power of two of tokens, but for attention") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("tpu-v6e");
  spec.model = built_in_catalog().find_model("llama-3.1-8b");
  const KernelStepCost any(spec);
  spec.step_shape.buckets = {.decoding = 16, .prompts = 64};
  const KernelStepCost cost(spec);
  const auto decoding = [](const KernelStepCost& of, std::int32_t calls) {
    return seconds(of.piece({calls, Tokens{0}}, {}), 0);
  };
  CHECK(decoding(cost, 1) == Approx(decoding(any, 16)).epsilon(0.01));
  CHECK(decoding(cost, 256) == Approx(decoding(any, 256)).epsilon(1e-9));
  CHECK(decoding(cost, 130) == Approx(decoding(any, 256)).epsilon(0.03));  // the rest: the output matrix
  const auto prompt = [](const KernelStepCost& of, Tokens tokens) {
    const PrefillChunk chunk{tokens, 0, true};
    return seconds(of.piece({}, {&chunk, 1}), 0);
  };
  CHECK(prompt(cost, 4096) == Approx(prompt(any, 4096)).epsilon(1e-9));
  CHECK(prompt(cost, 2049) > 1.8 * prompt(any, 2049));
  CHECK(prompt(cost, 2049) < prompt(any, 4096));
  CHECK(prompt(cost, 10) == Approx(prompt(any, 64)).epsilon(0.01));
  const PrefillChunk chunk{2049, 0, true};
  CHECK(cost.piece({}, {&chunk, 1}).base_flop == any.piece({}, {&chunk, 1}).base_flop);  // of what is there
  spec.parallelism.pp = 2;
  const KernelStepCost halves(spec);
  CHECK(decoding(halves, 33) == Approx(decoding(halves, 64)).epsilon(0.02));
}

TEST_CASE("A rank computes experts for the tokens of all ranks, and attention for its own") {
  ReplicaSpec spec;
  spec.chip = built_in_catalog().find_chip("h100-sxm");
  spec.model = built_in_catalog().find_model("qwen3-30b-a3b");
  spec.parallelism.dp = spec.parallelism.ep = 2;
  const KernelStepCost cost(spec);
  const PrefillChunk prompt{4096, 0, true};
  const auto time = [&](std::span<const PrefillChunk> chunks, Tokens elsewhere) {
    return seconds(cost.piece({}, chunks, {.tokens = elsewhere, .prompts = elsewhere > 0}), 0);
  };
  const double both = time({&prompt, 1}, 4096), one = time({&prompt, 1}, 0), idle = time({}, 4096);
  CHECK(one < 0.9 * both);
  CHECK(idle < 0.9 * one);
  CHECK(idle > 0.2 * one);
  // No rank runs a captured graph while another computes a prompt: its 8 tokens are not filled up to 256.
  const auto beside = [&](const OtherRanks& others) { return seconds(cost.piece({8, 8000}, {}, others), 8000); };
  const OtherRanks decoding{.tokens = 250, .decoded = 250, .fullest = 250};
  OtherRanks with_prompts = decoding;
  with_prompts.prompts = true;
  CHECK(beside(with_prompts) < 0.99 * beside(decoding));
}
