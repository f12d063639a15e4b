#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

const double kPlan = lognormal(520, 0.15);

double result() {  // a mixture, clipped as a whole
  return 0.6 * lognormal(26, 0.4, 2200) + 0.4 * lognormal(900, 0.5, 2200);
}

/// Plans and what is found wrong with them: repairs at most `repairs` in all, one revision by the traveller.
void plan(Work& work, double share, double context, int repairs, bool reviewed) {
  work += share * Work{1, 1, context + kTemplate, kPlan};
  context += kTemplate + kPlan;
  if (share < 1e-9) return;
  if (repairs > 0) {
    work.tools += share * 0.5;  // feedback
    plan(work, share * 0.5, context + lognormal(150, 0.5), repairs - 1, reviewed);
  }
  if (!reviewed) plan(work, share * 0.5 * 0.3, context + lognormal(60, 0.6), repairs, true);
  work.tools += share * 0.5 * (reviewed ? 1 : 0.7);  // booking
}

Work trip(int information, bool react) {
  const double asked = lognormal(80, 0.5), split = lognormal(150, 0.5), piece = lognormal(45, 0.5);
  double context = 600 + lognormal(120, 0.4);
  Work work = {1, 0, context + kTemplate, asked};
  const double again = context + kTemplate + asked + lognormal(40, 0.6);
  work += 0.4 * Work{1, 0, again + kTemplate, asked};
  context = 0.6 * (context + kTemplate + asked) + 0.4 * (again + kTemplate + asked);
  work += Work{1, static_cast<double>(information), context + kTemplate, split};
  context += kTemplate + split;
  if (react) {
    for (int i = 0; i <= information; ++i) {
      work += Work{1, 0, context + kTemplate, piece};
      context += kTemplate + piece + (i < information ? result() : 0);
    }
  } else {
    context += information * result();
  }
  plan(work, 1, context, 4, false);
  return work;
}

Work trips(bool react) {
  return over(Counts{{9, 1.0 / 3}, {15, 1.0 / 3}, {21, 1.0 / 3}}, [&](int n) { return trip(n, react); });
}

}  // namespace

TEST_CASE("Trip planning: means of 10,000 trips are those of the distributions") {
  check_means(play("trip-planning"), trips(false));
  check_means(play("trip-planning", {"react"}), trips(true));
}

TEST_CASE("Trip planning: information and the planner's input are those of TravelPlanner") {
  const Played played = play("trip-planning");
  const std::uint32_t node = played.agent->find("plan");
  std::map<std::uint64_t, double> first;
  for (const auto& call : played.calls) {
    if (call.record.node == node) first.try_emplace(call.record.task, static_cast<double>(call.record.prompt_tokens));
  }
  double sum = 0;
  for (const auto& [task, prompt] : first) sum += prompt;
  CHECK(sum / static_cast<double>(first.size()) == Approx(7'320).epsilon(0.05));
  CHECK(15 * result() == Approx(6'654).epsilon(0.07));
  // All questions side by side, or one after the other.
  CHECK(play("trip-planning", {"react"}, 2'000).mean().calls - play("trip-planning", {}, 2'000).mean().calls ==
        Approx(16).epsilon(0.02));
}

TEST_CASE("Trip planning: the thinking switch") {
  const Work off = play("trip-planning", {"reasoning-off"}, 4'000).mean();
  const Work heavy = play("trip-planning", {"reasoning-heavy"}, 4'000).mean();
  CHECK(heavy.prompt == Approx(off.prompt));
  CHECK(heavy.output > 3 * off.output);
}
