#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

Work investigation(double opening) {
  const double query = 8.8 * 19;
  const double observation =
      0.25 * lognormal(20, 0.5) + 0.38 * lognormal(560, 0.75) + 0.02 * lognormal(9000, 0.8, 30'000);
  const double growth = kTemplate + query + 0.98 * observation + 0.02 * lognormal(20, 0.6);
  return over(negative_binomial(6.15, 0.368, 3, 25),
              [&](int n) { return loop(n, 300 + opening + kTemplate, growth, query, 1); });
}

}  // namespace

TEST_CASE("SOC investigator: means of 10,000 tasks are those of the distributions, and calls those measured") {
  const Played played = play("soc-investigator", {"benchmark"});
  check_means(played, investigation(220));
  const double n = static_cast<double>(played.tasks.size());
  double sum = 0, squares = 0;
  std::vector<std::uint32_t> calls;
  for (const auto& task : played.tasks) {
    sum += task.calls;
    squares += 1.0 * task.calls * task.calls;
    calls.push_back(task.calls);
  }
  std::sort(calls.begin(), calls.end());
  // SecRL, gpt-4.1, 391 runs: mean 10.55, variance 28.8, median 10, tenth largest 18.
  CHECK(sum / n == Approx(10.55).epsilon(0.03));
  CHECK(squares / n - sum / n * sum / n == Approx(28.8).epsilon(0.12));
  CHECK(calls[calls.size() / 2] == 10);
  CHECK(calls[calls.size() * 9 / 10] == 18);
}

TEST_CASE("IT security: means of 10,000 alerts are those of the distributions") {
  const double enrichment = lognormal(300, 0.9);
  const double verdict = lognormal(250, 0.4);
  const Work triage = {1, 1, 800 + lognormal(635, 0.836), lognormal(120, 0.5)};
  Work examined = {0, 4, 0, 0};
  const double tried_again = 0.99 * 0.325;
  double reached = 1;
  for (int attempt = 1; attempt <= 3; ++attempt, reached *= tried_again) {
    examined += reached * investigation(4 * enrichment + 220);
    const double right = reached * 0.99 * 0.35;
    const double incident = 0.15;
    const double file = 700 + lognormal(180, 0.6) + 4 * enrichment + attempt * verdict + incident * enrichment;
    examined += right * Work{1, 2 * incident, file + kTemplate, lognormal(350, 0.5)};
    if (attempt < 3) examined += reached * tried_again * Work{1, 0, 400 + lognormal(8000, 0.6), lognormal(200, 0.5)};
  }
  const Played played = play("it-security");
  check_means(played, triage + 0.4 * examined);
}

TEST_CASE("IT security: six alerts in ten are closed at triage") {
  const Played played = play("it-security");
  double one_call = 0;
  for (const auto& task : played.tasks) one_call += task.calls == 1 ? 1 : 0;
  CHECK(one_call / 10'000 == Approx(0.6).epsilon(0.03));
}

TEST_CASE("IT security: thinking at length makes four to nine times the output, as measured of reasoning models") {
  // SecRL, output a call: 609 of o3-mini to 2,495 of o1-mini and 1,052 of DeepSeek-R1, against 118 to 138 of gpt-4o and
  // gpt-4.1.
  for (const char* agent : {"soc-investigator", "it-security"}) {
    const Work off = play(agent, {"reasoning-off"}).mean();
    const Work light = play(agent, {"reasoning-light"}).mean();
    const Work heavy = play(agent, {"reasoning-heavy"}).mean();
    INFO(agent << ": off " << off.output << ", light " << light.output << ", heavy " << heavy.output
               << " tokens a task");
    CHECK(heavy.output / off.output > 4);
    CHECK(heavy.output / off.output < 9);
    CHECK(light.output / off.output > 2);
    CHECK(light.output < heavy.output);
    CHECK(heavy.calls == Approx(off.calls));
  }
}

TEST_CASE("IT security: the offensive variant makes the steps, commands and output that were measured in CyBench") {
  const Played played = play("soc-investigator", {"offensive"});
  const Work mean = played.mean();
  CHECK(mean.calls == Approx(14.3).epsilon(0.1));                     // steps, mean
  CHECK(mean.tools / (mean.calls - 1) == Approx(2.2).epsilon(0.12));  // commands a step
  CHECK(mean.output / mean.calls == Approx(2'733).epsilon(0.15));
}
