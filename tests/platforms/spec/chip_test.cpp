#include "platforms/spec/chip.hpp"

#include "platforms/spec/catalog.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

const Chip& chip(const char* name) {
  const Chip* found = built_in_catalog().find_chip(name);
  INFO(name);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("published numbers of some chips") {
  const Chip& h100 = chip("h100-sxm");
  CHECK(h100.memory_bytes == 80.0 * (1 << 30));
  CHECK(h100.memory_bytes_per_s == 3.35e12);
  CHECK(h100.peak_flops_per_s[Precision::kBf16] == 989e12);
  CHECK_FALSE(h100.peak_flops_per_s[Precision::kFp4].has_value());
  CHECK(h100.scale_up.topology == ScaleUpTopology::kSwitch);
  CHECK(h100.scale_up.domain_chips == 8);
  CHECK(h100.efficiency.gemm_compute[Precision::kFp8] == 0.724);
  CHECK(h100.efficiency.gemm_formats[Precision::kFp8].quantise_memory == 0.266);
  CHECK(chip("gb200-nvl72").scale_up.domain_chips == 72);
  CHECK(chip("tpu-v6e").scale_up.shape == std::vector<std::int64_t>{16, 16});
  CHECK(chip("tpu-v7").scale_up.topology == ScaleUpTopology::kTorus3d);
  CHECK(chip("mi300x").scale_up.topology == ScaleUpTopology::kMesh);
  CHECK(chip("rtx-4090").peak_flops_per_s[Precision::kFp8] == 330e12);
}

TEST_CASE("peaks and efficiencies are plausible on every chip") {
  for (const std::string& name : built_in_catalog().names(CatalogKind::kChip)) {
    const Chip& each = chip(name.c_str());
    INFO(name);
    bool any = false;
    for (Precision precision : kPrecisions) {
      any = any || each.peak_flops_per_s[precision].has_value();
      CHECK(each.peak_flops_per_s[precision].has_value() == each.efficiency.gemm_compute[precision].has_value());
    }
    CHECK(any);
    auto bf16 = each.peak_flops_per_s[Precision::kBf16], fp8 = each.peak_flops_per_s[Precision::kFp8];
    if (bf16 && fp8) CHECK(*fp8 >= *bf16);
    if (each.power.idle_w) CHECK(*each.power.idle_w < *each.power.tdp_w);
    if (each.price.unit_low_usd) CHECK(*each.price.unit_low_usd <= *each.price.unit_high_usd);
    std::int64_t product = 1;
    for (std::int64_t extent : each.scale_up.shape) product *= extent;
    if (!each.scale_up.shape.empty()) CHECK(product == each.scale_up.domain_chips);
  }
}

TEST_CASE("weights are multiplied in a format that the chip has") {
  CHECK(chip("h100-sxm").compute_precision(Precision::kFp8) == Precision::kFp8);
  CHECK(chip("h100-sxm").compute_precision(Precision::kFp4) == Precision::kBf16);
  CHECK(chip("a100-80-sxm").compute_precision(Precision::kFp8) == Precision::kBf16);
  CHECK(chip("a100-80-sxm").compute_precision(Precision::kInt8) == Precision::kInt8);
  CHECK(chip("trainium2").compute_precision(Precision::kInt8) == Precision::kBf16);
  CHECK_FALSE(chip("maia-200").compute_precision(Precision::kBf16).has_value());
}

TEST_CASE("what a chip lacks for timing is named") {
  CHECK(chip("h100-sxm").missing(Precision::kFp8, 8).empty());
  CHECK(chip("tpu-v6e").missing(Precision::kBf16, 8).empty());
  CHECK(chip("trainium2").missing(Precision::kFp8, 16).empty());
  CHECK(chip("inferentia2").missing(Precision::kBf16, 1).empty());
  auto links = chip("inferentia2").missing(Precision::kBf16, 2);
  REQUIRE(!links.empty());
  CHECK(links.front() == "scale_up/bytes_per_s");
  CHECK(chip("mtia-v2").missing(Precision::kBf16, 1) == std::vector<std::string>{"memory_bytes_per_s"});
  CHECK(chip("maia-200").missing(Precision::kBf16, 1) == std::vector<std::string>{"peak_flops_per_s/bf16"});
}

TEST_CASE("Experts in 8 bits are those of the weights' scales, where both were measured") {
  const Chip& h200 = chip("h200-sxm");
  const ExpertKernels* block = h200.experts(Precision::kFp8);
  const ExpertKernels* tensor = h200.experts(Precision::kFp8, Fp8Scales::kTensor);
  REQUIRE(tensor != nullptr);
  CHECK(tensor->compute > block->compute);
  CHECK(h200.experts(Precision::kBf16, Fp8Scales::kTensor) == h200.experts(Precision::kBf16));
  const Chip& mi300x = chip("mi300x");
  CHECK(mi300x.experts(Precision::kFp8, Fp8Scales::kTensor) == mi300x.experts(Precision::kFp8));
}

TEST_CASE("Energy of steps: waiting, running, operations and bytes, at most TDP") {
  const Chip& b200 = chip("b200-sxm");
  CHECK(b200.joules(Precision::kBf16, {.busy_s = 2}).value() == 2 * 316);
  CHECK(b200.joules(Precision::kBf16, {.busy_s = 2, .waiting_s = 0.5}).value() == Approx(1.5 * 316 + 0.5 * 273));
  CHECK(b200.joules(Precision::kBf16, {.busy_s = 1, .waiting_s = 0, .flop = 2.25e14, .bytes = 1.54e12}).value() ==
        Approx(316 + 188.7 + 181.4));
  // Half the bits, half the energy of an operation; what the chip must unpack costs what bf16 does.
  const StepWork work{.busy_s = 1, .waiting_s = 0, .flop = 2e14, .bytes = 0};
  const Chip& h100 = chip("h100-sxm");
  const auto of_work = [&](Precision weights) { return *h100.joules(weights, work) - *h100.power.active_w; };
  CHECK(of_work(Precision::kFp8) == Approx(0.5 * of_work(Precision::kBf16)));
  CHECK(of_work(Precision::kFp4) == Approx(of_work(Precision::kBf16)));
  for (const std::string& name : built_in_catalog().names(CatalogKind::kChip)) {
    const Chip& each = chip(name.c_str());
    INFO(name);
    const Precision format = each.peak_flops_per_s[Precision::kBf16] ? Precision::kBf16 : Precision::kFp8;
    const auto full = each.joules(format, {.busy_s = 2, .waiting_s = 0, .flop = 1e18, .bytes = 1e18});
    CHECK(full.has_value() == (each.power.tdp_w && each.memory_bytes_per_s));
    if (!full) continue;
    CHECK(*full == 2 * *each.power.tdp_w);
    CHECK(*each.power.held_w >= *each.power.idle_w);
    CHECK(*each.power.waiting_w >= *each.power.held_w);
    CHECK(*each.power.waiting_w <= *each.power.active_w);
  }
  CHECK_FALSE(chip("inferentia2").joules(Precision::kBf16, work).has_value());
}
