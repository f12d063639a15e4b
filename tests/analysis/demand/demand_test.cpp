#include "analysis/demand/demand.hpp"

#include <algorithm>

#include "analysis/schemas/schemas.hpp"
#include "tests/analysis/command/outcome.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/html.hpp"
#include "tests/support/json_schema.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using sim::Json;

namespace {

const std::string kScenario = TOKENYARD_SOURCE_DIR "/analysis/scenarios/requests.json";

/// `tokenyard demand` on a short day of requests.json.
Outcome demand(const ResultFolder& folder, std::vector<std::string> more) {
  std::vector<std::string> arguments = {
      "demand",        kScenario, "--set",   R"(/run={"duration_s": 90, "warmup_s": 10})",
      "--repetitions", "2",       "--cache", (folder.path / "cache").string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(std::move(arguments));
}

JsonSchema schema() { return JsonSchema(schema_text("demand").value()); }

/// Every one of these tests' answers conforms to the schema.
Json answer(const ResultFolder& folder, std::vector<std::string> more) {
  more.push_back("--json");
  const Outcome outcome = demand(folder, more);
  INFO(outcome.err);
  REQUIRE(outcome.code == kDone);
  Json json = Json::parse(outcome.out);
  CHECK(schema().faults_of(json) == std::vector<std::string>{});
  return json;
}

}  // namespace

TEST_CASE("Demand: a table and a sentence, files, and the same again from the cache") {
  const ResultFolder folder("demand");
  const std::string out = (folder.path / "out").string();
  const Outcome first = demand(folder, {"--chips", "h100-sxm,b200-sxm", "--out", out});
  INFO(first.err);
  CHECK(first.code == kDone);
  // Not on a terminal: a line for each kind of chip.
  CHECK(std::count(first.err.begin(), first.err.end(), '\n') == 2);
  CHECK_THAT(first.err, Contains("b200-sxm: ") && Contains("2 of 2 kinds of chips"));
  CHECK_THAT(first.out, Contains("h100-sxm") && Contains("95 % interval") && Contains("Serving 4 tasks/s") &&
                            Contains("stopped early"));
  const std::string json = folder.read("out/demand.json"), csv = folder.read("out/demand.csv");
  const std::string page = folder.read("out/demand.html");
  CHECK(well_formed(page));
  CHECK_THAT(page, Contains(Json::parse(json)["answer"].get<std::string>()) && Contains("Rent an hour") &&
                       Contains("of them stopped early") && !Contains("src=\"http"));
  // The size that was found, run: as many chips, and within the level.
  const Outcome sized = run({"run", out + "/b200-sxm.json", "--out", out + "/run", "--json"});
  INFO(sized.err);
  REQUIRE(sized.code == kDone);
  const Json summary = Json::parse(sized.out);
  CHECK(summary["slo"]["met"] == true);
  CHECK(summary["pools"]["main"]["chips"] == Json::parse(json)["entries"][1]["chips"]);
  CHECK_THAT(csv, Contains("chip,met,chips") && Contains("\nb200-sxm,true,"));
  const Outcome second = demand(folder, {"--chips", "h100-sxm,b200-sxm", "--out", out});
  CHECK_THAT(second.out, Contains("all known from before"));
  CHECK(folder.read("out/demand.json") == json);
  CHECK(folder.read("out/demand.csv") == csv);
  // Money and power follow without another simulation, a seed does not.
  CHECK_THAT(demand(folder, {"--chips", "h100-sxm", "--price", "h100-sxm=9", "--pue", "2"}).out,
             Contains("all known from before") && Contains("* you assumed it"));
  CHECK_THAT(demand(folder, {"--chips", "h100-sxm", "--seed", "7"}).out, !Contains("all known from before"));
}

TEST_CASE("Demand: work that is not steady in the time given is simulated for longer") {
  const ResultFolder folder("demand-steady");
  std::filesystem::create_directories(folder.path);
  const std::string path = (folder.path / "desk.json").string();
  std::ofstream(path) << R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm"}]}]},
    "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm"}],
    "workload": {"agents": [{"agent": "customer-service", "rate_per_s": 2}]},
    "slo": {"ttft_s": 1, "tpot_s": 0.03}, "run": {"duration_s": 120, "warmup_s": 30}})";
  const auto size = [&](const std::string& duration, const std::string& warmup) {
    const Outcome outcome = run({"demand", path, "--repetitions", "1", "--no-cache", "--json", "--set",
                                 "/run/duration_s=" + duration, "--set", "/run/warmup_s=" + warmup});
    INFO(outcome.err);
    REQUIRE(outcome.code == kDone);
    return Json::parse(outcome.out)["entries"][0];
  };
  // A task takes five minutes: two of them see the first calls of few.
  const Json brief = size("120", "30"), enough = size("2400", "600");
  CHECK(brief["confidence"]["duration_s"].get<double>() >= 480);
  CHECK(brief["confidence"]["steady"] == true);
  CHECK(enough["confidence"]["duration_s"] == 2400);
  CHECK(brief["chips"].get<double>() >= 0.8 * enough["chips"].get<double>());
  CHECK_THAT(run({"demand", path, "--repetitions", "1", "--no-cache"}).out, Contains("times what was asked for"));
}

TEST_CASE("Demand: what is unknown is null, what the user assumes is marked, and units agree") {
  const ResultFolder folder("demand-prices");
  const Json unknown = answer(folder, {"--chips", "tpu-v7"})["entries"][0];
  CHECK(unknown["economics"]["usd_per_hour"].is_null());
  CHECK(unknown["economics"]["usd_per_task"].is_null());
  CHECK(unknown["assumptions"]["usd_per_chip_hour"]["value"].is_null());
  CHECK(unknown["economics"]["megawatts"].get<double>() > 0);
  const Json assumed = answer(
      folder, {"--chips", "tpu-v7", "--price", "tpu-v7=3", "--watts", "tpu-v7=500", "--pue", "1.5"})["entries"][0];
  const Json& e = assumed["economics"];
  const double chips = assumed["chips"], tasks = assumed["figures"]["tasks_per_s"],
               tokens = assumed["figures"]["output_tokens_per_s"];
  CHECK(assumed["assumptions"]["usd_per_chip_hour"]["source"] == "assumed by the user");
  CHECK(e["usd_per_hour"].get<double>() == Approx(3 * chips));
  CHECK(e["megawatts"].get<double>() == Approx(500 * chips * 1.5 / 1e6));
  CHECK(e["usd_per_task"].get<double>() == Approx(3 * chips / 3600 / tasks));
  CHECK(e["usd_per_million_output_tokens"].get<double>() == Approx(3 * chips / 3600 / tokens * 1e6));
  CHECK(e["output_tokens_per_s_per_mw"].get<double>() == Approx(tokens / (500 * chips * 1.5 / 1e6)));
}

TEST_CASE("Demand: an extrapolated chip has a band, bought chips a cost, a design a volume, whole nodes a price") {
  const ResultFolder folder("demand-own");
  const Json both = answer(folder, {"--chips", "h100-sxm,tpu-v7", "--own", "--design", "tpu-v7=1e6", "--whole-nodes",
                                    "--tasks-per-s", "60", "--set", R"(/demand={"cell_tasks_per_s": 60})"});
  const Json &h100 = both["entries"][0], &v7 = both["entries"][1];
  CHECK(h100["step_time_band"].is_null());
  const Json& band = v7["step_time_band"];
  CHECK(band["uncertainty"].get<double>() == Approx(0.25));
  CHECK(band["chips_low"].get<double>() <= v7["chips"].get<double>());
  CHECK(band["chips_high"].get<double>() >= v7["chips"].get<double>());
  CHECK(band["chips_high"].get<double>() > band["chips_low"].get<double>());
  // By hand: an H100 of 20,000 to 27,000 USD, 1.6 times that with its server, five years at 10 %, and energy.
  const double rented = h100["nodes"]["count"].get<double>() * 8;
  CHECK(h100["economics"]["usd_per_hour"].get<double>() == Approx(1.3 * rented));
  const double annuity = 0.1 / (1 - std::pow(1.1, -5)),
               energy = h100["economics"]["megawatts"].get<double>() * 1000 * 0.08;
  CHECK(h100["ownership"]["usd"]["value"].get<double>() == Approx(rented * 23500 * 1.6));
  const double owned = rented * 23500 * 1.6 * annuity / 8766 + energy;
  CHECK(h100["ownership"]["usd_per_hour"]["value"].get<double>() == Approx(owned));
  CHECK(h100["ownership"]["usd_per_hour"]["low"].get<double>() < owned);
  const Json& design = v7["ownership"]["design"];
  CHECK(design["against"] == "h100-sxm");
  const double saved = owned - v7["ownership"]["usd_per_hour"]["value"].get<double>();
  REQUIRE(saved > 0);
  CHECK(design["break_even_chips"]["value"].get<double>() ==
        Approx(1e6 * annuity / 8766 / (saved / (v7["nodes"]["count"].get<double>() * 8))));
  CHECK(design["break_even_chips"]["low"].get<double>() < design["break_even_chips"]["value"].get<double>());
  CHECK(v7["supply"]["chips"]["value"].get<double>() == 410393);
  Json wrong = both;  // the schema refuses what demand.json is not
  wrong["entries"][1]["ownership"]["design"]["agaist"] = "h100-sxm";
  wrong["entries"][0].erase("chips");
  wrong["pue"] = "1.2";
  CHECK(schema().faults_of(wrong).size() == 3);
  const Outcome few =
      demand(folder, {"--chips", "h100-sxm", "--set", R"(/demand={"assume": {"h100-sxm": {"available_chips": 1}}})"});
  CHECK_THAT(few.out, Contains("the 1 that you say there are"));
}

TEST_CASE("Demand: a trace is a workload, as fast as one plays it") {
  const ResultFolder folder("demand-trace");
  std::filesystem::create_directories(folder.path);
  std::ofstream trace(folder.path / "trace.csv");
  trace << "arrival_s,prompt_tokens,output_tokens\n";
  for (int i = 0; i < 400; ++i) trace << i * 0.25 << ",3000," << 100 + i % 7 << '\n';
  trace.close();
  std::ofstream(folder.path / "scenario.json")
      << R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
            "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}], "workload": {"trace": {"path": "trace.csv", "format": "requests"}},
            "slo": {"ttft_s": 0.5, "tpot_s": 0.03}, "run": {"warmup_s": 1}})";
  const auto chips = [&](const std::string& speed) {
    const Outcome outcome =
        run({"demand", (folder.path / "scenario.json").string(), "--speed", speed, "--no-cache", "--json"});
    INFO(outcome.err);
    REQUIRE(outcome.code == kDone);
    return Json::parse(outcome.out)["entries"][0]["chips"].get<double>();
  };
  CHECK(chips("1") == 1);
  CHECK(chips("40") > 2);
  const Outcome rate = run({"demand", (folder.path / "scenario.json").string(), "--tasks-per-s", "9"});
  CHECK(rate.code == kWrongInput);
  CHECK_THAT(rate.err, Contains("a trace has a rate of its own"));
}

TEST_CASE("Demand: beyond one simulation by cells, whose independence is checked; tokens per month; growth") {
  const ResultFolder folder("demand-cells");
  const Json large = answer(folder, {"--chips", "h100-sxm", "--tasks-per-s", "4000"});
  const Json& cells = large["entries"][0]["cells"];
  CHECK(large["entries"][0]["chips"].get<double>() == cells["count"].get<double>() * cells["chips"].get<double>());
  CHECK(cells["count"].get<double>() * cells["tasks_per_s"].get<double>() >= Approx(4000));
  CHECK(cells["independent"] == true);
  CHECK(cells["coarseness"].get<double>() <= 0.1);
  // What the check says, looked at directly: a demand of twice the cell is simulated whole if the cell is said to be so
  // large.
  const std::string rate = cells["tasks_per_s"].dump();
  const Json twice =
      answer(folder, {"--chips", "h100-sxm", "--tasks-per-s", Json(2 * cells["tasks_per_s"].get<double>()).dump(),
                      "--set", "/demand={\"cell_tasks_per_s\": " + rate + "}"});
  CHECK(twice["entries"][0]["cells"]["count"] == 1);
  CHECK(twice["entries"][0]["chips"].get<double>() >= 2 * cells["chips"].get<double>() * 0.9);
  // The same demand as tokens.
  const Json tokens = answer(folder, {"--chips", "h100-sxm", "--tokens-per-month",
                                      Json(4000 * large["tokens_per_task"].get<double>() * kSecondsPerMonth).dump()});
  CHECK(tokens["tasks_per_s"].get<double>() == Approx(4000).epsilon(0.05));
  const Json growing = answer(folder, {"--chips", "h100-sxm", "--growth", "16", "--months", "6"});
  const Json& points = growing["entries"][0]["growth"];
  REQUIRE(points.size() == 3);
  CHECK(points[2]["month"] == 6);
  CHECK(points[2]["tasks_per_s"].get<double>() == Approx(16));
  CHECK(points[0]["chips"] == growing["entries"][0]["chips"]);
  CHECK(points[2]["chips"].get<double>() > points[0]["chips"].get<double>());
  // Four times the work takes no more than four times the chips.
  CHECK(points[2]["chips"].get<double>() <= 4 * points[0]["chips"].get<double>());
}

TEST_CASE("Demand: calls that a fiftieth of the work still crowds are thinned again before they count as alone") {
  const ResultFolder folder("demand-crowd");
  std::filesystem::create_directories(folder.path);
  std::ofstream(folder.path / "scenario.json")
      << R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
            "pools": [{"model": "llama-3.1-70b", "chip": "h100-sxm", "parallelism": {"tp": 8}}],
            "workload": {"requests": {"rate_per_s": 1200, "prompt_tokens": 4000, "output_tokens": 4}},
            "slo": {"ttft_s": 1}, "demand": {"tp": [8]}, "run": {"duration_s": 12, "warmup_s": 2}})";
  const Outcome outcome =
      run({"demand", (folder.path / "scenario.json").string(), "--repetitions", "1", "--no-cache", "--json"});
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.code == kDone);
  CHECK(Json::parse(outcome.out)["entries"][0]["chips"].get<double>() > 8 * 200);
}

TEST_CASE("Demand: more work runs into no limit on tasks in flight that less work had room under") {
  const ResultFolder folder("demand-in-flight");
  std::filesystem::create_directories(folder.path);
  const auto chips = [&](const char* limit) {
    std::ofstream(folder.path / "scenario.json")
        << R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
              "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm"}],
              "workload": {"agents": [{"agent": "customer-service", "rate_per_s": 0.2)"
        << limit << R"(}]}, "slo": {"ttft_s": 0.5, "tpot_s": 0.03}, "run": {"duration_s": 90, "warmup_s": 20},
              "training": [{"name": "job", "model": "llama-3.1-8b", "chip": "h100-sxm", "parallelism": {"tp": 8}}]})";
    const Outcome outcome = run({"demand", (folder.path / "scenario.json").string(), "--tasks-per-s", "5",
                                 "--repetitions", "1", "--no-cache", "--json"});
    INFO(outcome.err);
    REQUIRE(outcome.code == kDone);
    return Json::parse(outcome.out)["entries"][0]["chips"].get<double>();
  };
  CHECK(chips(R"(, "max_in_flight": 200)") == chips(""));
  CHECK(chips("") > 1);
}

TEST_CASE("Demand: work that hardly comes is no ground to judge by, and more than there can be is refused") {
  const ResultFolder folder("demand-few");
  const Outcome few = demand(folder, {"--tasks-per-s", "0.001"});
  CHECK(few.code == kWrongInput);
  CHECK_THAT(few.err, Contains("/run/duration_s: found 0.08 tasks in the 80 s that are measured") &&
                          Contains("so at least 3e+03 s"));
  CHECK(demand(folder, {"--tasks-per-s", "1e300"}).code == kWrongInput);
}

TEST_CASE("Demand: no size will do: exit 3, and why; a wrong question: exit 2") {
  const ResultFolder folder("demand-beyond");
  const Outcome slow = demand(folder, {"--set", "/slo/tpot_s=0.0001"});
  CHECK(slow.code == kInfeasible);
  CHECK_THAT(slow.out, Contains("No number of these chips serves") && Contains("even calls alone miss it"));
  const Outcome slow_json = demand(folder, {"--set", "/slo/tpot_s=0.0001", "--json"});
  CHECK(schema().faults_of(Json::parse(slow_json.out)) == std::vector<std::string>{});
  const Outcome small = demand(folder, {"--chips", "rtx-4090", "--set", R"(/demand={"tp": [1], "pp": [1]})"});
  CHECK(small.code == kInfeasible);
  CHECK_THAT(small.out, Contains("the memory does not hold it"));
  // One kind that can is enough.
  const Outcome mixed = demand(folder, {"--chips", "b200-sxm,rtx-4090", "--set", R"(/demand={"tp": [1], "pp": [1]})"});
  CHECK(mixed.code == kDone);
  CHECK_THAT(mixed.out, Contains("rtx-4090 cannot serve it: the memory does not hold it"));
  const Outcome unknown = demand(folder, {"--chips", "h100"});
  CHECK(unknown.code == kWrongInput);
  CHECK_THAT(unknown.err, Contains("--chips") && Contains("did you mean \"h100-sxm\""));
  CHECK_THAT(demand(folder, {"--price", "h100-sxm"}).err, Contains("CHIP=NUMBER"));
  for (const char* option : {"--price", "--watts", "--design"}) {  // of a chip whose answer nobody asks for
    const std::string said = demand(folder, {"--chips", "h100-sxm,tpu-v7", option, "tpu-v6e=3"}).err;
    CHECK_THAT(said, Contains(std::string(option) + ": found \"tpu-v6e\", allowed: one of the chips compared: "
                                                    "h100-sxm, tpu-v7 (did you mean \"tpu-v7\"?); --chips names more"));
  }
  const std::string mistyped = demand(folder, {"--price", "h1000-sxm=3"}).err;
  CHECK_THAT(mistyped, Contains("--price: found \"h1000-sxm\"") && !Contains("/demand/assume"));
  CHECK_THAT(demand(folder, {"--set", "/slo={}"}).err, Contains("/slo") && Contains("at least one of"));
  CHECK(demand(folder, {"--tasks-per-s", "1", "--tokens-per-month", "1"}).code == kWrongInput);
}

TEST_CASE("Demand: a rate asked of users or of a trace is refused where it was asked, with what helps") {
  const ResultFolder folder("demand-no-rate");
  const std::string users =
      R"(/workload/requests={"closed_loop": {"users": 8}, "prompt_tokens": 9, "output_tokens": 9})";
  for (const std::vector<std::string>& option :
       {std::vector<std::string>{"--tasks-per-s", "4"}, {"--tokens-per-month", "1e9"}, {"--growth", "2"}}) {
    std::vector<std::string> arguments = {"--set", users};
    arguments.insert(arguments.end(), option.begin(), option.end());
    const Outcome refused = demand(folder, arguments);
    CHECK(refused.code == kWrongInput);
    CHECK_THAT(refused.err, Contains(option[0] + ": found a rate for a closed loop") && !Contains("/demand:") &&
                                Contains("--set /workload/requests/closed_loop/users=N"));
  }
  CHECK_THAT(demand(folder, {"--set", users, "--set", "/demand/tasks_per_s=4"}).err,
             Contains("/demand/tasks_per_s: found a rate for a closed loop"));
}

TEST_CASE("Demand: of a closed loop the users are the work, and each kind of chip has a rate of its own") {
  const ResultFolder folder("demand-users");
  const std::vector<std::string> question = {
      "--chips", "h100-sxm,b200-sxm", "--set",
      R"(/workload/requests={"closed_loop": {"users": 8}, "prompt_tokens": 900, "output_tokens": 90})"};
  const Json json = answer(folder, question);
  CHECK_THAT(json["answer"].get<std::string>(), StartsWith("Serving 8 users with ") && !Contains("tasks/s"));
  CHECK(json["users"] == 8);
  CHECK(json["entries"][0]["figures"]["tasks_per_s"] != json["entries"][1]["figures"]["tasks_per_s"]);
  CHECK_THAT(json["notes"].dump(), Contains(" tasks/s on h100-sxm, ") && Contains(" tasks/s on b200-sxm: users wait"));
  CHECK(answer(folder, {})["users"].is_null());
}

TEST_CASE("Demand: host memory for KV stays with the chips, in the note and in the scenario of the size") {
  const ResultFolder folder("demand-host-memory");
  const std::string out = (folder.path / "out").string();
  const Json json = answer(folder, {"--out", out, "--set", "/pools/0/parallelism={\"tp\": 4}", "--set",
                                    "/pools/0/engine/kv_offloading_size=600", "--set", "/demand={\"tp\": [2]}"});
  CHECK_THAT(json["notes"].dump(), Contains("150 GiB of host memory in main"));
  const Json pool = Json::parse(folder.read("out/h100-sxm.json"))["pools"][0];
  CHECK(pool["parallelism"]["tp"] == 2);
  CHECK(pool["engine"]["kv_offloading_size"] == 300.0);
}

TEST_CASE("Demand: where seats are what the last replica is for, a note names max_num_seqs") {
  const ResultFolder folder("demand-seats");
  const std::vector<std::string> question = {"--set", "/demand={\"tp\": [2]}", "--set",
                                             "/pools/0/engine={\"max_num_seqs\": 4}"};
  const Json json = answer(folder, question);
  CHECK(json["entries"][0]["pools"][0]["seats_full_with_less"].get<double>() > 0.05);
  CHECK_THAT(json["notes"].dump(), Contains("all 4 seats (max_num_seqs)") && Contains("/demand/max_num_seqs=[4,8]"));
  CHECK_THAT(answer(folder, {"--set", "/demand={\"tp\": [2]}"})["notes"].dump(), !Contains("max_num_seqs"));
}

TEST_CASE("Demand: where an agent's own failures miss its level, that is the reason") {
  const ResultFolder folder("demand-own-failures");
  const Outcome none =
      run({"demand", TOKENYARD_SOURCE_DIR "/analysis/scenarios/demo.json", "--chips", "b200-sxm", "--repetitions", "1",
           "--set", R"(/demand={"duration_s": 100, "warmup_s": 20})", "--set",
           R"(/slo={"agents": {"customer-service": {"task_s": 1e6}}})", "--cache", (folder.path / "cache").string()});
  INFO(none.out);
  CHECK(none.code == kInfeasible);
  CHECK_THAT(none.out, Contains("customer-service") && Contains("fail by their"));
}
