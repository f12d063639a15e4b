/// Whole simulations: what goes in comes out, whatever way they are run.

#include <map>
#include <set>
#include <sstream>

#include "tests/analysis/run/in_process.hpp"

using namespace tokenyard;
using namespace tokenyard::analysis;
using sim::Json;

namespace {

constexpr const char* kAgent =
    R"({"schema": "tokenyard.agent/1", "name": "helper", "services": {"desk": {"capacity": 3}},
  "contexts": {"main": {"role_prefix_tokens": 900, "opening_tokens": {"dist": "lognormal", "median": 80, "sigma": 0.5}}},
  "call_failure": {"p": 0.02, "max": 2, "backoff_s": {"dist": "exponential", "mean": 1}},
  "nodes": {
    "answer": {"kind": "llm", "output_tokens": {"dist": "lognormal", "median": 90, "sigma": 0.7},
               "thinking_tokens": {"dist": "mixture", "parts": [{"weight": 0.5, "of": 0}, {"weight": 0.5, "of": {"dist": "lognormal", "median": 150, "sigma": 0.5}}]}},
    "split": {"kind": "fan-out", "join": "meet"},
    "search": {"kind": "tool", "latency_s": {"dist": "lognormal", "median": 0.5, "sigma": 1}, "result_tokens": {"dist": "lognormal", "median": 300, "sigma": 1}, "error": 0.05},
    "read": {"kind": "llm", "fresh": true, "prompt_tokens": {"dist": "lognormal", "median": 2000, "sigma": 1, "max": 20000}, "output_tokens": 60},
    "meet": {"kind": "join"},
    "desk": {"kind": "human", "service": "desk", "latency_s": {"dist": "exponential", "mean": 4}, "result_tokens": 20},
    "done": {"kind": "end"}},
  "edges": [
    {"from": "answer", "to": "split", "count": {"dist": "poisson", "mean": 2}}, {"from": "answer", "to": "desk", "count": {"dist": "poisson", "mean": 1}},
    {"from": "answer", "to": "done"},
    {"from": "split", "to": "search"}, {"from": "split", "to": "read"}, {"from": "search", "to": "meet"}, {"from": "read", "to": "meet"},
    {"from": "meet", "to": "answer"}, {"from": "desk", "to": "answer"}],
  "start": "answer"})";

/// Mixed and split pools, tight KV, three routers.
std::string scenario(const std::string& chip = "h100-sxm",
                     const std::string& run = R"({"duration_s": 400, "warmup_s": 0})") {
  return R"({"seed": 5, "cluster": {"sites": [{"nodes": [{"chip": ")" + chip +
         R"(", "count": 3, "chips_per_node": 8}]}], "pue": 1.25},
    "pools": [
      {"name": "mixed", "model": "llama-3.1-8b", "chip": ")" +
         chip + R"(", "replicas": 2, "engine": {"num_gpu_blocks_override": 1600}, "router": "task-sticky"},
      {"name": "prefill", "role": "prefill", "decode_pool": "decode", "model": "llama-3.1-8b", "chip": ")" +
         chip + R"(", "replicas": 2, "router": "prefix-aware"},
      {"name": "decode", "role": "decode", "model": "llama-3.1-8b", "chip": ")" +
         chip + R"(", "replicas": 2}],
    "workload": {"agents": [
      {"agent": "helper", "rate_per_s": 3, "arrivals": {"process": "gamma", "cv": 2}, "pools": {"default": "mixed"}},
      {"agent": "helper", "name": "apart", "closed_loop": {"users": 12, "ramp_s": 5, "think_s": {"dist": "exponential", "mean": 2}}, "pools": {"default": "prefill"}}],
      "requests": {"rate_per_s": 1, "prompt_tokens": 1500, "output_tokens": {"dist": "lognormal", "median": 200, "sigma": 0.6}, "pool": "mixed"}},
    "slo": {"ttft_s": 1}, "run": )" +
         run + "}";
}

Json play(const std::string& text, const ResultFolder& folder, bool stepwise = false) {
  SimulateOptions options;
  options.out = folder.path;
  options.write = {"calls", "tasks", "series", "perfetto"};
  options.stepwise = stepwise;
  options.resolved = "{}";
  return simulate(read_scenario(text, true, {kAgent}), nullptr, options);
}

using Rows = std::vector<std::map<std::string, std::string>>;

Rows rows(const std::string& text) {
  Rows table;
  std::istringstream lines(text);
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c == ',') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    if (names.empty()) {
      names = fields;
      continue;
    }
    table.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) table.back()[names[i]] = fields[i];
  }
  return table;
}

std::int64_t sum(const Rows& table, const std::string& column) {
  std::int64_t total = 0;
  for (const auto& row : table) total += std::stoll(row.at(column));
  return total;
}

}  // namespace

TEST_CASE("Tokens, tasks and joules are conserved from the calls to the summary") {
  const ResultFolder folder("conserved");
  const Json summary = play(scenario(), folder);
  const Json& counts = summary["counts"];
  const Rows calls = rows(folder.read("calls.csv")), tasks = rows(folder.read("tasks.csv")),
             series = rows(folder.read("series.csv"));

  CHECK(counts["preemptions"] > 0);
  CHECK(summary["network"]["flows"] > 0);
  CHECK(counts["calls"].get<std::size_t>() == calls.size());
  CHECK(counts["tasks"].get<std::size_t>() == tasks.size());
  std::int64_t by_status = 0, by_agent = 0;
  for (const char* status : {"calls_completed", "calls_failed", "calls_rejected", "calls_unfinished"})
    by_status += counts[status].get<std::int64_t>();
  CHECK(by_status == counts["calls"].get<std::int64_t>());
  for (const auto& [name, agent] : summary["agents"].items()) by_agent += agent["tasks"].get<std::int64_t>();
  CHECK(by_agent == counts["tasks"].get<std::int64_t>());
  for (const char* column : {"prompt_tokens", "cached_tokens", "output_tokens"}) {
    CHECK(sum(calls, column) == sum(tasks, column));
    CHECK(counts[column].get<std::int64_t>() == sum(calls, column));
  }
  CHECK(sum(tasks, "calls") == counts["calls"].get<std::int64_t>());

  // Every task's causes sum to its duration, in the table's whole nanoseconds.
  for (const auto& row : tasks) {
    const auto ns = [](const std::string& text) {
      const std::size_t point = text.find('.');
      return std::stoll(text.substr(0, point)) * 1'000'000'000 + std::stoll(text.substr(point + 1));
    };
    std::int64_t causes = 0;
    for (const auto& [column, value] : row) causes += column.starts_with("cause_") ? ns(value) : 0;
    CHECK(causes == ns(row.at("duration_s")));
  }

  // The power of the series, over the window, is the summary's energy.
  double joules = 0;
  for (const auto& row : series) {
    if (std::stod(row.at("time_s")) <= 400) joules += std::stod(row.at("power_w"));
  }
  CHECK(summary["energy"]["joules"].get<double>() == Approx(joules * 1.25).epsilon(1e-6));
  CHECK(summary["network"]["bytes"].get<double>() > 0);
}

TEST_CASE("One seed gives the same bytes, stepping or leaping") {
  const ResultFolder first("first"), again("again"), stepped("stepped");
  const auto comparable = [](Json summary) {
    summary["wall_s"] = nullptr;
    summary["counts"]["events"] = nullptr;
    return summary.dump();
  };
  const std::string run = R"({"duration_s": 120, "warmup_s": 20})";
  const std::string leaping = comparable(play(scenario("h100-sxm", run), first));
  CHECK(comparable(play(scenario("h100-sxm", run), again)) == leaping);
  CHECK(comparable(play(scenario("h100-sxm", run), stepped, true)) == leaping);
  for (const char* file : {"calls.csv", "tasks.csv", "series.csv", "trace.perfetto.json.gz"}) {
    CHECK(again.read(file) == first.read(file));
    CHECK(stepped.read(file) == first.read(file));
  }
}

TEST_CASE("With tiers below HBM, too, one seed gives the same bytes; what is found in them adds up") {
  std::string text = scenario("h100-sxm", R"({"duration_s": 200, "warmup_s": 20})");
  const std::string tiers = R"("kv_tiers": [{"tier": "remote", "gib": 40}, {"tier": "host", "gib": 2},
      {"tier": "ssd", "gib": 5, "bytes_per_s": 1e10}], "engine": {"num_gpu_blocks_override": 1600})";
  text.replace(text.find(R"("engine")"), std::string(R"("engine": {"num_gpu_blocks_override": 1600})").size(), tiers);
  const ResultFolder leaping("tiers"), stepped("tiers-stepped");
  Json summary = play(text, leaping), walked = play(text, stepped, true);
  for (Json* of : {&summary, &walked}) (*of)["wall_s"] = (*of)["counts"]["events"] = nullptr;
  CHECK(summary.dump() == walked.dump());
  for (const char* file : {"calls.csv", "tasks.csv", "series.csv", "trace.perfetto.json.gz"})
    CHECK(stepped.read(file) == leaping.read(file));

  const Json& pool = summary["pools"]["mixed"];
  double found = 0;
  for (const char* tier : {"hbm", "host", "ssd", "remote"}) {
    CAPTURE(tier);
    found += pool["kv_tiers"][tier]["hit_rate"].get<double>();
    CHECK(pool["kv_tiers"][tier]["hit_rate"] > 0);
  }
  CHECK(found == Approx(pool["prefix_hit_rate"].get<double>()));
  CHECK(pool["kv_tiers"]["host"]["bytes_stored"] > pool["kv_tiers"]["host"]["bytes_loaded"]);
  CHECK(summary["causes_s"]["kv_transfer"] > 0);
  CHECK_FALSE(summary["pools"]["prefill"].contains("kv_tiers"));
}

TEST_CASE("Another chip changes no task's sampled work") {
  const auto work = [](const std::string& chip) {
    const ResultFolder folder("chip-" + chip);
    play(scenario(chip, R"({"duration_s": 200})"), folder);
    std::multiset<std::string> open_loop;  // a closed loop's tasks come when the last one ends
    for (const auto& row : rows(folder.read("tasks.csv"))) {
      if (row.at("agent") != "apart")
        open_loop.insert(row.at("arrival_s") + " " + row.at("calls") + " " + row.at("prompt_tokens") + " " +
                         row.at("output_tokens"));
    }
    return open_loop;
  };
  const auto h100 = work("h100-sxm");
  CHECK(h100.size() > 500);
  CHECK(work("mi300x") == h100);
  CHECK(work("a100-80-sxm") == h100);
}

TEST_CASE("Calls for pictures wait as others do, and are goodput") {
  const ResultFolder folder("media");
  const Json summary = simulate_text(R"({
      "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
      "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm"},
                {"name": "images", "model": "flux.1-dev", "chip": "h100-sxm"}],
      "workload": {"agents": [{"agent": "ad-generation", "variant": ["no-video", "no-people"], "rate_per_s": 0.5,
                               "pools": {"default": "main", "image": "images"}}]},
      "run": {"duration_s": 300}})",
                                     folder);
  CHECK(summary["counts"]["media_calls"] > 10);
  // One chip makes the pictures of all: that is where calls wait.
  CHECK(summary["latency"]["queue_s"]["max"].get<double>() > 10);
  CHECK(summary["slo"]["goodput_calls_per_s"] == summary["throughput"]["calls_per_s"]);
}

TEST_CASE("Calls that wait while every seat is taken are noted, with the setting that has more") {
  const auto run = [](const char* seats) {
    return simulate_text(R"({
        "cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 1, "chips_per_node": 8}]}]},
        "pools": [{"name": "main", "model": "llama-3.1-8b", "chip": "h100-sxm", "engine": {"max_num_seqs": )" +
                             std::string(seats) + R"(}}],
        "workload": {"requests": {"closed_loop": {"users": 20}, "prompt_tokens": 500, "output_tokens": 200}},
        "run": {"duration_s": 120, "warmup_s": 20}})",
                         ResultFolder("seats"));
  };
  const Json few = run("8"), enough = run("32");
  CHECK(few["pools"]["main"]["seats_full"].get<double>() > 0.9);
  CHECK(few["notes"].dump().find("all 8 seats") != std::string::npos);
  CHECK(few["notes"].dump().find("engine/max_num_seqs") != std::string::npos);
  CHECK(enough["pools"]["main"]["seats_full"] == 0.0);
  CHECK(enough["notes"].dump().find("max_num_seqs") == std::string::npos);
}

TEST_CASE("Without drain, what is in flight at the end is unfinished and adds up") {
  const ResultFolder folder("undrained");
  const Json summary = play(scenario("h100-sxm", R"({"duration_s": 60, "drain": false})"), folder);
  CHECK(summary["simulated_s"] == 60.0);
  CHECK(summary["counts"]["tasks_unfinished"] > 0);
  CHECK(summary["counts"]["calls_unfinished"] > 0);
  const Rows calls = rows(folder.read("calls.csv")), tasks = rows(folder.read("tasks.csv"));
  CHECK(summary["counts"]["tasks"].get<std::size_t>() == tasks.size());
  // Tokens made by calls that were not done count everywhere, those they asked for nowhere.
  const auto made = summary["counts"]["output_tokens"].get<std::int64_t>();
  CHECK(sum(calls, "output_tokens") == made);
  CHECK(sum(tasks, "output_tokens") == made);
  CHECK(summary["throughput"]["output_tokens_per_s"].get<double>() * 60 == Approx(static_cast<double>(made)));
}

TEST_CASE("A run that ends before its warm-up has measured nothing, and says so") {
  const ResultFolder folder("never-opened");
  SimulateOptions options;
  options.undecided = [](const Metrics&) { return false; };
  const Json summary = simulate(
      read_scenario(scenario("h100-sxm", R"({"duration_s": 600, "warmup_s": 500})"), true, {kAgent}), nullptr, options);
  CHECK(summary["status"] == "partial");
  CHECK(summary["simulated_s"] < 500);
  CHECK(summary["energy"]["watts_mean"].is_null());
  CHECK(summary["energy"]["joules"].is_null());
  CHECK(summary["cost"]["usd"].is_null());
  CHECK(summary["throughput"]["output_tokens_per_s"].is_null());
  CHECK(summary["cost"]["usd_per_million_output_tokens"].is_null());
  CHECK_THAT(summary["notes"].dump(), Catch::Matchers::Contains("before the end of the warm-up"));
}

TEST_CASE("Gaps between tokens are those of the measured time") {
  const auto itl = [](const char* warmup) {
    const ResultFolder folder("window");
    const std::string times = R"({"duration_s": 120, "warmup_s": )" + std::string(warmup) + "}";
    return play(scenario("h100-sxm", times), folder)["latency"]["itl_s"];
  };
  const Json all = itl("0"), late = itl("110");
  CHECK(late["p99"].get<double>() > 0);
  CHECK(late["mean"] != all["mean"]);
  CHECK(late["max"].get<double>() <= all["max"].get<double>());
}

TEST_CASE("Energy does not depend on how often series are sampled, nor on leaping") {
  // Prompts bring H100 to its limit, decoding does not.
  const auto joules = [](const char* interval, bool stepwise) {
    const ResultFolder folder;
    const std::string run = std::string(R"({"duration_s": 60, "warmup_s": 0, "series_interval_s": )") + interval + "}";
    return play(scenario("h100-sxm", run), folder, stepwise)["energy"]["joules"].get<double>();
  };
  const double often = joules("0.05", false);
  CHECK(joules("7", false) == Approx(often).epsilon(1e-9));
  CHECK(joules("7", true) == joules("7", false));
}
