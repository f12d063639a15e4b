#include "analysis/fit_agent/fitted_distribution.hpp"

#include <cmath>

#include "sim/random/distribution.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using sim::Json;

namespace {

std::vector<double> drawn(const char* dist, std::size_t n, bool count) {
  sim::Faults faults;
  const auto d = sim::Distribution::read(sim::JsonFile::parse(dist, "test", faults).value(), "test", "", faults);
  faults.throw_if_any();
  sim::Stream stream(7, sim::StreamName("fit-test"), 0);
  std::vector<double> sample;
  for (std::size_t i = 0; i < n; ++i)
    sample.push_back(count ? static_cast<double>(d.sample_count(stream)) : d.sample(stream));
  return sample;
}

}  // namespace

TEST_CASE("Fitted distributions: a sample's family is found, with its parameters") {
  const auto check = [](const FittedDistribution& fit, const char* family, const char* key, double value,
                        double within) {
    INFO(fit.dist.dump());
    CHECK(fit.family == family);
    CHECK(fit.dist[key].get<double>() == Approx(value).epsilon(within));
  };
  check(fit_counts(drawn(R"({"dist": "poisson", "mean": 4.65})", 3000, true)), "poisson", "mean", 4.65, 0.03);
  check(fit_counts(drawn(R"({"dist": "geometric", "p": 0.2})", 3000, true)), "geometric", "p", 0.2, 0.05);
  check(fit_counts(drawn(R"({"dist": "negative-binomial", "r": 1.7, "p": 0.095})", 3000, true)), "negative-binomial",
        "r", 1.7, 0.15);
  check(fit_sizes(drawn(R"({"dist": "lognormal", "median": 300, "sigma": 0.9})", 3000, false)), "lognormal", "median",
        300, 0.06);
  check(fit_sizes(drawn(R"({"dist": "gamma", "shape": 3, "scale": 28.9})", 3000, false)), "gamma", "shape", 3, 0.1);
  CHECK(fit_counts({4, 4, 4}).dist == Json(4.0));
}

TEST_CASE("Fitted distributions: what no family fits keeps its mean and its quantiles") {
  std::vector<double> two = drawn(R"({"dist": "uniform", "low": 5, "high": 10})", 1000, false);
  const std::vector<double> far = drawn(R"({"dist": "uniform", "low": 500, "high": 900})", 1000, false);
  two.insert(two.end(), far.begin(), far.end());
  const FittedDistribution fit = fit_sizes(two);
  CHECK(fit.family == "empirical");
  sim::Faults faults;
  const auto d = sim::Distribution::read(fit.dist, "test", "", faults);
  CHECK(faults.empty());
  CHECK(d.mean() == Approx(fit.mean).epsilon(1e-3));
  // Few values are each kept with their weight.
  CHECK(fit_counts({1, 1, 1, 7}).dist ==
        Json({{"dist", "empirical"}, {"values", {1.0, 7.0}}, {"weights", {0.75, 0.25}}}));
}

TEST_CASE("Fitted distributions: a mean's interval is Student's, and a probability's Wilson's") {
  CHECK(fit_sizes({1, 2, 3}).half_width == Approx(4.3027 / std::sqrt(3)));
  CHECK(fit_sizes({5}).half_width == 0);
  CHECK(probability_half_width(0.5, 100) == Approx(0.09617).margin(5e-6));
}
