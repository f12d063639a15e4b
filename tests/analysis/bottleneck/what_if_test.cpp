/// Six scenarios, each with a bottleneck planted: the ranking must put it first.

#include "analysis/bottleneck/what_if.hpp"

#include <fstream>

#include "analysis/bottleneck/page.hpp"
#include "analysis/schemas/schemas.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "tests/support/html.hpp"
#include "tests/support/json_schema.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;

namespace {

/// Two calls around a tool and a person.
std::string agent(const std::string& tool_s, const std::string& human_s, const std::string& output_tokens,
                  int desk = 1000, int prompt_tokens = 500) {
  return R"({"schema": "tokenyard.agent/1", "name": "planted", "services": {"desk": {"capacity": )" +
         std::to_string(desk) + R"(}},
    "nodes": {
      "ask": {"kind": "llm", "prompt_tokens": )" +
         std::to_string(prompt_tokens) + R"(, "output_tokens": )" + output_tokens + R"(},
      "look": {"kind": "tool", "latency_s": )" +
         tool_s + R"(, "result_tokens": 200},
      "check": {"kind": "human", "service": "desk", "latency_s": )" +
         human_s + R"(},
      "answer": {"kind": "llm", "output_tokens": )" +
         output_tokens + R"(},
      "done": {"kind": "end"}},
    "edges": [{"from": "ask", "to": "look"}, {"from": "look", "to": "check"}, {"from": "check", "to": "answer"}, {"from": "answer", "to": "done"}],
    "start": "ask"})";
}

std::string scenario(const std::string& pools, double rate_per_s, int nodes = 2, const std::string& fabric = "") {
  return R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": )" + std::to_string(nodes) +
         R"(, "chips_per_node": 8}]}])" + fabric + R"(},
    "pools": )" +
         pools + R"(, "workload": {"agents": [{"agent": "planted", "rate_per_s": )" + std::to_string(rate_per_s) +
         R"(}]},
    "run": {"duration_s": 600, "warmup_s": 60}})";
}

std::string llama_8b(int replicas, const std::string& engine = "{}") {
  return R"([{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": )" + std::to_string(replicas) +
         R"(, "engine": )" + engine + "}]";
}

const Effect& first_of(Lever lever, const WhatIf& study) {
  for (const Effect& effect : study.effects) {
    if (effect.improvement.lever == lever) return effect;
  }
  FAIL("none of its kind among the improvements");
  return study.effects.front();
}

std::string found(const std::string& text, const std::string& planted, Goal goal = Goal::kTask) {
  const WhatIf study = what_if(read_scenario(text, true, {planted}), {.goal = goal});
  UNSCOPED_INFO(study.verdict);
  for (const Effect& effect : study.effects)
    UNSCOPED_INFO(effect.improvement.title << ": " << effect.elasticity.score(study.goal));
  return first_of(Lever::kResource, study).improvement.kind;
}

constexpr const char* kShort = R"({"dist": "exponential", "mean": 0.2})";

}  // namespace

TEST_CASE("Planted: a slow tool") {
  CHECK(found(scenario(llama_8b(4), 2), agent(R"({"dist": "lognormal", "median": 20, "sigma": 0.5})", kShort, "50")) ==
        "tool-time");
}

TEST_CASE("Planted: slow people") {
  // 0.95 of the desk's time is taken. Faster people do all that more people do, and are quicker besides.
  CHECK(found(scenario(llama_8b(4), 1.9), agent(kShort, R"({"dist": "exponential", "mean": 10})", "50", 20)) ==
        "human-time");
}

TEST_CASE("Planted: starved HBM") {
  CHECK(found(scenario(llama_8b(8), 0.5), agent(kShort, kShort, "2000")) == "hbm-bandwidth");
}

TEST_CASE("Planted: a thin network") {
  const std::string pools = R"([
    {"name": "prefill", "role": "prefill", "decode_pool": "decode", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 8},
    {"name": "decode", "role": "decode", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 8}])";
  CHECK(found(scenario(pools, 2, 2, R"(, "fabric": {"bytes_per_s": 4e8})"), agent(kShort, kShort, "20", 1000, 2000)) ==
        "scale-out");
}

TEST_CASE("Planted: tight KV memory") {
  // 800 blocks of 16 tokens hold four first calls (175 blocks) or three second ones (207); a tenth more holds five, or
  // four.
  CHECK(found(scenario(llama_8b(10, R"({"num_gpu_blocks_override": 800})"), 29),
              agent(kShort, kShort, "300", 1000, 2500)) == "hbm-capacity");
}

TEST_CASE("Goodput counts the calls beyond their limits, whatever becomes of their tasks") {
  const auto goodput = [](double tasks_per_s, double calls_per_s) {
    sim::Json summary = sim::Json::parse(R"({
        "latency": {"task_s": {"p50": 1, "p95": 1}, "ttft_s": {"p95": 1}, "tpot_s": {"p95": 1}},
        "slo": {"least_attainment": 1}, "throughput": {"tasks_per_s": 2, "calls_per_s": 12},
        "energy": {"watts_mean": 1}, "cost": {"usd_per_completed_task": 1}})");
    summary["slo"]["goodput_tasks_per_s"] = tasks_per_s;
    summary["slo"]["goodput_calls_per_s"] = calls_per_s;
    return figures_of(summary)[static_cast<std::size_t>(Figure::kGoodput)];
  };
  CHECK(goodput(2, 3) == Approx(0.5));
  CHECK(goodput(1, 12) == Approx(1));
}

TEST_CASE("Planted: few replicas") {
  CHECK(found(scenario(llama_8b(4), 62, 1), agent(kShort, kShort, "400")) == "replicas");
}

TEST_CASE("Planted: settings that hold work back, which cost nothing") {
  // 16 calls at a time, of 2.3 s each: 14 of them busy at 3 tasks a second.
  const std::string answers = agent(kShort, kShort, "300");
  const WhatIf seats =
      what_if(read_scenario(scenario(llama_8b(2, R"({"max_num_seqs": 8})"), 3.2), true, {answers}), {});
  UNSCOPED_INFO(seats.verdict);
  CHECK(first_of(Lever::kSetting, seats).improvement.kind == "max-num-seqs");
  CHECK(first_of(Lever::kSetting, seats).factor == Approx(9.0 / 8));
  CHECK(first_of(Lever::kSetting, seats).elasticity.score(Goal::kTask) > 1);
  CHECK_THAT(seats.verdict, Contains("At no cost: a higher max_num_seqs and max_num_batched_tokens of pool"));

  const std::string pools = llama_8b(4);
  std::string text = scenario(pools, 2);
  const std::string rate = R"("rate_per_s": )";
  text.replace(text.find(rate), 0, R"("max_in_flight": 12, )");
  const WhatIf flight = what_if(read_scenario(text, true, {answers}), {});
  UNSCOPED_INFO(flight.verdict);
  CHECK(first_of(Lever::kSetting, flight).improvement.kind == "max-in-flight");
  CHECK_THAT(flight.verdict, Contains("At no cost: a higher max_in_flight of planted"));
}

TEST_CASE("Bottleneck: what is first depends on what it is for") {
  // People take most of a task's time; its calls wait for KV memory, which replicas bring, too.
  const std::string people = agent(kShort, R"({"dist": "exponential", "mean": 300})", "300", 100000, 2500);
  const std::string tight = scenario(llama_8b(10, R"({"num_gpu_blocks_override": 800})"), 8);
  CHECK(found(tight, people) == "human-time");
  CHECK(found(tight, people, Goal::kTtft) == "replicas");
  CHECK(found(scenario(llama_8b(8), 0.5), people, Goal::kTpot) == "hbm-bandwidth");
}

TEST_CASE("Bottleneck: a service level that is missed is said, and what helps most") {
  std::string text = scenario(llama_8b(4), 35, 1);
  text.insert(text.rfind('}'), R"(, "slo": {"ttft_s": 0.2, "attainment": 0.99})");
  const std::string people = agent(kShort, R"({"dist": "exponential", "mean": 300})", "400", 100000);
  const WhatIf study = what_if(read_scenario(text, true, {people}), {.repetitions = 2});
  INFO(study.verdict);
  CHECK_THAT(study.verdict, Contains("The service level is missed:") && Contains("is asked for") &&
                                Contains("more of the replicas of pool pool0 makes the share of the work within the "
                                         "service level"));
  const WhatIf ranked = what_if(read_scenario(text, true, {people}), {.repetitions = 2, .goal = Goal::kAttainment});
  INFO(ranked.verdict);
  CHECK(first_of(Lever::kResource, ranked).improvement.kind == "replicas");
  CHECK_THAT(ranked.verdict,
             Contains("The bottleneck is the replicas of pool pool0: 10 % more of it makes the share of "
                      "the work within the service level") &&
                 Contains("points larger"));
}

TEST_CASE("Bottleneck: gains are in the figure's own measure") {
  Gains gains;
  for (const Figure figure : {Figure::kTtftP95, Figure::kAttainment, Figure::kGoodput})
    gains.by_figure[static_cast<std::size_t>(figure)] = {0.1, 0};
  CHECK(gain_text(Goal::kTtft, gains, 1) == "the 95th-percentile TTFT 9.5 % shorter");
  CHECK(gain_text(Goal::kGoodput, gains, 1) == "the goodput 10.5 % higher");
  CHECK(gain_text(Goal::kAttainment, gains, 0.5) == "the share of the work within the service level 5.0 points larger");
  // What does not exist in one of the runs has no gain, whatever the other says: no task ended.
  sim::Json none = sim::Json::parse(R"({
    "latency": {"task_s": {"p50": null, "p95": null}, "ttft_s": {"p95": null}, "tpot_s": {"p95": null}},
    "throughput": {"tasks_per_s": 0, "calls_per_s": 0},
    "slo": {"least_attainment": null, "goodput_tasks_per_s": null, "goodput_calls_per_s": null},
    "energy": {"watts_mean": 500}, "cost": {"usd_per_completed_task": null}})");
  sim::Json some = none;
  some["throughput"]["tasks_per_s"] = 1;
  CHECK(!tokenyard::analysis::paired_gains({figures_of(none)}, {figures_of(some)}, 1)[Figure::kEnergy].mean);
  CHECK(gains.sure(Goal::kTtft));
  CHECK(!gains.sure(Goal::kCost));
  CHECK(gains[Figure::kTtftP95].text() == "+0.10\u00a0±0.00");
  CHECK(Elasticity{-0.5, {}}.text() == "-0.50");
  CHECK(gains[Figure::kCost].text() == "–");
  CHECK(gains.noticeable(Goal::kTtft, 0.1));
  CHECK(!gains.noticeable(Goal::kCost, 0.001));
}

TEST_CASE("Bottleneck: what gets no faster is said in words") {
  CHECK(faster_text(0.004, 0.079) == "the median task 0.4 % and the 95th-percentile task 7.6 % faster");
  CHECK(faster_text(0.009, -0.001) == "the median task 0.9 % faster, not the 95th-percentile task");
  CHECK(faster_text(0, 0.05) == "the 95th-percentile task 4.9 % faster, not the median task");
}

TEST_CASE("Bottleneck: what is said of the time adds up, and conforms to the schema") {
  const WhatIf study =
      what_if(read_scenario(scenario(llama_8b(2), 4), true, {agent(kShort, kShort, "100")}), {.repetitions = 2});
  const sim::Json json = to_json(study);
  CHECK(JsonSchema(schema_text("bottleneck").value()).faults_of(json) == std::vector<std::string>{});
  const std::string page = bottleneck_page(study, "tokenyard bottleneck <b>.json");
  CHECK(well_formed(page));
  CHECK(page.find(study.verdict) != std::string::npos);
  CHECK(page.find("src=\"http") == std::string::npos);
  CHECK(page.find("<b>.json") == std::string::npos);
  const sim::Json& time = json["time"];
  for (const sim::Json& band : time["bands"]) {
    double sum = 0;
    for (const sim::Json& cause : band["causes_s"]) sum += cause.get<double>();
    CHECK(sum == Approx(band["task_s"].get<double>()));
  }
  CHECK(time["bands"][0]["task_s"] == Approx(json["base"]["latency"]["task_s"]["p50"].get<double>()).epsilon(0.02));
  double shares = 0;
  for (const sim::Json& step : time["steps"]) {
    shares += step["share"].get<double>();
    CHECK(step["critical"] == 1);  // one after the other
    CHECK(step["slack"]["visits"] == 0);
  }
  CHECK(shares == Approx(1));
  for (const char* phase : {"prefill", "decode"}) {
    double bound = 0;
    for (const sim::Json& share : time["pools"]["pool0"]["roofline"][phase]["bound"]) bound += share.get<double>();
    CHECK(bound == Approx(1));
  }
}

TEST_CASE("Bottleneck: prefixes that were lost, and what finding them would buy") {
  // A second call finds its first one's prompt only where it goes to the same replica: three of four do not.
  const std::string pools =
      R"([{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 4, "router": "round-robin"}])";
  const Scenario lost = read_scenario(scenario(pools, 4), true, {agent("0.1", "0.1", "10", 1000, 8000)});
  const WhatIf study = what_if(lost, {.repetitions = 2});
  REQUIRE(study.prefix.size() == 1);
  CHECK(study.prefix[0].got.value() < 0.3);
  CHECK(study.prefix[0].possible.value() > 0.4);
  CHECK(study.unlimited_prefix.of(Figure::kTaskP50) > 0.2);
  CHECK_THAT(study.verdict, Contains("With prefix caches that lose nothing"));
  const auto reuse = std::find_if(study.effects.begin(), study.effects.end(),
                                  [](const Effect& e) { return e.improvement.kind == "prefix-reuse"; });
  REQUIRE(reuse != study.effects.end());
  CHECK(reuse->elasticity.of(Figure::kTaskP50) > 0.1);

  // The other routers send the second call to where the first one was.
  REQUIRE(study.alternatives.size() == 3);
  const Choice& best = study.alternatives[0].choice;
  CHECK((best.value == "prefix-aware" || best.value == "task-sticky"));
  CHECK(study.alternatives[0].gain.of(Figure::kTtftP95) > 0.05);
  CHECK(study.alternatives[2].choice.value == "least-loaded");
  CHECK_THAT(study.verdict, Contains("At no cost: the router of pool pool0 " + best.value +
                                     " in place of round-robin, the median task"));
  CHECK(choices_of(read_scenario(scenario(llama_8b(1), 4), true, {agent("0.1", "0.1", "10")})).empty());

  // Leaping is as stepping, whatever is reused.
  Scenario better = lost;
  better.run.duration_s = 60;
  better.pools[0].more_reuse = 0.3;
  SimulateOptions stepwise;
  stepwise.stepwise = true;
  sim::Json leapt = simulate(better, Replay(), {}), stepped = simulate(better, Replay(), stepwise);
  for (sim::Json* of : {&leapt, &stepped}) {
    of->erase("wall_s");
    (*of)["counts"].erase("events");
  }
  CHECK(leapt == stepped);
}

TEST_CASE("Bottleneck: no fewer prefixes are possible than were got, though other calls fall into the measured time") {
  // What is found in the first pool makes its calls quicker, so that others come to the second one in the measured time:
  // 0.01 points less of their prompts is in its cache.
  const WhatIf study = what_if(read_scenario(R"({
    "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 2, "chips_per_node": 8}]}]},
    "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 4, "router": "round-robin"},
              {"name": "small", "model": "llama-3.1-8b", "chip": "h100-sxm"}],
    "workload": {"agents": [{"agent": "customer-service", "rate_per_s": 3, "pools": {"default": "main", "small": "small"}}]},
    "run": {"duration_s": 60, "warmup_s": 10}})"),
                               {.repetitions = 1});
  REQUIRE(study.prefix.size() == 2);
  for (const PrefixReuse& of : study.prefix) {
    INFO(of.pool);
    CHECK(of.possible.value() >= of.got.value());
  }
}

TEST_CASE("Bottleneck: the slowest tasks may have a cause of their own, which is said") {
  // One in twenty asks a person, who takes two minutes; the others decode.
  const std::string rare =
      R"({"dist": "mixture", "parts": [{"weight": 0.95, "of": 0.01}, {"weight": 0.05, "of": 120}]})";
  const WhatIf study =
      what_if(read_scenario(scenario(llama_8b(4), 2), true, {agent("0.01", rare, "500")}), {.repetitions = 1});
  CHECK_THAT(study.verdict, Contains("another cause") && Contains("human"));
}

TEST_CASE("Bottleneck: what rests on one run is said to, of one repetition and of a trace") {
  const std::string text = scenario(llama_8b(4), 2);
  const std::string planted = agent(kShort, kShort, "200");
  const WhatIf once = what_if(read_scenario(text, true, {planted}), {.repetitions = 1});
  CHECK_THAT(once.verdict, Contains("rests on one run and was not told from chance: --repetitions 3 would tell"));
  CHECK(!once.effects.front().elasticity[Figure::kTaskP50].half_width);
  const sim::Json json = to_json(once);
  CHECK(JsonSchema(schema_text("bottleneck").value()).faults_of(json) == std::vector<std::string>{});
  CHECK(json["effects"][0]["elasticity"]["task_p50"]["half_width"].is_null());
  const std::string page = bottleneck_page(once, "");
  CHECK_THAT(page, Contains("of one run each, not told from chance") && Contains(", once each.") &&
                       !Contains("intervals at 95 %"));

  const WhatIf twice = what_if(read_scenario(text, true, {planted}), {.repetitions = 2});
  CHECK_THAT(twice.verdict, !Contains("one run"));
  CHECK_THAT(bottleneck_page(twice, ""), Contains("with intervals at 95 %") && !Contains("one run"));

  const ResultFolder folder("bottleneck-trace");
  std::filesystem::create_directories(folder.path);
  const std::filesystem::path trace = folder.path / "requests.csv";
  std::ofstream rows(trace);
  rows << "arrival_s,prompt_tokens,output_tokens\n";
  for (int i = 0; i < 50; ++i) rows << i * 0.2 << ",500,100\n";
  rows.close();
  const WhatIf replayed =
      what_if(read_scenario(R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1}]}]}, "pools": )" +
                            llama_8b(1) + R"(, "workload": {"trace": {"path": ")" + trace.string() +
                            R"(", "format": "requests"}}})"),
              {.repetitions = 3});
  CHECK(replayed.base.size() == 1);
  CHECK_THAT(replayed.verdict, Contains("not told from chance: a trace is the same with every seed"));
}
