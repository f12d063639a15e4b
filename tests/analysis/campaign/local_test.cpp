#include "analysis/campaign/local.hpp"

#include <csignal>
#include <set>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "analysis/campaign/run_processes.hpp"
#include "tests/analysis/campaign/in_folder.hpp"
#include "tests/analysis/command/outcome.hpp"
#include "tests/support/sanitizer.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

const char* const kTwelve =
    R"("factors": [{"grid": {"/pools/0/replicas": [1, 2], "/workload/requests/rate_per_s": [1, 2]}}], "repetitions": 3)";

/// Runs the campaign in a process of its own; a negative result is the signal that ended it.
template <typename Body>
int in_process(Body body) {
  const int pid = ::fork();
  if (pid == 0) {
    int code = 1;
    try {
      code = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(code);
  }
  return pid;
}

int ended(int pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a database that a kill left without its tables holds no results") {
  const CampaignFolder folder("killed-early");
  folder.write("campaign.db", "");
  CHECK(result_files(folder.path).empty());
  run_here(folder.campaign(kTwelve), folder.path);
  CHECK(result_files(folder.path).size() == 1);
}

TEST_CASE("a campaign's results depend on the campaign alone") {
  const CampaignFolder folder("alone");
  const Campaign campaign = folder.campaign(kTwelve);
  const CampaignTally tally = run_here(campaign, folder.path / "one");
  CHECK(tally.done == 12);
  CHECK(tally.failed == 0);
  const std::string alone = dump(folder.path / "one/campaign.db");

  SECTION("not on the number of jobs") {
    run_here(campaign, folder.path / "four", {.jobs = 4});
    CHECK(dump(folder.path / "four/campaign.db") == alone);
  }
  SECTION("not on shards") {
    for (std::size_t k = 1; k <= 3; ++k) CHECK(run_here(campaign, folder.path / "shards", {.shard = {k, 3}}).done == 4);
    Results merged(folder.path / "shards/campaign.db", Database::Mode::kWrite);
    merged.adopt(campaign);
    for (const auto& file : result_files(folder.path / "shards")) {
      if (file.filename() != "campaign.db") merged.merge(file);
    }
    merged.close_log();
    CHECK(dump(folder.path / "shards/campaign.db") == alone);
  }
  SECTION("and nothing runs twice") {
    CHECK(run_here(campaign, folder.path / "one").done == 0);
    CHECK(dump(folder.path / "one/campaign.db") == alone);
  }
}

TEST_CASE("a longer campaign runs only what is new, and a shorter one hides the rest") {
  const CampaignFolder folder("longer");
  run_here(folder.campaign(R"("factors": [{"grid": {"/workload/requests/rate_per_s": [1, 2]}}], "repetitions": 2)"),
           folder.path);
  const Campaign longer =
      folder.campaign(R"("factors": [{"grid": {"/workload/requests/rate_per_s": [3, 1, 2]}}], "repetitions": 3)");
  CHECK(run_here(longer, folder.path).done == 5);
  run_here(longer, folder.path / "fresh");
  CHECK(dump(folder.path / "campaign.db") == dump(folder.path / "fresh/campaign.db"));
  run_here(folder.campaign(R"("factors": [{"grid": {"/workload/requests/rate_per_s": [2]}}])"), folder.path);
  CHECK(count_runs(folder.path / "campaign.db") == 1);
  SECTION("an output that is new makes a run missing") {
    CHECK(run_here(folder.campaign(
                       R"("factors": [{"grid": {"/workload/requests/rate_per_s": [2]}}], "outputs": ["causes_s"])"),
                   folder.path)
              .done == 1);
  }
}

TEST_CASE("a changed scenario is another campaign, and the file of the first one refuses it") {
  const CampaignFolder folder("changed");
  const std::string two = R"("repetitions": 2)";
  run_here(folder.campaign(two), folder.path);
  const std::string before = dump(folder.path / "campaign.db");
  const Campaign changed = folder.campaign(R"("set": {"/run/duration_s": 11}, )" + two);
  const Catch::Matchers::StdString::RegexMatcher refusal(
      R"re(.*2 runs, none of this campaign \(/scenario/run/duration_s was 10, is 11\).*choose another folder with --out.*)re",
      Catch::CaseSensitive::Yes);
  CHECK_THROWS_WITH(run_here(changed, folder.path), refusal);
  SettledRuns runs;
  CHECK_THROWS_WITH(Results(folder.path / "campaign.db", Database::Mode::kRead).add_settled(changed, runs), refusal);
  CHECK(dump(folder.path / "campaign.db") == before);
  CHECK(run_here(folder.campaign(two), folder.path).done == 0);
}

TEST_CASE("an export of an unfinished campaign says how much of it is there") {
  const CampaignFolder folder("unfinished");
  const Campaign campaign = folder.campaign(kTwelve);
  int glances = 0;
  const CampaignTally tally = run_here(campaign, folder.path / "out", {.stop = [&] { return ++glances > 3; }});
  REQUIRE(tally.left > 0);
  const std::vector<std::string> command = {"campaign", "export", folder.path / "campaign.json", "--out",
                                            folder.path / "out"};
  CHECK_THAT(run(command).out, Catch::Contains("differences.csv\nUnfinished: " + std::to_string(tally.done) +
                                               " of 12 runs are there; `tokenyard campaign run` does the rest.\n"));
  run_here(campaign, folder.path / "out");
  CHECK_THAT(run(command).out, !Catch::Contains("Unfinished"));
}

TEST_CASE("cells whose interval is still too wide after the most repetitions are counted") {
  const CampaignFolder folder("wide");
  const auto asked_for = [&](double half_width) {
    return folder.campaign(
        R"("factors": [{"grid": {"/workload/requests/rate_per_s": [1, 2]}}], "repetitions": {"min": 2, "max": 3, "batch": 1,
           "metric": "latency.ttft_s.p95", "half_width": )" +
        std::to_string(half_width) + "}");
  };
  const Campaign narrow = asked_for(0.0001), any = asked_for(1);
  CHECK(run_here(narrow, folder.path / "narrow").wide == 2);
  CHECK(run_here(narrow, folder.path / "narrow").wide == 2);  // again, when nothing is left
  CHECK(run_here(any, folder.path / "any").wide == 0);
  CHECK(wide_text(narrow, 1) ==
        "1 of 2\u00a0cells stopped at 3 repetitions (max): the 95 % interval of latency.ttft_s.p95 is wider than "
        "±0.01 %.\n");
  CHECK(run_here(folder.campaign(R"("repetitions": 2)"), folder.path / "fixed").wide == 0);
}

TEST_CASE("a trace that has changed is seen") {
  const CampaignFolder folder("trace");
  const std::string keys =
      R"("set": {"/workload": {"trace": {"path": "trace.csv", "format": "requests"}}}, "repetitions": 2)";
  folder.write("trace.csv", "arrival_s,prompt_tokens,output_tokens\n0,10,10\n");
  run_here(folder.campaign(keys), folder.path);
  folder.write("trace.csv", "arrival_s,prompt_tokens,output_tokens\n0,10,11\n");
  CHECK_THROWS_WITH(run_here(folder.campaign(keys), folder.path), Catch::Contains("/sha256/traces/trace.csv was"));
}

TEST_CASE("an agent that a cell's trace does not have is told before any run starts") {
  const CampaignFolder folder("traced-agents");
  folder.write(
      "trace.jsonl",
      R"({"agent": "sales", "arrival_ns": 0, "steps": [{"kind": "tool", "node": "look-up", "took_ns": 5, "cause": "tool", "count": 3}]})"
      "\n");
  const auto named = [&](const std::string& agents) {
    return folder.campaign(
        R"("set": {"/workload": {"trace": {"path": "trace.jsonl", "format": "record"}}}, "factors": [{"grid": {
      "/slo/agents": )" +
        agents + R"(, "/pools/0/replicas": [1, 2]}}])");
  };
  CHECK_THROWS_WITH(
      run_here(named(R"([{"sales": {"ttft_s": 2}}, {"sale": {"ttft_s": 2}}])"), folder.path / "out"),
      Catch::Contains(R"(/slo/agents={"sale":{"ttft_s":2}} /pools/0/replicas=1 and other cells)") &&
          Catch::Contains(R"(/slo/agents: found "sale", allowed: an agent of the workload (did you mean "sales"?))"));
  CHECK(!std::filesystem::exists(folder.path / "out"));
  CHECK(run_here(named(R"([{"sales": {"ttft_s": 2}}])"), folder.path / "out").done == 2);
}

TEST_CASE("killed at any moment, a campaign goes on where it was") {
  const CampaignFolder folder("killed");
  const Campaign campaign = folder.campaign(
      R"("factors": [{"grid": {"/workload/requests/rate_per_s": [1, 2, 3, 4, 5]}}], "repetitions": 20)");
  run_here(campaign, folder.path / "undisturbed", {.jobs = 2});
  std::size_t before = 0;
  for (const int wait_ms : {5, 30, 60, 20, 90}) {
    const int parent =
        in_process([&] { return run_here(campaign, folder.path / "killed", {.jobs = 2}).failed > 0 ? 4 : 0; });
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    ::kill(parent, SIGKILL);
    ended(parent);
    const auto file = folder.path / "killed/campaign.db";
    const std::size_t kept = std::filesystem::exists(file) && std::filesystem::file_size(file) > 0
        ? Results(file, Database::Mode::kWrite),
                      count_runs(file) : 0;
    CHECK(kept >= before);
    before = kept;
  }
  CHECK(run_here(campaign, folder.path / "killed", {.jobs = 2}).done == 100 - before);
  CHECK(dump(folder.path / "killed/campaign.db") == dump(folder.path / "undisturbed/campaign.db"));
}

TEST_CASE("a run that is killed or takes too long is a failure, and is tried again") {
  const CampaignFolder folder("crash");
  const std::string factors =
      R"("factors": [{"list": [{"/run/duration_s": 10}, {"/run/duration_s": 30000000, "/workload/requests/rate_per_s": 500}]}])";
  const Campaign campaign = folder.campaign(factors + R"(, "limits": {"time_s": 0.5})");
  SECTION("by time") {
    const CampaignTally tally = run_here(campaign, folder.path, {.jobs = 2});
    CHECK(tally.done == 1);
    CHECK(tally.failed == 1);
    CHECK(dump(folder.path / "campaign.db").find("/time/took longer than time_s = 0.5/-") != std::string::npos);
    CHECK(run_here(campaign, folder.path).failed == 1);
  }
  SECTION("by a crash, with what it printed") {
    RunProcesses processes(1, campaign.limits(), [](RunId) -> RunOutcome {
      std::fprintf(stderr, "the end is\nnear\n");
      ::raise(SIGKILL);
      return {};
    });
    processes.start({});
    const auto finished = processes.wait(10000);
    REQUIRE(finished);
    CHECK(finished->result.failure == RunFailure::kCrash);
    CHECK(finished->result.message == "ended by signal 9 (Killed): the end is near");
  }
}

#ifndef TOKENYARD_ADDRESS_SANITIZER
TEST_CASE("a run that needs too much memory is a failure") {
  RunLimits limits;
  limits.memory_mb = 300;
  RunProcesses processes(1, limits, [](RunId) {
    RunOutcome result;
    try {
      volatile std::size_t bytes = std::size_t{1} << 30;  // or a compiler sees that nobody needs so much
      const std::vector<char> much(bytes, 'x');
      result.message = std::string(1, much[bytes / 2]);
    } catch (const std::bad_alloc&) {
      result.failure = RunFailure::kMemory;
    }
    return result;
  });
  processes.start({});
  const auto finished = processes.wait(10000);
  REQUIRE(finished);
  CHECK(finished->result.message == "needed more than memory_mb = 300");
}
#endif

TEST_CASE("a cell that cannot be is a failure for good; a wrong one stops the campaign") {
  const CampaignFolder folder("infeasible");
  const Campaign campaign = folder.campaign(
      R"("factors": [{"grid": {"/pools/0/model": ["llama-3.1-8b", "llama-3.1-405b"]}}], "repetitions": 2)");
  const CampaignTally tally = run_here(campaign, folder.path);
  CHECK(tally.done == 2);
  CHECK(tally.failed == 2);
  const CampaignTally again = run_here(campaign, folder.path);
  CHECK(again.done + again.failed == 0);
  CHECK(Results(folder.path / "campaign.db", Database::Mode::kRead).failures() == 2);

  const Campaign wrong = folder.campaign(
      R"("factors": [{"grid": {"/pools/0/chip": ["h100", "b200"]}}], "names": {"chip": "/pools/0/chip"})");
  CHECK_THROWS_WITH(run_here(wrong, folder.path / "wrong"),
                    Catch::Contains((folder.path / "campaign.json").string() + ", cell chip=\"h100\": /pools/0/chip") &&
                        Catch::Contains("did you mean \"b200-sxm\""));
  CHECK_FALSE(std::filesystem::exists(folder.path / "wrong"));
}

TEST_CASE("a file that holds something else is refused, and left as it is") {
  const CampaignFolder folder("foreign");
  const Campaign campaign = folder.campaign(R"("repetitions": 1, "outputs": ["counts.calls"])");
  const auto file = folder.path / "campaign.db";
  const auto refused = [&](const char* change) {
    std::filesystem::remove(file);
    if (std::string(change).find("CREATE") == std::string::npos) run_here(campaign, folder.path);
    Database(file, Database::Mode::kWrite).execute(change);
    const std::string before = folder.text("campaign.db");
    const Catch::Matchers::StdString::RegexMatcher refusal(
        ".*campaign.db: found .*, allowed: the results of a campaign: remove campaign.db, or choose another folder "
        "with "
        "--out",
        Catch::CaseSensitive::Yes);
    CHECK_THROWS_WITH(run_here(campaign, folder.path), refusal);
    CHECK_THROWS_WITH(Results(file, Database::Mode::kWrite), refusal);
    CHECK_THROWS_WITH(Results(file, Database::Mode::kRead), refusal);
    CHECK(folder.text("campaign.db") == before);
  };
  refused("CREATE TABLE addresses(name, street)");
  refused("CREATE TABLE campaign(name, value)");
  refused("DROP TABLE cells");
  refused("DROP TABLE provenance");
  refused("ALTER TABLE runs RENAME COLUMN outputs TO results");
  refused("DELETE FROM campaign WHERE name = 'schema'");
  folder.write("campaign.db", "no database at all, but long enough to have the header of one");
  CHECK_THROWS_WITH(run_here(campaign, folder.path), Catch::Contains("remove campaign.db, or choose another folder"));
  folder.write("campaign.db", "");
  CHECK_FALSE(has_results(file));
  CHECK_THROWS_WITH(Results(file, Database::Mode::kRead), Catch::Contains("the results of a campaign"));
  CHECK(run_here(campaign, folder.path).done == 1);
}

TEST_CASE("an interrupt keeps what is finished") {
  const CampaignFolder folder("interrupt");
  const Campaign campaign = folder.campaign(kTwelve);
  std::size_t done = 0;
  const CampaignTally tally =
      run_here(campaign, folder.path,
               {.stop = [&] { return done == 5; }, .progress = [&](const CampaignTally& now) { done = now.done; }});
  CHECK(tally.interrupted);
  CHECK(tally.done == 5);
  CHECK(run_here(campaign, folder.path).done == 7);
}

TEST_CASE("one result file has one writer") {
  const CampaignFolder folder("lock");
  const ResultLock lock(folder.path, {});
  CHECK_THROWS_WITH(ResultLock(folder.path, Shard{}), Catch::Contains("another process is running this campaign"));
  CHECK_NOTHROW(ResultLock(folder.path, Shard{1, 2}));
}

TEST_CASE("a full disk ends a campaign with a message and loses nothing") {
  const CampaignFolder folder("full");
  const Campaign campaign = folder.campaign(R"("repetitions": 60)");
  const int code = ended(in_process([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit most{262144, 262144};  // the set-up's journal takes 128 KiB; some runs, not all, fit behind it
    ::setrlimit(RLIMIT_FSIZE, &most);
    try {
      run_here(campaign, folder.path);
    } catch (const traces::OutputError& error) {
      return std::string(error.what()).find("What was finished is kept") != std::string::npos ? 2 : 1;
    }
    return 0;
  }));
  CHECK(code == 2);
  const CampaignTally tally = run_here(campaign, folder.path);
  CHECK(tally.before > 0);
  CHECK(tally.before + tally.done == 60);
  run_here(campaign, folder.path / "fresh");
  CHECK(dump(folder.path / "campaign.db") == dump(folder.path / "fresh/campaign.db"));
}

TEST_CASE("common random numbers give every cell the same seeds") {
  const CampaignFolder folder("seeds");
  const std::string factors = R"("factors": [{"grid": {"/pools/0/replicas": [1, 2]}}], "repetitions": 3)";
  const Campaign common = folder.campaign(factors);
  const Campaign own = folder.campaign(factors + R"(, "common_random_numbers": false)");
  std::set<std::uint64_t> seeds;
  for (std::size_t r = 0; r < 3; ++r) {
    CHECK(common.seed({0, r}) == 7 + r);
    CHECK(common.seed({1, r}) == 7 + r);
    for (std::size_t cell = 0; cell < 2; ++cell) seeds.insert(own.seed({cell, r}));
  }
  CHECK(seeds.size() == 6);
}

}  // namespace tokenyard::analysis
