#include <nlohmann/json.hpp>

#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

/// What a budget of LN(2, 0.8) USD, within 0.2 and 50, buys at a price: E[n], E[n^2].
struct Bought {
  double mean = 0, square = 0;
};
Bought bought(double share, double usd_each) {
  Bought b;
  const boost::math::normal z;
  for (int n = 1; n <= 50 * share / usd_each + 1e-9; ++n) {
    const double usd = n * usd_each / share;
    const double at_least = usd <= 0.2 ? 1 : cdf(complement(z, std::log(usd / 2) / 0.8));
    b.mean += at_least;
    b.square += (2 * n - 1) * at_least;
  }
  return b;
}

constexpr double kRounds = 1.15;  // one ad of 0.15 is made twice

/// Prompts written one after the other in a context of their own, in `kRounds` rounds.
Work prompts(const Bought& n, double first, double output) {
  const auto rounds = [&](double m, double m2) { return m * first + (kTemplate + output) * (m2 - m) / 2; };
  const double once = rounds(n.mean, n.square), twice = rounds(2 * n.mean, 4 * n.square);
  return {kRounds * n.mean, 0, 0.85 * once + 0.15 * twice, kRounds * n.mean * output};
}

Work ads(const Bought& images, const Bought& videos) {
  const double concept_out = lognormal(520, 0.5), assembled = lognormal(350, 0.5);
  const double before = 1800 + lognormal(600, 0.6) + lognormal(1800, 0.6) + kTemplate;
  const double copies = 3 * 0.5 + 5 * 0.3 + 8 * 0.2, tries = 1.11;
  Work work = {1, 1, before, concept_out};
  work += kRounds * tries *
          (copies * Work{1, 0, 1800 + lognormal(1200, 0.4), lognormal(180, 0.4)} +
           Work{1, 0, 500 + lognormal(900, 0.4), 22.5});
  work += prompts(images, 700 + 400 + kTemplate, lognormal(110, 0.4));
  work += prompts(videos, 900 + 400 + kTemplate, lognormal(220, 0.4));
  // Of ten rounds of pictures one is made again, pictures and look at them.
  work += kRounds * images.mean / 0.9 * 4 * Work{2, 0, 1580, 35};
  work += kRounds * videos.mean / 0.9 * Work{2, 0, 4300, 45};
  const double whole = before + concept_out + kTemplate + lognormal(2500, 0.5);
  work +=
      Work{1, 0, whole, assembled} + 0.15 * Work{1, 0, whole + assembled + kTemplate + lognormal(2500, 0.5), assembled};
  return work;
}

double pictures(const Played& played, std::int64_t frames_over) {
  double calls = 0;
  for (const auto& call : played.calls) {
    const auto& node = played.agent->nodes[call.record.node];
    calls += call.record.media_steps > 0 && node.picture.frames > frames_over ? 1 : 0;
  }
  return calls / static_cast<double>(played.tasks.size());
}

}  // namespace

TEST_CASE("Ad generation: means of 10,000 ads are those of the distributions") {
  check_means(play("ad-generation"), ads(bought(0.4, 0.0336), bought(0.6, 0.338)));
  check_means(play("ad-generation", {"few-steps"}), ads(bought(0.4, 0.0188), bought(0.6, 0.203)));
}

TEST_CASE("Ad generation: the budget decides how many pictures there are") {
  const Played played = play("ad-generation", {}, 4'000);
  CHECK(pictures(played, 1) == Approx(kRounds * bought(0.6, 0.338).mean / 0.9).epsilon(0.03));
  CHECK(pictures(played, 0) - pictures(played, 1) ==
        Approx(4 * kRounds * bought(0.4, 0.0336).mean / 0.9).epsilon(0.03));
  CHECK(pictures(play("ad-generation", {"no-video"}, 200), 1) == 0);
  CHECK(pictures(play("ad-generation", {"text-only"}, 200), 0) == 0);

  // The scenario's budget is in place of the agent's.
  tokenyard::sim::Faults faults;
  const tokenyard::agents::AgentCatalog catalog = tokenyard::agents::AgentCatalog::load(faults);
  const tokenyard::sim::Json ten = 10.0;
  const auto agent = catalog.find("ad-generation", {"no-video"}, faults, &ten);
  REQUIRE(faults.empty());
  CHECK(agent->budget_usd.of.is_constant());
  CHECK(agent->budget_usd.of.mean() == 10);
}

TEST_CASE("Ad generation: thinking adds to the output of planning and copy alone") {
  const Work plain = play("ad-generation", {}, 4'000).mean();
  const Work light = play("ad-generation", {"reasoning-light"}, 4'000).mean();
  CHECK(light.prompt == Approx(plain.prompt));
  const double copies = 1.11 * (3 * 0.5 + 5 * 0.3 + 8 * 0.2);
  CHECK(light.output - plain.output == Approx((1 + kRounds + kRounds * copies) * lognormal(450, 0.7)).epsilon(0.03));
  CHECK(play("ad-generation", {"reasoning-heavy"}, 4'000).mean().output > light.output);
}
