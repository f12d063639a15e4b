#include "sim/random/distribution.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

namespace {
Distribution read(const char* text, Faults& faults) {
  return Distribution::read(Json::parse(text), "test", "", faults);
}
}  // namespace

TEST_CASE("Each family's sample mean and standard deviation are those of theory") {
  struct Case {
    const char* text;
    double mean, deviation;
  };
  const double pi = 3.14159265358979;
  const Case cases[] = {
      {R"(7)", 7, 0},
      {R"({"dist": "uniform", "low": 2, "high": 12})", 7, 10 / std::sqrt(12.0)},
      {R"({"dist": "exponential", "mean": 48})", 48, 48},
      {R"({"dist": "lognormal", "median": 129, "sigma": 0.5})", 129 * std::exp(0.125),
       129 * std::exp(0.125) * std::sqrt(std::exp(0.25) - 1)},
      {R"({"dist": "gamma", "shape": 11.3, "scale": 0.64})", 7.232, 0.64 * std::sqrt(11.3)},
      {R"({"dist": "gamma", "shape": 0.4, "scale": 2})", 0.8, 2 * std::sqrt(0.4)},
      {R"({"dist": "weibull", "scale": 46, "shape": 2})", 46 * std::sqrt(pi) / 2, 46 * std::sqrt(1 - pi / 4)},
      {R"({"dist": "negative-binomial", "r": 6.15, "p": 0.368})", 6.15 * 0.632 / 0.368,
       std::sqrt(6.15 * 0.632) / 0.368},
      {R"({"dist": "poisson", "mean": 5.65})", 5.65, std::sqrt(5.65)},
      {R"({"dist": "poisson", "mean": 400})", 400, 20},
      {R"({"dist": "geometric", "p": 0.22})", 1 / 0.22, std::sqrt(0.78) / 0.22},
      {R"({"dist": "mixture", "parts": [{"weight": 0.25, "of": 0}, {"weight": 0.75, "of": 4}]})", 3, std::sqrt(3.0)},
      {R"({"dist": "empirical", "values": [1, 2, 5], "weights": [2, 1, 1]})", 2.25, std::sqrt(7.75 - 2.25 * 2.25)},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    Faults faults;
    const Distribution d = read(c.text, faults);
    REQUIRE(faults.empty());
    constexpr int kDraws = 200000;
    double sum = 0, squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      Stream stream(3, StreamName("test"), static_cast<std::uint64_t>(i));
      const double x = d.sample(stream);
      sum += x;
      squares += (x - c.mean) * (x - c.mean);
    }
    CHECK(std::fabs(sum / kDraws - c.mean) <= 5 * c.deviation / std::sqrt(kDraws) + 1e-12);
    CHECK(std::sqrt(squares / kDraws) == Approx(c.deviation).epsilon(0.03).margin(1e-12));
    CHECK(d.mean() == Approx(c.mean).epsilon(1e-9));
  }
}

TEST_CASE("Bad distributions are faults with their places") {
  for (const char* text :
       {R"("x")", R"({"dist": "lognormall", "median": 1})", R"({"dist": "gamma", "shape": -1, "scale": 1})",
        R"({"dist": "gamma", "shape": 1e-300, "scale": 1})", R"({"dist": "uniform", "low": 3, "high": 2})",
        R"({"dist": "mixture", "parts": []})", R"({"dist": "empirical", "values": []})",
        R"({"dist": "poisson", "mean": 3, "median": 2})", R"({"dist": "constant", "value": 1, "min": 3, "max": 2})"}) {
    INFO(text);
    Faults faults;
    read(text, faults);
    CHECK(!faults.empty());
  }
}

TEST_CASE("Draws beyond every number stay what they are: clamped, or nothing of them") {
  Stream stream(1, StreamName("test"), 0);
  Faults faults;
  const Distribution nothing = read(R"({"dist": "gamma", "shape": 1e308, "scale": 1e308, "times": 0})", faults);
  CHECK(nothing.sample(stream) == 0);
  CHECK(nothing.mean() == 0);
  CHECK(read(R"({"dist": "gamma", "shape": 1e308, "scale": 1e308, "max": 7})", faults).sample(stream) == 7);
  CHECK(read(R"({"dist": "negative-binomial", "r": 1e12, "p": 1e-6})", faults).sample_tokens(stream) == 1'000'000'000);
  REQUIRE(faults.empty());
  read(R"({"dist": "negative-binomial", "r": 1e308, "p": 1e-6})", faults);
  REQUIRE(faults.size() == 1);
  CHECK(faults.list()[0].place == "/r");
}
