#include "agents/work/arrivals.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;

namespace {

ArrivalSpec spec(const std::string& text, double rate_per_s) {
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::parse(text, "test", faults);
  ArrivalSpec arrivals;
  sim::ObjectReader reader = file.root(faults);
  arrivals.read(reader);
  reader.finish();
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  arrivals.rate_per_s = rate_per_s;
  return arrivals;
}

struct Gaps {
  double mean = 0, cv = 0;
};

Gaps gaps(const ArrivalSpec& arrivals, int count) {
  ArrivalProcess process(1, "test", arrivals, sim::Time::never());
  double last = 0, sum = 0, square = 0;
  for (int i = 0; i < count; ++i) {
    const double now = process.next().seconds();
    sum += now - last;
    square += (now - last) * (now - last);
    last = now;
  }
  const double mean = sum / count;
  return {mean, std::sqrt(square / count - mean * mean) / mean};
}

}  // namespace

TEST_CASE("Poisson and gamma arrivals have the rate and the coefficient of variation they were given") {
  for (const auto& [text, cv] : {std::pair{R"({})", 1.0},
                                 {R"({"process": "gamma", "cv": 0.5})", 0.5},
                                 {R"({"process": "gamma", "cv": 3})", 3.0}}) {
    const Gaps measured = gaps(spec(text, 4), 200'000);
    CHECK(measured.mean == Approx(0.25).epsilon(0.02 * std::max(1.0, cv)));
    CHECK(measured.cv == Approx(cv).epsilon(0.03));
  }
}

TEST_CASE("Bursts and days keep the mean rate; the rate follows the day") {
  CHECK(gaps(spec(R"({"process": "markov-modulated", "burst_factor": 8, "burst_share": 0.2, "mean_burst_s": 5})", 4),
             400'000)
            .mean == Approx(0.25).epsilon(0.03));
  const ArrivalSpec day = spec(R"({"process": "diurnal", "factors": [1, 3], "period_s": 100})", 50);
  ArrivalProcess process(1, "day", day, sim::Time::never());
  int calm = 0, busy = 0;
  for (double now = 0; now < 10'000;) {
    now = process.next().seconds();
    (std::fmod(now, 100.0) < 50 ? calm : busy) += 1;
  }
  CHECK(calm + busy == Approx(500'000).epsilon(0.01));
  CHECK(static_cast<double>(busy) / calm == Approx(3).epsilon(0.02));
}

TEST_CASE("An arrival after the end of a run is not looked for through all the days after it") {
  const sim::Time end = sim::Time::seconds(3);
  for (const char* text : {R"({"process": "diurnal", "factors": [1, 3], "period_s": 1})",
                           R"({"process": "markov-modulated", "mean_burst_s": 0.01})",
                           R"({"process": "diurnal", "factors": [1, 3], "period_s": 1, "batch": 9e18})"}) {
    ArrivalProcess process(1, "rare", spec(text, 1e-18), end);
    const sim::Time next = process.next();
    CHECK(next >= end);
    CHECK(next < sim::Time::seconds(5));
  }
}

TEST_CASE("Changes of rate are counted: the windows of a day, and the begin and end of each burst") {
  CHECK(spec("{}", 1).changes_in(1e9) == 0);
  CHECK(spec(R"({"process": "diurnal", "factors": [1, 3, 1], "period_s": 60})", 1).changes_in(3600) == 180);
  CHECK(spec(R"({"process": "markov-modulated", "burst_share": 0.25, "mean_burst_s": 5})", 1).changes_in(100) == 10);
}

TEST_CASE("A batch arrives at one instant and counts towards the rate") {
  const ArrivalSpec arrivals = spec(R"({"batch": {"dist": "geometric", "p": 0.5}})", 10);
  ArrivalProcess process(1, "batches", arrivals, sim::Time::never());
  int together = 0;
  sim::Time last = sim::Time::nanoseconds(-1), now;
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    now = process.next();
    together += now == last ? 1 : 0;
    last = now;
  }
  CHECK(now.seconds() == Approx(kCount / 10.0).epsilon(0.02));
  CHECK(together == Approx(kCount / 2).epsilon(0.02));  // half of the tasks are not the first of their batch
}

TEST_CASE("Faults of arrivals are named") {
  sim::Faults faults;
  const sim::JsonFile file = sim::JsonFile::parse(R"({"process": "diurnal", "factors": [1, -1]})", "test", faults);
  sim::ObjectReader reader = file.root(faults);
  ArrivalSpec().read(reader);
  REQUIRE(faults.size() == 1);
  CHECK(faults.list()[0].place == "/factors");
}
