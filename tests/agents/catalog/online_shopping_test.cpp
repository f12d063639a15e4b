#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

constexpr double kItems = 0.5 * 1 + 0.2 * 2 + 0.3 * 3;

/// Calls that see all that came before.
struct Conversation {
  Work work;
  double context = 0;
  void call(double share, double output) {
    work += share * Work{1, 0, context + kTemplate, output};
    context += share * (kTemplate + output);
  }
};

Work shopping(int steps, double prefix, double action, double answer) {
  const double pages = lognormal(300, 0.8) + kItems * lognormal(232, 0.8) + lognormal(182, 0.8);
  Conversation c;
  c.context = prefix + lognormal(60, 0.6);
  c.call(1, action);
  for (int step = 1; step < steps; ++step) {
    c.call(1, action);
    c.context += pages;
    c.work.tools += 2 + kItems;
  }
  c.call(1, action);
  c.call(1, answer);
  // With 0.3 a question, once; its answer and a second comparison. Those who were asked have the longer context.
  c.work += 0.3 * Work{1, 0, c.context + lognormal(40, 0.6) + kTemplate, answer};
  c.context += 0.3 * (lognormal(40, 0.6) + kTemplate + answer) + lognormal(60, 0.4);
  c.work.tools += 1;
  c.call(1, answer);
  return c.work;
}

}  // namespace

TEST_CASE("Online shopping: means of 10,000 tasks are those of the distributions") {
  const Played played = play("online-shopping");
  check_means(played, over(geometric(0, 0.2, 12),
                           [](int steps) { return shopping(steps, 3000, lognormal(60, 0.7), lognormal(200, 0.6)); }));
  CHECK(played.mean().calls == Approx(7.6).epsilon(0.06));  // notes on WebShop agents: 7 to 8
  CHECK(played.share_failed() == Approx(0.45).epsilon(0.03));
}

TEST_CASE("Online shopping: with the interfaces of many apps, calls and outputs are those measured in AppWorld") {
  const Played played = play("online-shopping", {"multi-api"});
  const double output = lognormal(208, 1.14);
  check_means(played, over(geometric(1, 0.18, 13), [&](int steps) { return shopping(steps, 92'000, output, output); }));
  CHECK(played.mean().calls == Approx(9.4).epsilon(0.06));
  CHECK(played.mean().output / played.mean().calls == Approx(517).epsilon(0.25));
  CHECK(played.calls.front().record.prompt_tokens == Approx(92'400).epsilon(0.01));
}

TEST_CASE("Online shopping: the thinking switch") {
  const Work off = play("online-shopping", {"reasoning-off"}, 4'000).mean();
  const Work light = play("online-shopping", {"reasoning-light"}, 4'000).mean();
  CHECK(light.prompt == Approx(off.prompt));
  CHECK(light.output - off.output == Approx(light.calls * lognormal(347, 0.8)).epsilon(0.03));
  CHECK(play("online-shopping", {"reasoning-heavy"}, 4'000).mean().output > 2 * light.output);
}
