#include "analysis/campaign/campaign.hpp"

#include <algorithm>
#include <set>

#include "tests/analysis/campaign/in_folder.hpp"

namespace tokenyard::analysis {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

TEST_CASE("conditions choose cells, and equal cells are one") {
  const CampaignFolder folder("cells");
  const Campaign campaign =
      folder.campaign(R"("names": {"replicas": "/pools/0/replicas", "rate": "/workload/requests/rate_per_s"},
      "factors": [{"grid": {"/pools/0/replicas": [1, 2, 4, 2], "/workload/requests/rate_per_s": [1, 2]}}],
      "include": ["replicas * rate < 8"], "exclude": ["replicas == 1 && rate == 1"])");
  CHECK(campaign.cells() == 4);
  CHECK(campaign.duplicates() == 2);
  CHECK(campaign.column("/pools/0/replicas") == "replicas");
  CHECK(campaign.scenario({3, 2})["pools"][0]["replicas"] == 4);
  CHECK(campaign.scenario({3, 2})["seed"] == 9);
}

TEST_CASE("a key names what a run is, and nothing else") {
  const CampaignFolder folder("keys");
  const std::string key = folder.campaign("").key({0, 1});
  CHECK(key.size() == 32);
  CHECK(folder.campaign(R"("repetitions": 7, "outputs": ["cost"], "limits": {"time_s": 1})").key({0, 1}) == key);
  CHECK(folder.campaign(R"("set": {"/seed": 8})").key({0, 0}) != key);
  CHECK(folder.campaign(R"("network": "analytic")").key({0, 1}) != key);
  CHECK(folder.campaign(R"("factors": [{"grid": {"/run/duration_s": [5, 10]}}])").key({1, 1}) == key);
  SECTION("the order of a scenario's keys does not matter, the trace's content does") {
    folder.write("tiny.json", R"({"b": 1, "workload": {"trace": {"format": "requests", "path": "t.csv"}}})");
    folder.write("t.csv", "one");
    const std::string one = folder.campaign("").key({0, 0});
    folder.write("tiny.json", R"({"workload": {"trace": {"path": "t.csv", "format": "requests"}}, "b": 1})");
    CHECK(folder.campaign("").key({0, 0}) == one);
    folder.write("t.csv", "two");
    CHECK(folder.campaign("").key({0, 0}) != one);
  }
}

TEST_CASE("a wrong campaign says everything that is wrong") {
  const CampaignFolder folder("wrong");
  const std::string all = folder.faults(
      R"("scenario": "tiny.json", "repetitons": 3, "repetitions": {"metric": "x", "min": 1}, "include": ["a <"], "network": "simgird",
                                           "limits": {"time_s": 0}, "names": {"a b": "/x"}, "factors": {"grid": 1})");
  CHECK_THAT(all, Contains("/repetitons: an unknown key") && Contains("did you mean \"repetitions\""));
  CHECK_THAT(all, Contains("/repetitions/min: 1"));
  CHECK_THAT(all, Contains("/include/0: "));
  CHECK_THAT(all, Contains("did you mean \"simgrid\""));
  CHECK_THAT(all, Contains("/limits/time_s: 0"));
  CHECK_THAT(all, Contains("/names/a b: "));
  CHECK_THAT(all, Contains("/factors: "));
  CHECK_THAT(folder.faults(R"("scenario": "none.json")"), Contains("no such file"));
  CHECK_THAT(folder.faults(""), Contains("/scenario: nothing"));
  CHECK_THAT(folder.faults(R"("scenario": "tiny.json", "exclude": ["true"])"), Contains("none of 1 combinations"));
}

TEST_CASE("a name or pointer that leads nowhere is a fault with the nearest one") {
  const CampaignFolder folder("nowhere");
  const std::string grid =
      R"("scenario": "tiny.json", "factors": [{"grid": {"/pools/0/parallelism/tp": [1, 2], "/pools/0/replicas": [1, 2]}}], )";
  CHECK(folder.faults(grid + R"("names": {"replicas": "/pools/0/replcas"}, "exclude": ["replicas == 1"])") ==
        "/names/replicas: \"/pools/0/replcas\" | the JSON pointer of what the scenario has or a factor sets (did you "
        "mean \"/pools/0/replicas\"?)\n");
  CHECK_THAT(folder.faults(grid + R"("include": ["{/pools/0/chipp} == 'x' || {/pools/0/chipp} == 'y'"])"),
             Contains("/include/0: \"/pools/0/chipp\"") && Contains("did you mean \"/pools/0/chip\""));
  CHECK_THAT(folder.faults(grid + R"("names": {"a": "/a~2"})"), Contains("/names/a: \"/a~2\" | a JSON pointer"));
  CHECK(folder.faults(grid + R"("set": {"/pools/3/replicas": 1})") ==
        "/set/~1pools~13~1replicas: \"3\" in /pools, a list of 1 | an index from 0 to 1; 1 adds one\n");
  CHECK_THAT(folder.faults(R"("scenario": "tiny.json", "factors": [{"grid": {"/name/x": [1]}}])"),
             Contains("/factors/0/grid/~1name~1x: \"x\" below /name, which is \"tiny\" | a pointer through"));
  CHECK(
      folder.faults(
          R"("scenario": "tiny.json", "factors": [{"list": [{"/seed": 1}, {"/seed": 2, "/pools/09/replicas": 1}]}])") ==
      "/factors/0/list/1/~1pools~109~1replicas: \"09\" in /pools, a list of 1 | an index from 0 to 1; 1 adds one, and "
      "no zero in front\n");
  CHECK(
      folder.faults(grid + R"("names": {"tp": "/pools/0/parallelism/tp", "pool": "/pools/0"}, "exclude": ["tp == 1"])")
          .empty());
  CHECK(folder.faults(grid + R"("exclude": ["5", "true"])") ==
        "/exclude/0: \"5\", which is 5 | a condition, true or false, as in \"replicas < 4\"\n");
}

TEST_CASE("an output or a metric that no summary has is a fault with the nearest one") {
  const CampaignFolder folder("outputs");
  const auto outputs = [&](const std::string& list) {
    return folder.faults(R"("scenario": "tiny.json", "outputs": )" + list);
  };
  const auto metric = [&](const std::string& key) {
    return folder.faults(R"("scenario": "tiny.json", "repetitions": {"metric": ")" + key + "\"}");
  };
  CHECK(outputs(R"(["slo", "latency.ttft_s.p9x"])") ==
        "/outputs/1: \"latency.ttft_s.p9x\" | a key of the summary that leads to numbers (did you mean "
        "\"latency.ttft_s.p90\"?)\n");
  CHECK_THAT(outputs(R"(["name", "curves"])"), Contains("/outputs/0: \"name\"") && Contains("/outputs/1: \"curves\""));
  CHECK(outputs(R"(["pools.a.b.busy", "agents", "training.job", "causes_s", "slo.met"])").empty());
  CHECK_THAT(metric("latency.ttft_s.p9"),
             Contains("/repetitions/metric: \"latency.ttft_s.p9\" | a number of the summary "
                      "(did you mean \"latency.ttft_s.p90\""));
  CHECK_THAT(metric("latency.ttft_s"), Contains("did you mean \"latency.ttft_s."));
  CHECK_THAT(metric("pools.main.bussy"), Contains("did you mean \"pools.main.busy\""));
  CHECK_THAT(metric(""), Contains("a number of the summary"));
  CHECK(metric("pools.llama-3.1.busy").empty());
}

TEST_CASE("a repetition rule decides on whole batches, in whichever order runs end") {
  const CampaignFolder folder("rule");
  const Campaign campaign = folder.campaign(R"("factors": [{"grid": {"/pools/0/replicas": [1, 2]}}],
      "repetitions": {"metric": "latency.ttft_s.p95", "half_width": 0.1, "min": 3, "max": 9, "batch": 2})");
  // The first cell's values scatter less as they grow in number; the second's never do.
  const auto value = [](RunId run) {
    return run.cell == 0 ? (run.repetition < 3 ? 1.0 + 0.1 * static_cast<double>(run.repetition) : 1.1)
                         : static_cast<double>(run.repetition % 2);
  };
  const auto play = [&](bool backwards) {
    const SettledRuns none;
    Agenda agenda(campaign, none, {});
    std::set<RunId> ran;
    while (!agenda.over()) {
      std::vector<RunId> at_once;
      while (const auto run = agenda.next()) at_once.push_back(*run);
      if (backwards) std::reverse(at_once.begin(), at_once.end());
      for (const RunId run : at_once) {
        RunOutcome result;
        result.outputs = {{"latency.ttft_s.p95", value(run)}};
        agenda.settle(run, result);
        ran.insert(run);
      }
    }
    return ran;
  };
  const std::set<RunId> ran = play(false);
  CHECK(play(true) == ran);
  const auto of_cell = [&](std::size_t cell) {
    return std::count_if(ran.begin(), ran.end(), [&](RunId run) { return run.cell == cell; });
  };
  CHECK(of_cell(0) == 5);  // 3: 1.1 +- 0.25; 5: 1.1 +- 0.088
  CHECK(of_cell(1) == 9);
}

TEST_CASE("results that somebody has changed by hand are refused with the run") {
  const CampaignFolder folder("tampered");
  const Campaign campaign = folder.campaign(R"("repetitions": 1, "outputs": ["counts.calls"])");
  RunOutcome result;
  result.outputs = {{"counts.calls", 1}};
  const auto refused = [&](const char* change) {
    const auto file = folder.path / "campaign.db";
    std::filesystem::remove(file);
    Results(file, Database::Mode::kWrite).adopt(campaign);
    Results results(file, Database::Mode::kWrite);
    results.record(campaign, {0, 0}, result, "test");
    Database(file, Database::Mode::kWrite).execute(change);
    try {
      export_tables(campaign, results, folder.path);
    } catch (const sim::InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(refused("UPDATE runs SET cell = 99"),
             Contains("found cell 99, allowed: a cell of this campaign, up to 0"));
  CHECK_THAT(refused("UPDATE runs SET cell = -1"), Contains("allowed: a cell of this campaign"));
  CHECK_THAT(refused("UPDATE runs SET outputs = '{'"), Contains("run " + campaign.key({0, 0})));
  CHECK_THAT(refused("UPDATE runs SET outputs = '[7]'"), Contains("outputs that are no JSON object"));
}

TEST_CASE("tables hold what ran, exactly") {
  const CampaignFolder folder("tables");
  const Campaign campaign = folder.campaign(
      R"("names": {"model": "/pools/0/model"}, "factors": [{"grid": {"/pools/0/model": ["llama-3.1-8b", "llama-3.1-405b"]}}],
      "repetitions": 2, "outputs": ["counts.calls", "slo.met", "pools.none.busy"])");
  Results results(folder.path / "campaign.db", Database::Mode::kWrite);
  results.adopt(campaign);
  RunOutcome result;
  for (std::size_t r = 0; r < 2; ++r) {
    result.outputs = {
        {"counts.calls", r == 0 ? 0.1 : 0.30000000000000004}, {"slo.met", 1}, {"pools.none.busy", std::nullopt}};
    results.record(campaign, {0, r}, result, "test");
  }
  RunOutcome failed;
  failed.failure = RunFailure::kInfeasible;
  failed.message = "too \"big\", by far";
  results.record(campaign, {1, 0}, failed, "test");
  export_tables(campaign, results, folder.path);
  CHECK(folder.text("runs.csv") ==
        "cell,repetition,seed,model,status,message,counts.calls,slo.met,pools.none.busy,key\n"
        "0,0,7,llama-3.1-8b,done,,0.1,1,," +
            campaign.key({0, 0}) +
            "\n"
            "0,1,8,llama-3.1-8b,done,,0.30000000000000004,1,," +
            campaign.key({0, 1}) +
            "\n"
            "1,0,7,llama-3.1-405b,infeasible,\"too \"\"big\"\", by far\",,,," +
            campaign.key({1, 0}) + "\n");
  // By hand: mean 0.2, deviation 0.14142, t(1) = 12.7062: 0.2 -+ 1.27062.
  CHECK_THAT(folder.text("aggregates.csv"), Contains("cell,model,output,runs,mean,deviation,low_95,high_95\n0,llama-3."
                                                     "1-8b,counts.calls,2,0.2,0.1414213562373095") &&
                                                Contains(",-1.07062") &&
                                                Contains("0,llama-3.1-8b,slo.met,2,1,0,1,1\n"));
}

TEST_CASE("the intervals of shares stay within [0, 1]") {
  const CampaignFolder folder("shares");
  const Campaign campaign = folder.campaign(
      R"("repetitions": 2, "outputs": ["slo.attainment", "pools.a.bound.host", "pools.a.step_time_uncertainty"])");
  Results results(folder.path / "campaign.db", Database::Mode::kWrite);
  results.adopt(campaign);
  for (std::size_t r = 0; r < 2; ++r) {
    RunOutcome result;
    result.outputs = {{"slo.attainment", r == 0 ? 0.5 : 1},
                      {"pools.a.bound.host", r == 0 ? 0 : 0.0625},
                      {"pools.a.step_time_uncertainty", r == 0 ? 0.5 : 1}};
    results.record(campaign, {0, r}, result, "test");
  }
  export_tables(campaign, results, folder.path);
  // By hand: t(1) = 12.7062, deviations 0.354 and 0.0442: 0.75 ∓ 3.18, 0.03125 ∓ 0.397.
  const std::string table = folder.text("aggregates.csv");
  CHECK_THAT(table, Contains("0,slo.attainment,2,0.75,0.3535533905932738,0,1\n"));
  CHECK_THAT(table, Contains("0,pools.a.bound.host,2,0.03125,0.04419417382415922,0,0.42831"));
  CHECK_THAT(table, Contains("0,pools.a.step_time_uncertainty,2,0.75,0.3535533905932738,-2.42"));
}

TEST_CASE("cells are compared with the first by pairs of runs under one seed") {
  const CampaignFolder folder("differences");
  const auto table = [&](const std::string& common) {
    const Campaign campaign = folder.campaign(
        R"("names": {"n": "/pools/0/replicas"}, "factors": [{"grid": {"/pools/0/replicas": [1, 2, 3]}}], "repetitions": 3,
           "outputs": ["counts.calls"], "common_random_numbers": )" +
        common);
    std::filesystem::remove(folder.path / "campaign.db");
    Results results(folder.path / "campaign.db", Database::Mode::kWrite);
    results.adopt(campaign);
    const auto record = [&](RunId run, std::optional<double> calls) {
      RunOutcome result;
      result.outputs = {{"counts.calls", calls}};
      results.record(campaign, run, result, "test");
    };
    for (std::size_t r = 0; r < 3; ++r) record({0, r}, 10.0 * static_cast<double>(r));
    record({1, 0}, 1);
    record({1, 1}, std::nullopt);
    record({1, 2}, 23);
    record({2, 1}, 9);  // its others are yet to run
    export_tables(campaign, results, folder.path);
    return folder.text("differences.csv");
  };
  // By hand: differences 1 and 3, deviation sqrt(2), t(1) = 12.7062: 2 ∓ 12.7062.
  const std::string head = "cell,n,output,pairs,base,mean,difference,low_95,high_95\n";
  const std::string paired = table("true");
  CHECK_THAT(paired, StartsWith(head + "1,2,counts.calls,2,10,12,2,-10.7062"));
  CHECK_THAT(paired, EndsWith("\n2,3,counts.calls,1,10,9,-1,,\n"));
  CHECK(table("false") == head);
}

}  // namespace tokenyard::analysis
