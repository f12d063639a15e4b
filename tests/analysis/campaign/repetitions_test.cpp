/// What a campaign's 95 % intervals hold: the long-run value in 93 to 97 of 100 of them (with 1000 of them, three
/// standard errors are 2 %).

#include "analysis/campaign/repetitions.hpp"

#include <cmath>

#include "sim/random/stream.hpp"
#include "sim/statistics/mean_interval.hpp"
#include "tests/analysis/campaign/in_folder.hpp"

namespace tokenyard::analysis {
namespace {

constexpr int kIntervals = 1000, kLeast = 930, kMost = 970;

/// One team, tasks that only wait for it and take it for a second, exponentially: M/M/1.
const char* const kQueue = R"({"schema": "tokenyard.agent/1", "name": "queue", "services": {"desk": {"capacity": 1}},
  "nodes": {"serve": {"kind": "tool", "service": "desk", "latency_s": {"dist": "exponential", "mean": 1}},
            "done": {"kind": "end"}},
  "edges": [{"from": "serve", "to": "done"}], "start": "serve"})";

}  // namespace

TEST_CASE("intervals of a campaign's cells hold the long-run mean") {
  // Whole runs of M/M/1 at a load of 1/2, whose tasks take 1 / (1 - 1/2) s in the mean (Kleinrock, "Queueing Systems",
  // vol. 1, 1975), ten repetitions to an interval.
  constexpr std::size_t kRepetitions = 10;
  constexpr double kMeanS = 2;
  const CampaignFolder folder("coverage");
  std::filesystem::create_directories(folder.path / "agents");
  folder.write("agents/queue.json", kQueue);
  sim::Faults faults;
  const agents::AgentCatalog agents = agents::AgentCatalog::load(faults, {folder.path});
  const Catalogs catalogs{TestCatalogs::get().platforms, agents};
  const Campaign campaign = folder.campaign(
      R"("set": {"/workload": {"agents": [{"agent": "queue", "rate_per_s": 0.5}]}, "/run": {"duration_s": 1200, "warmup_s": 100}},
      "outputs": ["latency.task_s.mean"], "repetitions": 10000)");
  int covered = 0;
  std::vector<std::optional<double>> values;
  for (std::size_t repetition = 0; repetition < kIntervals * kRepetitions; ++repetition) {
    const RunOutcome outcome = run_once(campaign, catalogs, {0, repetition}, {});
    if (!outcome.done()) FAIL(outcome.message);
    values.push_back(outcome.outputs.at(0).second);
    if (values.size() < kRepetitions) continue;
    const sim::MeanInterval interval = sim::mean_interval(values);
    covered += std::fabs(interval.mean - kMeanS) <= interval.half_width.value() ? 1 : 0;
    values.clear();
  }
  CAPTURE(covered);
  CHECK(covered >= kLeast);
  CHECK(covered <= kMost);
}

TEST_CASE("repetitions that end once the interval is narrow leave it honest") {
  Repetitions rule{.minimum = 10, .maximum = 100, .batch = 10, .metric = "x", .half_width = 0.05};
  for (const double deviation : {0.02, 0.05, 0.08, 0.1, 0.15, 0.2}) {
    int covered = 0;
    for (std::uint64_t i = 0; i < kIntervals; ++i) {
      sim::Stream stream(3, sim::StreamName("coverage"), i);
      std::vector<std::optional<double>> values;
      for (std::size_t more = rule.minimum; more > 0; more = rule.more(values.size(), values)) {
        for (std::size_t j = 0; j < more; ++j) values.emplace_back(1 + deviation * stream.normal());
      }
      const sim::MeanInterval interval = sim::mean_interval(values);
      covered += std::fabs(interval.mean - 1) <= interval.half_width.value() ? 1 : 0;
    }
    CAPTURE(deviation, covered);
    CHECK(covered >= kLeast);
    CHECK(covered <= kMost);
  }
}

}  // namespace tokenyard::analysis
