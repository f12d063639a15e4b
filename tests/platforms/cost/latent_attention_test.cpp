#include "platforms/cost/latent_attention.hpp"

#include "platforms/cost/kernel_figures.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;

namespace {

constexpr std::int64_t kHeads = 16;

struct Layers {
  const Chip& chip = *built_in_catalog().find_chip("h200-sxm");
  const ModelArchitecture& model = *built_in_catalog().find_model("deepseek-v3");
  Attention attention{[this] {
                        AttentionFigures figures = attention_figures(chip, Precision::kBf16, Precision::kFp8);
                        figures.prefill_residual = figures.decode_residual = nullptr;
                        return figures;
                      }(),
                      latent_shape(model, kHeads, 1)};

  LatentAttention with(const KernelResidual* table, Precision weights = Precision::kFp8) const {
    return {chip, table, attention, {.model = &model, .weights = weights, .heads = kHeads}};
  }
  double launches_s() const { return kLatentKernels * gemm_figures(chip, Precision::kFp8).launch_s; }
};

KernelTime decoding(const LatentAttention& layers, double calls, double context) {
  return layers.decode(layers.batch(calls), context);
}

KernelResidual everywhere(double factor) { return {{std::vector{1.0}, std::vector{1.0}, std::vector{64.0}}, {factor}}; }

}  // namespace

TEST_CASE("Without a table a layer of latent attention takes its kernels one after another") {
  const Layers layers;
  CHECK(decoding(layers.with(nullptr), 4, 1000).total() ==
        Approx(layers.attention.decode(4, 1000).total() + layers.launches_s()));
}

TEST_CASE("The table multiplies the layer with its products, which the step counts") {
  const Layers layers;
  const KernelResidual three = everywhere(3);
  const LatentAttention plain = layers.with(nullptr), measured = layers.with(&three);
  const double products = plain.batch(4).products_s;
  CHECK(decoding(measured, 4, 1000).total() + products == Approx(3 * (decoding(plain, 4, 1000).total() + products)));
}

TEST_CASE("A measured layer takes as long in whatever format its weights are") {
  const Layers layers;
  const KernelResidual three = everywhere(3);
  const auto layer_s = [&](Precision weights) {
    const LatentAttention layer = layers.with(&three, weights);
    return decoding(layer, 4, 1000).total() + layer.batch(4).products_s;
  };
  CHECK(layer_s(Precision::kBf16) == Approx(layer_s(Precision::kFp8)));
}

TEST_CASE("No table makes the memory deliver the cache faster") {
  const Layers layers;
  const KernelResidual tiny = everywhere(0.01);
  const double bytes = 256.0 * 32768 * 576;
  CHECK(decoding(layers.with(&tiny), 256, 32768).total() == Approx(bytes / *layers.chip.memory_bytes_per_s));
}

TEST_CASE("Cached tokens before a prompt's chunk are brought up to heads at the chip's pace") {
  const Layers layers;
  const LatentAttention layer = layers.with(nullptr);
  CHECK(layer.unpack(0, 0).total() == 0);
  const double tokens = 100'000;
  const double product = 2 * tokens * 512 * kHeads * 256 / *layers.chip.peak_flops_per_s[Precision::kFp8];
  // Read 576 bytes, write them in 16 bits, put the keys of the heads together.
  const double moved = tokens * (576 + 2 * 576 + kHeads * kAssembledBytes) / *layers.chip.memory_bytes_per_s;
  const KernelTime time = layer.unpack(tokens, 0);
  CHECK(time.total() > product + moved);
  CHECK(time.total() < 2 * product + 1.1 * moved);
  CHECK(layer.unpack(2 * tokens, 0).total() == Approx(2 * time.total()).epsilon(0.02));
}

TEST_CASE("A chunk's own keys are put together as well, without another product") {
  const Layers layers;
  const LatentAttention layer = layers.with(nullptr);
  CHECK(layer.unpack(0, 1000).total() ==
        Approx(1000 * kHeads * kAssembledBytes / *layers.chip.memory_bytes_per_s).epsilon(0.001));
  CHECK(layer.unpack(5000, 1000).total() ==
        Approx(layer.unpack(5000, 0).total() + layer.unpack(0, 1000).total()).epsilon(0.001));
}
