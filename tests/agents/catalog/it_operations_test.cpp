#include "tests/agents/catalog/played_agent.hpp"

using namespace tokenyard::agents::catalog;

namespace {

constexpr double kToolsATurn = 0.75 * 1 + 0.15 * 2 + 0.1 * 3;
const double kAnswer = lognormal(150, 0.8);
const double kThinking = lognormal(150, 0.7);
/// All that a turn adds to the prompt, log dumps aside, is LN(450, 1.1); dumps come with three turns in a hundred.
const double kResults = lognormal(450, 1.1) - kAnswer - kTemplate;
const double kWithTools =
    lognormal(450, 1.1) * (1 - 0.03) + (kAnswer + kTemplate) * 0.03 + 0.03 * lognormal(30'000, 0.8, 63'000);

/// An incident as it goes on; every call sees what came before.
struct Incident {
  Work work;
  double context = 11'000 + lognormal(300, 0.6);

  void call(double share, double growth, double tools) {
    work += share * Work{1, tools, context + kTemplate, kAnswer + kThinking};
    context += growth;
  }
};

Work incident(int diagnosis) {
  Incident i;
  for (int n = 1; n < diagnosis; ++n) i.call(1, kWithTools, kToolsATurn);
  i.call(1, kTemplate + kAnswer, 0);
  for (int n = 1; n < 3; ++n) i.call(1, kWithTools, kToolsATurn);
  i.call(1, kTemplate + kAnswer, 0);
  double reached = 1;
  for (int attempt = 1; attempt <= 3; ++attempt, reached *= 0.7) {
    for (int n = 1; n < 6; ++n) i.call(reached, kWithTools, kToolsATurn);
    i.call(reached, kTemplate + kAnswer, 0);
    i.work.tools += reached + (attempt < 3 ? 0.7 * reached : 0);  // roll out, roll back
    i.context += kResults / kToolsATurn;
    i.work += reached * 0.3 * Work{1, 0, i.context + kTemplate, lognormal(600, 0.5) + kThinking};
  }
  return i.work;
}

}  // namespace

TEST_CASE("IT operations: means of 10,000 incidents are those of the distributions") {
  const Played played = play("it-operations");
  check_means(played, over(rounded_gamma(4, 4.5, 2), incident));
  CHECK(played.share_failed() == Approx(0.7 * 0.7 * 0.7).epsilon(0.05));
}

TEST_CASE("IT operations: the prefix is reused as measured of agents on a live fault") {
  // SREGym: 0.77 to 0.96 of the prompts come from the cache. Thinking is dropped, so the answer behind it is computed
  // again.
  const Played played = play("it-operations", {}, 2'000);
  std::map<std::uint64_t, double> before;
  double prompt = 0, reused = 0;
  for (const auto& call : played.calls) {
    prompt += static_cast<double>(call.record.prompt_tokens);
    reused += before.count(call.record.task) != 0 ? before[call.record.task] : 11'000;  // the role's, from other tasks
    before[call.record.task] = static_cast<double>(call.record.prompt_tokens);
  }
  CHECK(reused / prompt > 0.77);
  CHECK(reused / prompt < 0.98);
}
