#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

const double kThought = lognormal(75, 0.7), kThinking = lognormal(120, 1.2);
const double kPages = 0.62 * 1 + 0.24 * 2 + 0.14 * 3;
const Work kPage = {1, 1, lognormal(10'000, 1.2, 90'000), lognormal(110, 0.9)};

/// Calls on one context; after all but the last, with 0.72, a tool.
Work single(int n) {
  const double tool = 0.2952 + 0.072 + 0.0072, fetch = 0.3456;
  const double growth = kTemplate + kThought + tool * lognormal(481, 0.9) + fetch * kPages * lognormal(316, 0.9);
  Work work = loop(n, 2900 + lognormal(180, 0.6) + kTemplate, growth, kThought + kThinking, tool);
  return work + (n - 1) * fetch * kPages * kPage;
}

Work team() {
  const Work coordinator = {1, 0, 1500 + lognormal(1600, 1.2), lognormal(110, 1.0) + lognormal(82, 1.1)};
  const Work worker = {1, 0, 713 + lognormal(3187, 1.25, 122'000), lognormal(44, 1.2)};
  const double calls = 1 / 0.303;
  return over(negative_binomial(1.7, 0.095, 1, 1000), [&](int n) {
    Work work = static_cast<double>(n) * coordinator + (n - 1) * 0.33 * calls * worker;
    work.tools += (n - 1) * 0.33 * (calls - 1);
    return work;
  });
}

/// Mean and deviation of the calls of one node in a task.
std::pair<double, double> calls_of(const Played& played, const std::string& node) {
  const auto names = node_names(*played.agent);
  std::vector<double> of_task(played.tasks.size());
  for (const auto& call : played.calls) of_task[call.record.task] += names[call.record.node] == node ? 1 : 0;
  double sum = 0, squares = 0;
  for (const double n : of_task) sum += n, squares += n * n;
  const auto count = static_cast<double>(of_task.size());
  return {sum / count, std::sqrt(squares / count - sum / count * sum / count)};
}

}  // namespace

TEST_CASE("Research by one agent: means are those of the distributions, and calls those measured of MiroThinker") {
  const Played played = play("research-assistant");
  check_means(played, over(geometric(2, 0.075, 46), single));
  const auto [calls, deviation] = calls_of(played, "research-single/think");
  CHECK(calls == Approx(14.5).epsilon(0.05));  // 14.5 +- 10.3, at most 48
  CHECK(deviation == Approx(10.3).epsilon(0.12));
  const auto [summaries, spread] = calls_of(played, "web-page-reader/summarise");
  CHECK(summaries == Approx(7.3).epsilon(0.05));  // 7.3 +- 5.1
  double prompt = 0, output = 0, n = 0;
  for (const auto& call : played.calls) {
    if (node_names(*played.agent)[call.record.node] != "research-single/think") continue;
    prompt += static_cast<double>(call.record.prompt_tokens);
    output += static_cast<double>(call.record.output_tokens);
    n += 1;
  }
  CHECK(prompt / n == Approx(11'201).epsilon(0.15));  // each call's prompt; measured +- 5,437
  CHECK(output / n == Approx(348).epsilon(0.05));
  CHECK(played.share_failed() == Approx(0.51).epsilon(0.03));
}

TEST_CASE("Research by a team: means are those of the distributions, and calls those measured of OWL") {
  const Played played = play("research-assistant", {"multi-agent"});
  check_means(played, team());
  const auto [coordinator, coordinators] = calls_of(played, "research-team/coordinate");
  CHECK(coordinator == Approx(16.2).epsilon(0.05));  // 16.2 +- 12.7
  CHECK(coordinators == Approx(12.7).epsilon(0.1));
  CHECK(calls_of(played, "research-worker/work").first == Approx(16.6).epsilon(0.05));
}

TEST_CASE("Research: variants change what they name") {
  const Work plain = play("research-assistant", {}, 4'000).mean();
  const Work off = play("research-assistant", {"reasoning-off"}, 4'000).mean();
  CHECK(off.prompt == Approx(plain.prompt));
  CHECK(off.output < 0.6 * plain.output);
  CHECK(play("research-assistant", {"reasoning-heavy"}, 4'000).mean().output > 3 * plain.output);
  const Work written = play("research-assistant", {"deep-research"}, 4'000).mean();
  CHECK(written.calls - plain.calls == Approx(0.49 * (3 * 0.4 + 4 * 0.3 + 5 * 0.3 + 1)).epsilon(0.05));
  // A failure is tried again, four times at most: 0.238 of all trials go on.
  const double trials = (1 - std::pow(0.238, 5)) / (1 - 0.238);
  const Work again = play("research-assistant", {"reflection"}, 4'000).mean();
  CHECK(again.calls == Approx(trials * plain.calls + trials - 1).epsilon(0.03));
}
