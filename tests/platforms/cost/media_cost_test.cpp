#include "platforms/cost/media_cost.hpp"

#include "platforms/spec/catalog.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

struct Measured {
  const char *model, *chip;
  MediaFormat format;
  std::int64_t chips, steps;
  double seconds;
};

}  // namespace

TEST_CASE("Media models: FLOP of a step follow from the architecture") {
  // 57 blocks of 12 h^2 weights and n^2 attention over 4,096 tokens of the picture and 512 of the prompt.
  const double n = 4608, h = 3072;
  const MediaModel& flux = *built_in_catalog().find_media_model("flux.1-dev");
  CHECK(flux.tokens({1024, 1024, 1}) == 4096);
  CHECK(flux.step_flop({1024, 1024, 1}).products == Approx(2 * 57 * 12 * h * h * n));
  CHECK(flux.step_flop({1024, 1024, 1}).attention == Approx(4 * 57 * h * n * n));
  // 81 frames are the first and twenty groups of four.
  const MediaModel& wan = *built_in_catalog().find_media_model("wan2.1-t2v-14b");
  CHECK(wan.tokens({832, 480, 81}) == 52 * 30 * 21);
  CHECK(wan.tokens({832, 480, 1}) == 52 * 30);
  CHECK(wan.step_flop({832, 480, 81}).total() == Approx(3.325e15).epsilon(0.01));
}

TEST_CASE("Media cost: calls take what ML.ENERGY measured of whole calls") {
  const Measured measured[] = {{"flux.1-dev", "h100-sxm", {1024, 1024, 1}, 1, 50, 11.64},
                               {"flux.1-dev", "h100-sxm", {1024, 1024, 1}, 4, 50, 4.647},
                               {"flux.1-dev", "b200-sxm", {1024, 1024, 1}, 1, 50, 7.755},
                               {"sd-3.5-large", "h100-sxm", {1024, 1024, 1}, 1, 28, 6.558},
                               {"sd-3.5-large", "b200-sxm", {1024, 1024, 1}, 1, 28, 4.765},
                               {"wan2.1-t2v-14b", "h100-sxm", {832, 480, 81}, 1, 50, 466.8},
                               {"wan2.1-t2v-14b", "h100-sxm", {832, 480, 81}, 8, 50, 71.76},
                               {"wan2.1-t2v-14b", "b200-sxm", {832, 480, 81}, 1, 50, 334.2}};
  for (const Measured& m : measured) {
    INFO(m.model << " on " << m.chips << " " << m.chip);
    const MediaSpec spec{built_in_catalog().find_chip(m.chip), built_in_catalog().find_media_model(m.model),
                         Precision::kBf16, m.chips};
    REQUIRE(missing_numbers(spec).empty());
    const sim::FineTime whole(sim::Int128{MediaCost(spec).step(m.format).ticks} * m.steps);
    CHECK(whole.seconds() == Approx(m.seconds).epsilon(0.01));
  }
}

TEST_CASE("Media cost: what nobody measured is missing, not guessed") {
  const Chip* chip = built_in_catalog().find_chip("h100-sxm");
  CHECK(missing_numbers({chip, built_in_catalog().find_media_model("flux.1-dev"), Precision::kBf16, 3}) ==
        std::vector<std::string>{"media model flux.1-dev: sharing/3"});
  Chip bare = *chip;
  bare.efficiency.attention_prefill.reset();
  CHECK(missing_numbers({&bare, built_in_catalog().find_media_model("flux.1-dev")}) ==
        std::vector<std::string>{"chip h100-sxm: efficiency/attention_prefill"});
}
