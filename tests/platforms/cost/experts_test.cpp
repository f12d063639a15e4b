#include "platforms/cost/experts.hpp"

#include <cmath>

#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::platforms;

namespace {

constexpr double kPeak = 1e15, kBytes = 3e12;

/// Nothing but products and memory.
ExpertKernels ideal() {
  ExpertKernels kernels;
  for (const ExpertKernels::Figure& figure : ExpertKernels::kFigures) kernels.*figure.value = 0;
  kernels.compute = kernels.memory = 1;
  return kernels;
}

KernelTime time_of(const ExpertKernels& kernels, const Experts::Shape& shape, double copies, double hit,
                   double tokens) {
  return Experts({.peak_flops_per_s = kPeak, .bytes_per_s = kBytes, .kernels = &kernels}, shape)
      .at(copies, hit, tokens);
}

const Experts::Shape kShape{.hidden = 4096, .ffn = 2048, .experts = 8, .all_experts = 8, .per_token = 2};

}  // namespace

TEST_CASE("Few tokens take the weights of the experts they hit, many their arithmetic") {
  const ExpertKernels kernels = ideal();
  const double weights = 3.0 * 2048 * 4096;
  CHECK(time_of(kernels, kShape, 2, 2, 1).total() == Approx(2 * 2 * weights / kBytes).epsilon(0.01));
  CHECK(time_of(kernels, kShape, 8, 8, 4).total() == Approx(8 * 2 * weights / kBytes).epsilon(0.01));
  CHECK(time_of(kernels, kShape, 65536, 8, 32768).total() == Approx(65536 * 2 * weights / kPeak).epsilon(0.02));
  CHECK(time_of(kernels, kShape, 0, 0, 0).total() == 0);
}

TEST_CASE("A layer's own figures add up as the header says") {
  ExpertKernels kernels = ideal();
  const double products = time_of(kernels, kShape, 16, 8, 8).total();
  kernels.launch_s = 20e-6;
  kernels.expert_s = 1e-6;
  CHECK(time_of(kernels, kShape, 16, 8, 8).total() == Approx(products + 28e-6));
  kernels.copy_ffn = 3;
  kernels.copy_hidden = 2;
  kernels.token_hidden = 5;
  const double moved = 2 * (16 * (3 * 2048 + 2 * 4096) + 5 * 4096 * 8);
  CHECK(time_of(kernels, kShape, 16, 8, 8).total() == Approx(products + 28e-6 + moved / kBytes));
  CHECK(time_of(kernels, kShape, 16, 8, 8)[Bound::kHost] == Approx(28e-6));
}

TEST_CASE("Copies and experts on other chips take the share of the time that `elsewhere` says") {
  Experts::Shape half = kShape;
  half.experts = 4;
  ExpertKernels kernels = ideal();
  kernels.expert_s = 1e-6;
  kernels.copy_ffn = 1;
  const auto beyond = [&](double elsewhere) {
    kernels.elsewhere = elsewhere;
    return time_of(kernels, half, 8, 4, 8).total() - time_of(ideal(), half, 8, 4, 8).total();
  };
  CHECK(beyond(0) == Approx(4e-6 + 8 * 2 * 2048 / kBytes));
  CHECK(beyond(1) == Approx(8e-6 + 16 * 2 * 2048 / kBytes));
}

TEST_CASE("Products whose width is no multiple of 16 take longer") {
  ExpertKernels kernels = ideal();
  Experts::Shape odd = kShape;
  odd.ffn = 2040;
  const double aligned = time_of(kernels, odd, 16, 8, 8).total();
  kernels.unaligned = 1.5;
  CHECK(time_of(kernels, odd, 16, 8, 8).total() == Approx(2.5 * aligned));
  CHECK(time_of(kernels, kShape, 16, 8, 8).total() == Approx(time_of(ideal(), kShape, 16, 8, 8).total()));
}

TEST_CASE("A table scales the whole layer, but never below its floor") {
  ExpertKernels kernels = ideal();
  kernels.launch_s = 1e-3;
  const double without = time_of(kernels, kShape, 16, 8, 8).total();
  kernels.residual = KernelResidual({{{1.0}, {2048.0}, {8.0}}}, {0.5});
  CHECK(time_of(kernels, kShape, 16, 8, 8).total() == Approx(0.5 * without));
  kernels.residual = KernelResidual({{{1.0}, {2048.0}, {8.0}}}, {1e-6});
  CHECK(time_of(kernels, kShape, 16, 8, 8).total() >= 8 * 2 * 3.0 * 2048 * 4096 / kBytes);
}

TEST_CASE("Experts that tokens hit, by a popularity that varies: by its integral") {
  CHECK(experts_hit(8, 2, 1) == Approx(2));
  CHECK(experts_hit(8, 8, 3) == Approx(8));
  // Beta(1, b): of density b (1 - p)^(b - 1).
  const double b = 128.0 / 8 - 1;
  for (const int tokens : {1, 16, 144, 2048}) {
    double hit = 0;
    constexpr int kPieces = 200'000;
    for (int i = 0; i < kPieces; ++i) {
      const double p = (i + 0.5) / kPieces;
      hit += b * std::pow(1 - p, b - 1) * (1 - std::pow(1 - p, tokens)) / kPieces;
    }
    CHECK(experts_hit(128, 8, tokens) == Approx(128 * hit).epsilon(1e-4));
    CHECK(experts_hit(128, 8, tokens) <= 128 * (1 - std::pow(1 - 8.0 / 128, tokens)) * (1 + 1e-12));
  }
}

TEST_CASE("Chips without tables take the figures of H200 in 16 bits, as its entry has them") {
  const ExpertKernels usual, &of_h200 = *built_in_catalog().find_chip("h200-sxm")->experts(Precision::kBf16);
  for (const ExpertKernels::Figure& figure : ExpertKernels::kFigures) {
    INFO(figure.key);
    CHECK(usual.*figure.value == of_h200.*figure.value);
  }
  CHECK(usual.residual.empty());
}
