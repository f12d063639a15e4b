#include "sim/statistics/mean_interval.hpp"

#include <cmath>
#include <vector>

#include "sim/random/stream.hpp"
#include "sim/statistics/student_t.hpp"
#include "tests/support/catch.hpp"

namespace tokenyard::sim {

TEST_CASE("a mean's interval is Student's") {
  // By hand: mean 3, deviation sqrt(2.5), t(4) = 2.7764; half-width 2.7764 * 1.5811 / sqrt(5) = 1.9632.
  const std::vector<std::optional<double>> values = {1, 2, std::nullopt, 3, 4, 5};
  const MeanInterval interval = mean_interval(values);
  CHECK(interval.count == 5);
  CHECK(interval.mean == Approx(3));
  CHECK(interval.deviation == Approx(std::sqrt(2.5)));
  CHECK(interval.half_width.value() == Approx(1.9632).epsilon(1e-4));
  CHECK_FALSE(mean_interval(std::span(values).first(1)).half_width);
}

TEST_CASE("the quantiles of Student's t are those of statistics packages, to eight digits") {
  // R: qt(0.975, n).
  CHECK(student_t_975(1) == Approx(12.7062047361747).epsilon(1e-12));
  CHECK(student_t_975(5) == Approx(2.57058183563632).epsilon(1e-12));
  CHECK(student_t_975(30) == Approx(2.04227245630124).epsilon(1e-12));
  CHECK(student_t_975(31) == Approx(2.03951344639641).epsilon(2e-8));
  CHECK(student_t_975(100) == Approx(1.98397151852355).epsilon(1e-9));
  CHECK(student_t_975(1000) == Approx(1.96233908082641).epsilon(1e-12));
}

TEST_CASE("95 % intervals cover the mean in 95 of 100 cases") {
  // 1000 samples of 8 exponentials summed by fours: 95 % +- 2 % (three standard errors of a share of 1000).
  int covered = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Stream stream(1, StreamName("coverage"), i);
    std::vector<std::optional<double>> values;
    for (int j = 0; j < 8; ++j) {
      double sum = 0;
      for (int k = 0; k < 4; ++k) sum += stream.exponential();
      values.emplace_back(sum);
    }
    const MeanInterval interval = mean_interval(values);
    covered += std::fabs(interval.mean - 4) <= interval.half_width.value() ? 1 : 0;
  }
  CHECK(covered >= 930);
  CHECK(covered <= 970);
}

TEST_CASE("batches make the interval of a correlated series honest") {
  // An autoregressive series with mean 0 and coefficient 0.8: without batches the interval covers some 50 %.
  int covered = 0, naive = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    Stream stream(2, StreamName("coverage"), i);
    std::vector<double> series;
    std::vector<std::optional<double>> apart;
    double x = stream.normal() / 0.6;
    for (int j = 0; j < 1000; ++j) {
      series.push_back(x);
      apart.emplace_back(x);
      x = 0.8 * x + stream.normal();
    }
    const MeanInterval interval = batch_mean_interval(series);
    covered += std::fabs(interval.mean) <= interval.half_width.value() ? 1 : 0;
    naive += std::fabs(interval.mean) <= mean_interval(apart).half_width.value() ? 1 : 0;
  }
  CHECK(covered >= 360);
  CHECK(naive < 260);
}

}  // namespace tokenyard::sim
