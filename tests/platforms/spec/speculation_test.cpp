#include "platforms/spec/speculation.hpp"

#include <cmath>

#include "sim/random/stream.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

TEST_CASE("A step with k drafts makes (1 - a^(k+1)) / (1 - a) tokens on average") {
  for (const double a : {0.0, 0.3, 0.8, 0.95}) {
    for (const std::size_t k : {1u, 3u, 7u}) {
      CAPTURE(a, k);
      const Speculation speculation{.acceptance = std::vector<double>(k, a)};
      const double expected = (1 - std::pow(a, static_cast<double>(k + 1))) / (1 - a);
      CHECK(speculation.tokens_per_step() == Approx(expected));
      sim::Stream stream(1, sim::StreamName("speculation-test"), k);
      constexpr int kSteps = 40'000;
      std::int64_t made = 0;
      for (int step = 0; step < kSteps; ++step) made += 1 + speculation.accepted(stream.uniform());
      const double error = 4 * static_cast<double>(k) / std::sqrt(double{kSteps});
      CHECK(std::abs(static_cast<double>(made) / kSteps - expected) < error);
    }
  }
}

TEST_CASE("Drafts count up to the first that is refused") {
  const Speculation speculation{.acceptance = {0.9, 0, 1}};
  CHECK(speculation.accepted(0.95) == 0);
  CHECK(speculation.accepted(0.5) == 1);
  CHECK(speculation.tokens_per_step() == Approx(1.9));
  CHECK(Speculation{}.tokens_per_step() == 1);
  CHECK(Speculation{}.queries() == 1);
}
