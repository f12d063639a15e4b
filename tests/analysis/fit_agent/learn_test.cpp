#include "analysis/fit_agent/learn.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "analysis/fit_agent/fitted_distribution.hpp"
#include "tests/analysis/run/in_process.hpp"
#include "traces/readers/task_reader.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using sim::Json;

namespace {

/// The mean and the half-width of its 95 % interval that a learned part states: "… mean 4.65 ± 0.1".
struct Stated {
  double mean = 0, half_width = 0;
};
Stated stated(const Json& part, const char* key) {
  const std::string text = part.at(key).get<std::string>();
  Stated s;
  INFO(text);
  REQUIRE(std::sscanf(text.c_str() + text.find("mean "), "mean %lf ± %lf", &s.mean, &s.half_width) == 2);
  return s;
}
/// Within the interval at 99.9 %: a dozen of them are looked at.
void check_within(const Stated& s, double truth) {
  INFO("stated " << s.mean << " ± " << s.half_width << ", true " << truth);
  CHECK(std::abs(s.mean - truth) <= 3.29 / 1.96 * s.half_width + 1e-9);
}

const Json& edge(const Json& agent, const std::string& from, const std::string& to) {
  for (const Json& e : agent["edges"]) {
    if (e["from"] == from && e["to"] == to) return e;
  }
  FAIL("no edge " << from << " > " << to);
  return agent;
}
/// p of an edge, with the 99.9 % interval of as many departures.
void check_probability(const Json& agent, const std::string& from, const std::string& to, double truth) {
  const Json& e = edge(agent, from, to);
  double taken = 0, of = 0;
  REQUIRE(std::sscanf(e["evidence"].get<std::string>().c_str(), "M: %lf of %lf", &taken, &of) == 2);
  INFO(from << " > " << to << ": " << taken << " of " << of << ", true " << truth);
  CHECK(e["p"].get<double>() == Approx(taken / of).margin(2e-6));
  CHECK(std::abs(taken / of - truth) <= 3.29 / 1.96 * probability_half_width(truth, of));
}

/// Tasks of a built-in agent as they ran on chips enough.
std::unique_ptr<agents::RecordedTaskSource> recorded(const ResultFolder& folder, const char* agent, double rate_per_s,
                                                     int duration_s) {
  simulate_text(
      fmt::format(R"({{"cluster": {{"sites": [{{"nodes": [{{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}}]}}]}},
      "pools": [{{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 8}}],
      "workload": {{"agents": [{{"agent": "{}", "rate_per_s": {}}}]}}, "run": {{"duration_s": {}}}}})",
                  agent, rate_per_s, duration_s),
      folder, {.write = {"record"}});
  return traces::open_tasks((folder.path / "record.jsonl").string(), "record");
}

double lognormal(double median, double sigma) { return median * std::exp(sigma * sigma / 2); }

}  // namespace

TEST_CASE("Fit: sessions drawn from our own customer service give its parameters back, within their intervals") {
  const ResultFolder folder("fit-customer-service");
  simulate_text(R"({"seed": 11,
      "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
      "pools": [{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": 8}],
      "workload": {"agents": [{"agent": "customer-service", "rate_per_s": 0.5}]},
      "run": {"duration_s": 5000}})",
                folder, {.write = {"record"}});
  const auto source = traces::open_tasks((folder.path / "record.jsonl").string(), "record");
  const Observed observed = observe(*source, "", 0);
  CHECK(observed.tasks.size() > 2'300);
  const LearnedAgent learned = learn(observed, "mine", "test");
  CHECK(learned.form == "graph");
  CHECK(learned.goodness.worst() < 0.10);
  const Json& agent = learned.agent;

  // Loops of the conversation, each an urn of its own law.
  check_within(stated(edge(agent, "agent", "look-up"), "evidence"), 4.65);
  CHECK(edge(agent, "agent", "look-up")["count"]["dist"] == "poisson");
  check_within(stated(edge(agent, "agent", "change"), "evidence"), 1.0);
  check_within(stated(edge(agent, "agent", "check-reply"), "evidence"), 5.23);  // round(Ga(11.3, 0.64), at least 2) - 2
  // Branches.
  check_probability(agent, "customer", "check-message", 0.99);
  check_probability(agent, "customer", "failed", 0.01);  // who leaves
  check_probability(agent, "goodbye", "wrap-up", 0.95);
  check_probability(agent, "goodbye", "hand-off", 0.05);
  check_probability(agent, "check-opening", "knowledge", 0.495);
  // Answers by where they go.
  check_within(stated(edge(agent, "agent", "look-up"), "note"), lognormal(32, 0.57));
  check_within(stated(edge(agent, "agent", "check-reply"), "note"), 3.0 * 28.9);
  // What tools and the customer bring, with the template's 15 tokens.
  const double tools = 0.9 * 1 + 0.035 * 2 + 0.03 * 3 + 0.02 * 4 + 0.015 * 5;
  const double result = 0.98 * (0.25 * 7 + 0.75 * lognormal(270, 0.55)) + 0.02 * lognormal(20, 0.6);
  check_within(stated(agent["nodes"]["look-up"], "note"), 15 + tools * result);
  // Prefixes and times.
  CHECK(agent["nodes"]["agent"]["context"] == agent["nodes"]["wrap-up"]["context"]);
  CHECK(agent["contexts"][agent["nodes"]["agent"]["context"].get<std::string>()]["role_prefix_tokens"] == 3600);
  CHECK(agent["nodes"]["check-reply"]["fresh"] == true);
  CHECK(agent["nodes"]["check-reply"]["role_prefix_tokens"] == 400);
  check_within(stated(agent["nodes"]["customer"], "evidence"), lognormal(36, 0.8));
}

TEST_CASE("Fit: of production sessions, calls, prompts and answers are played within 10 %") {
  const auto packed = public_data("kv_cache_tester_agentic/traces_710_rle.jsonl.xz");
  if (!packed) return;
  const auto source = traces::open_tasks(*packed, "weka");
  const Observed observed = observe(*source, "", 0);
  CHECK(observed.tasks.size() == 710);
  CHECK(observed.nameless);
  const LearnedAgent learned = learn(observed, "coding", "test");
  CHECK(learned.form == "sessions");
  for (std::size_t r = 0; r < 3; ++r) {
    const Goodness::Row& row = learned.goodness.rows[r];
    for (std::size_t q = 0; q < 5; ++q) {  // up to the 90th percentile
      INFO(row.quantity << " at " << Goodness::kQuantiles[q] << ": recorded " << row.recorded[q] << ", played "
                        << row.played[q]);
      CHECK((row.played[q] == Approx(row.recorded[q]).epsilon(0.10) || std::abs(row.played[q] - row.recorded[q]) <= 1));
    }
  }
}

TEST_CASE("Fit: a loop within a loop is told from draws without memory") {
  const ResultFolder folder("fit-rounds");
  const auto source = recorded(folder, "sales-chat", 1, 800);
  const LearnedAgent learned = learn(observe(*source, "", 0), "mine", "test");
  CHECK(learned.form == "graph");
  CHECK(learned.goodness.worst() < 0.10);
  CHECK(edge(learned.agent, "assistant", "look-up")["count"] == Json(2.0));  // of every message, not of the task
  check_within(stated(edge(learned.agent, "send", "lead"), "evidence"), 4.02);
}

TEST_CASE("Fit: where tasks only hand on to a sub-agent, it is the agent") {
  const ResultFolder folder("fit-handed-on");
  const auto source = recorded(folder, "sales", 0.5, 400);
  const Observed observed = observe(*source, "", 0);
  CHECK(observed.left_out_branches > 0);  // research within the sub-agent
  const auto calls_of = [&](const ObservedTask& task) {
    return std::count_if(task.visits.begin(), task.visits.end(), [&](const Visit& visit) {
      return observed.nodes[visit.node].kind == agents::StepKind::kCall;
    });
  };
  CHECK(std::all_of(observed.tasks.begin(), observed.tasks.end(), calls_of));
  CHECK(learn(observed, "mine", "test").agent.contains("start"));
}

TEST_CASE("Fit: sessions of one call each are a class without a loop") {
  const ScratchFolder folder;
  std::string lines;
  for (int t = 0; t < 200; ++t) {
    lines += fmt::format(R"({{"task":{},"agent":"a","arrival_ns":{},"steps":[)", t, t);
    const int calls = t < 100 ? 1 : 2 + t % 5;
    for (int i = 0; i < calls; ++i) {
      lines += fmt::format(
          R"({}{{"kind":"llm","node":"m","model":"m","prompt":[[{},{}]],"output_tokens":{},"took_ns":1{}}})",
          i == 0 ? "" : ",", t + 1, 500 + 100 * i, 10 + t % 7, i == 0 ? "" : fmt::format(R"(,"after":[[{}]])", i - 1));
    }
    lines += "]}\n";
  }
  const auto source = traces::open_tasks(folder.write("record", lines), "record");
  const Observed observed = observe(*source, "", 0);
  const Json agent = learn_sessions(observed, "mine", "test");
  CHECK_FALSE(agent["nodes"].contains("a-next"));
  for (const auto& [name, node] : agent["nodes"].items()) {
    INFO(name);
    CHECK((node["kind"] == "end" || std::any_of(agent["edges"].begin(), agent["edges"].end(),
                                                [&](const Json& e) { return e["from"] == name; })));
  }
  CHECK_NOTHROW(learn(observed, "mine", "test"));
}

TEST_CASE("Fit: of two prefixes a node's is the one that most tasks have, whatever their contents' numbers") {
  const ScratchFolder folder;
  for (const auto& [seldom, often] : {std::pair{9, 5}, std::pair{5, 9}}) {
    std::string lines;
    for (int t = 0; t < 40; ++t) {
      lines += fmt::format(
          R"({{"task":{0},"agent":"a","arrival_ns":{0},"steps":[{{"kind":"llm","node":"x","model":"m","prompt":[[{1},{2}],[{3},200]],"output_tokens":10,"took_ns":1}}]}})",
          t, t % 4 == 0 ? seldom : often, t % 4 == 0 ? 10 : 1000, 100 + t);
      lines += '\n';
    }
    const auto source = traces::open_tasks(folder.write("record", lines), "record");
    CHECK(observe(*source, "", 0).nodes.at(0).role_prefix_tokens == 1000);
  }
}

namespace {

/// A call of a record that follows a step, or is the first.
std::string call_json(const char* node, const char* model, int prompt, const char* after) {
  return fmt::format(R"({{"kind":"llm","node":"{}","model":"{}","prompt":[[9,{}]],"output_tokens":10,"took_ns":5{}}})",
                     node, model, prompt, after);
}
std::string wait_json(const char* kind, const char* node, double seconds, const char* after) {
  return fmt::format(R"({{"kind":"{}","node":"{}","took_ns":{:.0f},"cause":"tool"{}}})", kind, node, seconds * 1e9,
                     after);
}

const Goodness::Row& row(const Goodness& goodness, const std::string& quantity) {
  const auto at = std::find_if(goodness.rows.begin(), goodness.rows.end(),
                               [&](const Goodness::Row& r) { return r.quantity == quantity; });
  REQUIRE(at != goodness.rows.end());
  return *at;
}

Observed observed_record(const ScratchFolder& folder, const std::string& lines, const std::string& name) {
  return observe(*traces::open_tasks(folder.write(name, lines), "record"), "", 0);
}

}  // namespace

TEST_CASE("Fit: tools side by side are one step, as long as from the first one's beginning to the last one's end") {
  const ScratchFolder folder;
  std::string lines;
  for (int t = 0; t < 100; ++t) {
    lines += fmt::format(R"({{"agent":"a","arrival_ns":{},"steps":[)", t) + call_json("plan", "m", 500, "") + "," +
             wait_json("tool", "search", 2, R"(,"after":[[0]])") + "," +
             wait_json("tool", "db", 3, R"(,"after":[[0]])") + "," +
             call_json("write", "m", 900, R"(,"after":[[1],[2]])") + "," +
             wait_json("tool", "db", 1, R"(,"after":[[3]])") + "]}\n";
  }
  const Observed observed = observed_record(folder, lines, "parallel");
  const LearnedAgent learned = learn(observed, "mine", "test");
  REQUIRE(learned.form == "graph");
  CHECK(learned.agent["nodes"]["db+search"]["latency_s"] == Json(3.0));
  CHECK(learned.agent["nodes"]["db"]["latency_s"] == Json(1.0));
  CHECK_FALSE(learned.agent["nodes"].contains("search"));
  const Goodness::Row& seconds = row(learned.goodness, "seconds per task, calls aside");
  CHECK(seconds.recorded.back() == Approx(4));
  CHECK(seconds.played.back() == Approx(4));
  CHECK(row(learned.goodness, "tools per task").played.back() == Approx(2));
}

TEST_CASE("Fit: the table tells what the learned agent lacks: branches that ran beside the main walk") {
  const ScratchFolder folder;
  std::string lines;
  for (int t = 0; t < 100; ++t) {
    lines += fmt::format(R"({{"agent":"a","arrival_ns":{},"steps":[)", t) + call_json("plan", "m", 500, "") + "," +
             wait_json("tool", "aside", 7, R"(,"branch":1,"after":[[0]])") + "," +
             call_json("write", "m", 900, R"(,"after":[[1]])") + "]}\n";
  }
  const Goodness goodness = learn(observed_record(folder, lines, "branches"), "mine", "test").goodness;
  CHECK(row(goodness, "seconds per task, calls aside").recorded.back() == Approx(7));
  CHECK(row(goodness, "seconds per task, calls aside").played.back() == Approx(0).margin(1e-9));
}

TEST_CASE("Fit: calls keep the roles of their pools, and tasks fail as often, whatever the form") {
  const ScratchFolder folder;
  std::string lines;
  for (int t = 0; t < 200; ++t) {
    lines += fmt::format(R"({{"agent":"a","arrival_ns":{},{}"steps":[)", t, t % 5 == 0 ? R"("status":"failed",)" : "") +
             call_json("guard", "small", 100, "") + "," + call_json("reply", "main", 2000, R"(,"after":[[0]])") +
             "]}\n";
  }
  const Observed observed = observed_record(folder, lines, "roles");
  const LearnedAgent learned = learn(observed, "mine", "test");
  REQUIRE(learned.form == "graph");
  CHECK(learned.agent["nodes"]["guard"]["pool"] == "small");
  CHECK_FALSE(learned.agent["nodes"]["reply"].contains("pool"));  // most tokens: the default
  CHECK(edge(learned.agent, "reply", "failed")["p"] == Json(0.2));
  CHECK(learned.goodness.recorded_failed == Approx(0.2));
  CHECK(learned.goodness.played_failed == Approx(0.2).margin(0.04));
  const Goodness of_sessions = compare_played(observed, learn_sessions(observed, "mine", "test"));
  CHECK(of_sessions.played_failed == Approx(0.2).margin(0.04));
}

TEST_CASE("Fit: sessions keep the people and tools before their first and after their last call") {
  const ScratchFolder folder;
  std::string lines;
  for (int t = 0; t < 200; ++t) {
    lines += fmt::format(R"({{"agent":"a","arrival_ns":{},"steps":[)", t) + wait_json("tool", "fetch", 2, "") + "," +
             call_json("m", "m", 500, R"(,"after":[[0]])");
    lines += "," + wait_json("human", "boss", 60, R"(,"after":[[1]])");
    if (t % 2 == 0) {
      lines += "," + call_json("m", "m", 700, R"(,"after":[[2]])");
      lines += "," + wait_json("human", "boss", 60, R"(,"after":[[3]])");
    }
    lines += "]}\n";
  }
  const Observed observed = observed_record(folder, lines, "around");
  const Goodness goodness = compare_played(observed, learn_sessions(observed, "mine", "test"));
  CHECK(row(goodness, "people per task").recorded.back() == Approx(1.5));
  CHECK(row(goodness, "people per task").played.back() == Approx(1.5).epsilon(0.05));
  CHECK(row(goodness, "tools per task").played.back() == Approx(1).epsilon(0.05));
  CHECK(row(goodness, "seconds per task, calls aside").recorded.back() == Approx(92));
  CHECK(row(goodness, "seconds per task, calls aside").played.back() == Approx(92).epsilon(0.05));
}
