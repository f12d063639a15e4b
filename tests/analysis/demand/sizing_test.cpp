#include "analysis/demand/sizing.hpp"

#include <algorithm>

#include "analysis/demand/trial.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;

namespace {

/// Requests of a small model: one pool, or with `split` prefill and decode apart.
Scenario requests(double rate, bool split, const std::string& slo = R"({"ttft_s": 0.5, "tpot_s": 0.02})",
                  const std::string& demand = R"({"tp": [1, 2, 4]})") {
  const std::string one = R"([{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm"}])";
  const std::string two =
      R"([{"name": "prefill", "role": "prefill", "decode_pool": "decode", "model": "llama-3.1-8b", "chip": "h100-sxm"},
                              {"name": "decode", "role": "decode", "model": "llama-3.1-8b", "chip": "h100-sxm"}])";
  return read_scenario(
      R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]}, "pools": )" +
      (split ? two : one) + R"(, "workload": {"requests": {"rate_per_s": )" + std::to_string(rate) +
      R"(, "prompt_tokens": {"dist": "lognormal", "median": 2000, "sigma": 0.5}, "output_tokens": {"dist": "lognormal", "median": 200, "sigma": 0.5}}},
                          "slo": )" +
      slo + R"(, "demand": )" + demand + R"(, "run": {"duration_s": 60, "warmup_s": 10}})");
}

bool meets(const Candidate& candidate, const Size& size, int seeds) {
  for (int seed = 0; seed < seeds; ++seed) {
    Scenario scenario = candidate.at(size);
    scenario.seed += static_cast<std::uint64_t>(seed);
    if (!simulate(scenario, nullptr, {})["slo"]["met"].get<bool>()) return false;
  }
  return true;
}

/// The fewest chips by trying every way and number of replicas of every pool, with no early stopping.
std::int64_t exhaustive(const Candidate& candidate, std::int64_t most_chips, int seeds) {
  std::vector<Size> sizes = {{}};
  for (std::size_t p = 0; p < candidate.ways.size(); ++p) {
    std::vector<Size> longer;
    for (const Size& size : sizes) {
      for (std::size_t way = 0; way < candidate.ways[p].size(); ++way) {
        for (std::int64_t replicas = 1;; ++replicas) {
          Size next = size;
          next.push_back({way, replicas});
          if (candidate.chips(next) > most_chips) break;
          longer.push_back(next);
        }
      }
    }
    sizes = longer;
  }
  std::stable_sort(sizes.begin(), sizes.end(),
                   [&](const Size& a, const Size& b) { return candidate.chips(a) < candidate.chips(b); });
  for (const Size& size : sizes) {
    if (meets(candidate, size, seeds)) return candidate.chips(size);
  }
  return 0;
}

}  // namespace

TEST_CASE("Sizing: the same number of chips as an exhaustive scan") {
  for (const double rate : {3.0, 20.0, 60.0}) {
    for (const bool split : {false, true}) {
      if (split && rate > 30) continue;  // the scan would take long
      INFO(rate << " requests/s, prefill and decode " << (split ? "apart" : "together"));
      const Scenario scenario = requests(rate, split);
      const Candidate candidate = candidate_of(scenario, *scenario.pools[0].chip);
      const Sizing sizing = fewest_chips(candidate, {.repetitions = 2});
      CHECK(sizing.met);
      CHECK(sizing.proven);
      CHECK(sizing.seeds_met == 2);
      CHECK((sizing.stopped_early > 0) == (rate > 3));
      CHECK(sizing.chips == exhaustive(candidate, sizing.chips + 2, 2));
    }
  }
}

TEST_CASE("Sizing: batch limits are searched, too") {
  const Scenario scenario =
      requests(20, false, R"({"ttft_s": 0.5, "tpot_s": 0.02})", R"({"tp": [1, 2], "max_num_seqs": [4, 256]})");
  const Candidate candidate = candidate_of(scenario, *scenario.pools[0].chip);
  REQUIRE(candidate.ways[0].size() == 4);
  const Sizing sizing = fewest_chips(candidate, {.repetitions = 1});
  CHECK(sizing.chips == exhaustive(candidate, sizing.chips + 2, 1));
  CHECK(sizing.pools[0].max_num_seqs == 256);
}

TEST_CASE("Sizing: a trial that is stopped early would have missed the level") {
  const Scenario scenario = requests(40, false);
  const Candidate candidate = candidate_of(scenario, *scenario.pools[0].chip);
  Trials trials(candidate, 2, nullptr);
  REQUIRE(trials.learn_from({{0, 16}}).met);
  for (std::int64_t replicas = 1; replicas <= 8; ++replicas) {
    const Trial& trial = trials.run({{0, replicas}}, 0);
    INFO(replicas << " replicas, " << (trial.stopped ? "stopped" : "complete"));
    CHECK(trial.met == meets(candidate, {{0, replicas}}, 1));
    CHECK((!trial.stopped || trial.missed > 0.05));
  }
  CHECK(trials.stopped() > 0);
  const std::size_t before = trials.simulations();
  trials.run({{0, 1}}, 0);
  CHECK(trials.simulations() == before);  // none twice
}

TEST_CASE("Sizing: a level beyond any size says what stands in the way") {
  const Scenario scenario = requests(5, false, R"({"tpot_s": 0.0001})");
  const Sizing slow = fewest_chips(candidate_of(scenario, *scenario.pools[0].chip), {.repetitions = 1});
  CHECK_FALSE(slow.met);
  CHECK_THAT(slow.why_not, Contains("even calls alone miss it") && Contains("output token"));
}

TEST_CASE("Sizing: it survives the cache") {
  const Scenario scenario = requests(3, false);
  const Sizing sizing = fewest_chips(candidate_of(scenario, *scenario.pools[0].chip), {.repetitions = 1});
  CHECK(Sizing::from_json(sizing.to_json()).to_json() == sizing.to_json());
}
