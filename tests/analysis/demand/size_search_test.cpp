#include "analysis/demand/size_search.hpp"

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

/// Requests to a large model and to a small one.
Scenario two_models(const std::string& tp) {
  return read_scenario(
      R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 4, "chips_per_node": 8}]}]}, "pools": [
      {"name": "large", "model": "llama-3.3-70b", "chip": "h100-sxm", "parallelism": {"tp": 2}, "precision": {"weights": "fp8", "kv": "fp8"}},
      {"name": "small", "model": "llama-3.1-8b", "chip": "h100-sxm"}],
    "workload": {"agents": [{"agent": "customer-service", "rate_per_s": 1.5, "pools": {"default": "large", "small": "small"}}]},
    "slo": {"ttft_s": 0.6, "tpot_s": 0.03}, "demand": {"tp": )" +
      tp + R"(}, "run": {"duration_s": 200, "warmup_s": 50}})");
}

/// With no early stopping.
bool passes(const Candidate& candidate, const Size& size, std::size_t repetitions) {
  std::vector<double> attainments;
  std::optional<bool> passes;
  while (!passes) {
    Scenario scenario = candidate.at(size);
    scenario.seed += attainments.size();
    attainments.push_back(simulate(scenario, nullptr, {})["slo"]["attainment"]);
    passes = verdict(attainments, scenario.slo.attainment, repetitions);
  }
  return *passes;
}

/// The fewest chips by trying every way and number of replicas of every pool, with no early stopping.
std::int64_t exhaustive(const Candidate& candidate, std::int64_t most_chips, std::size_t repetitions) {
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
    if (passes(candidate, size, repetitions)) return candidate.chips(size);
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
      CHECK(sizing.seeds >= 2);
      CHECK((sizing.stopped_early > 0) == (rate > 3));
      CHECK(sizing.chips == exhaustive(candidate, sizing.chips + 2, 2));
    }
  }
}

TEST_CASE("Sizing: two pools of different models, as an exhaustive scan") {
  for (const char* tp : {"[2]", "[1, 2]", "[1, 2, 4]"}) {
    INFO("tp " << tp);
    const Scenario scenario = two_models(tp);
    const Candidate candidate = candidate_of(scenario, *scenario.pools[0].chip);
    const Sizing sizing = fewest_chips(candidate, {.repetitions = 2});
    REQUIRE(sizing.met);
    CHECK(sizing.chips > 4);
    CHECK(sizing.proven);
    CHECK(sizing.simulations < 150);
    // With two ways, more of one pool brings the other its calls in thicker bursts: alone it needs more than together.
    CHECK(sizing.chips == exhaustive(candidate, sizing.chips + 1, 2));
  }
}

TEST_CASE("Sizing: three pools, one of which makes pictures, and tasks that hardly can be in time") {
  const auto sized = [](const std::string& slo) {
    const Scenario scenario = read_scenario(
        R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 16, "chips_per_node": 8}]}]}, "pools": [
              {"name": "text", "model": "llama-3.1-8b", "chip": "h100-sxm"}, {"name": "small", "model": "llama-3.1-8b", "chip": "h100-sxm"},
              {"name": "images", "model": "flux.1-dev", "chip": "h100-sxm"}],
            "workload": {"agents": [{"agent": "ad-generation", "variant": ["no-video", "no-people"], "rate_per_s": 0.02, "budget_usd": 0.5,
                                     "pools": {"default": "text", "small": "small", "image": "images"}}]},
            "demand": {"tp": [1]}, "run": {"duration_s": 7200, "warmup_s": 600}, "slo": )" +
        slo + "}");
    return fewest_chips(candidate_of(scenario, *scenario.pools[0].chip), {.repetitions = 2});
  };
  const Sizing sizing = sized(R"({"task_s": 900, "attainment": 0.9})");
  INFO(sizing.why_not);
  REQUIRE(sizing.met);
  CHECK(sizing.proven);
  CHECK(sizing.simulations < 150);
  CHECK(sizing.pools[2].replicas > sizing.pools[0].replicas);
  // Some ads take this long with any number of chips.
  const Sizing beyond = sized(R"({"task_s": 120, "attainment": 0.9})");
  CHECK_FALSE(beyond.met);
  CHECK_FALSE(beyond.why_not.empty());
  CHECK(beyond.simulations < 30);
}

TEST_CASE("Sizing: what a few seeds leave open is no pass") {
  using Attained = std::vector<double>;
  CHECK(verdict({0.96}, 0.95, 1) == true);
  CHECK(verdict({0.94}, 0.95, 1) == false);
  CHECK(verdict({0.99}, 0.95, 2) == std::nullopt);
  CHECK(verdict({0.99, 0.94}, 0.95, 2) == false);         // a seed misses the level
  CHECK(verdict({0.97, 0.9701}, 0.95, 2) == true);        // 0.9700 ± 0.0006
  CHECK(verdict({0.96, 0.99}, 0.95, 2) == std::nullopt);  // 0.975 ± 0.19
  CHECK(verdict(Attained(6, 0.97), 0.95, 2) == true);
  CHECK(verdict({0.951, 0.999, 0.951, 0.951, 0.91, 0.96}, 0.95, 2) == false);  // as many as may be, and still open
}

TEST_CASE("Sizing: experts, stages and nodes") {
  const auto candidate = [](const std::string& model, const std::string& chip, const std::string& demand) {
    const Scenario scenario = read_scenario(
        R"({"cluster": {"sites": [{"nodes": [{"chip": ")" + chip +
        R"(", "count": 4, "chips_per_node": 8}]}], "fabric": {"bytes_per_s": 5e10}}, "pools": [{"model": ")" + model +
        R"(", "chip": ")" + chip +
        R"(", "parallelism": {"tp": 8}, "engine": {"num_gpu_blocks_override": 1000}, "precision": {"weights": "fp8"}}],
            "workload": {"requests": {"rate_per_s": 1, "prompt_tokens": 100, "output_tokens": 10}}, "demand": )" +
        demand + "}");
    return candidate_of(scenario, *scenario.pools[0].chip);
  };
  const auto spreads = [](const Candidate& c) {
    std::int64_t found = 0;
    for (const Way& way : c.ways[0]) found += way.parallelism.ep > 1 ? 1 : 0;
    return found;
  };
  CHECK(spreads(candidate("qwen3-30b-a3b", "h100-sxm", "{}")) == 3);  // of 2, 4 and 8 chips
  CHECK(spreads(candidate("llama-3.1-8b", "h100-sxm", "{}")) == 0);
  const Candidate staged = candidate("llama-3.1-8b", "h100-sxm", R"({"tp": [1], "pp": [1, 2]})");
  REQUIRE(staged.ways[0].size() == 2);
  CHECK(staged.ways[0][1].parallelism.pp == 2);
  CHECK(staged.nodes({{0, 8}}) == 1);
  CHECK(staged.nodes({{0, 9}}) == 2);
  CHECK(staged.nodes({{1, 4}}) == 1);
}

TEST_CASE("Sizing: host memory and SSDs for KV stay with the chips, a remote store as it is") {
  const Scenario scenario = read_scenario(
      R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}], "fabric": {"bytes_per_s": 5e10}},
          "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm", "parallelism": {"tp": 4}, "engine": {"kv_offloading_size": 600},
                     "kv_tiers": [{"tier": "ssd", "gib": 4000, "bytes_per_s": 5e10}, {"tier": "remote", "gib": 20000}]}],
          "workload": {"requests": {"rate_per_s": 1, "prompt_tokens": 100, "output_tokens": 10}}, "demand": {"tp": [1, 8]}})");
  const Candidate candidate = candidate_of(scenario, *scenario.pools[0].chip);
  REQUIRE(candidate.ways[0].size() == 2);
  for (const auto& [way, share] : {std::pair{std::size_t{0}, 0.25}, {std::size_t{1}, 2.0}}) {
    const std::vector<KvTierPlan> tiers = candidate.at({{.way = way, .replicas = 3}}).pools[0].kv_tiers;
    REQUIRE(tiers.size() == 3);
    CHECK(tiers[0].gib == 600 * share);
    CHECK(tiers[1].gib == 4000 * share);
    CHECK(tiers[2].gib == 20000);
  }
}

TEST_CASE("Sizing: of the ways to run as many chips, the one that draws least power") {
  const Scenario scenario = read_scenario(
      R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
          "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}],
          "workload": {"agents": [{"agent": "customer-service", "rate_per_s": 5}]}, "demand": {"tp": [1, 4]},
          "slo": {"ttft_s": 0.5, "tpot_s": 0.03}, "run": {"duration_s": 900, "warmup_s": 200}})");
  const Candidate candidate = candidate_of(scenario, *scenario.pools[0].chip);
  const Sizing sizing = fewest_chips(candidate, {.repetitions = 1});
  REQUIRE(sizing.met);
  CHECK(sizing.pools[0].parallelism.tp == 4);  // one chip alone would do, too
  std::optional<double> least;
  Trials trials(candidate, 1, {});
  for (std::size_t way = 0; way < candidate.ways[0].size(); ++way) {
    const std::int64_t each = candidate.ways[0][way].parallelism.chips();
    const Size size = {{way, sizing.chips / each}};
    if (sizing.chips % each != 0 || !trials.passes(size)) continue;
    double watts = 0;
    for (const Trial* trial : trials.judged(size)) watts += trial->summary["energy"]["watts_mean"].get<double>();
    watts /= static_cast<double>(trials.judged(size).size());
    least = std::min(least.value_or(watts), watts);
  }
  REQUIRE(least);
  CHECK(sizing.figures["watts"].get<double>() == Approx(*least));
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
    CHECK(trial.met == passes(candidate, {{0, replicas}}, 1));
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
  CHECK(Sizing::from_json(sizing.to_json()).value().to_json() == sizing.to_json());
}
