/// Whole simulations, each in a process of its own, as a user would start them: the speed that counts. `./dev bench`
/// runs it.
///
/// Every case runs once per round; its time is the least of the rounds, in seconds of processor time of the whole
/// process. With `--against`, the other build's run comes right after in the same round, so that a busy machine slows
/// both alike. `spin`, a fixed loop of arithmetic, is timed in every round, too: how far its times lie apart says how
/// far to trust the others. A case may be told as a multiple of another one's time (`per call` where their numbers of
/// calls differ).

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/command/text_table.hpp"
#include "traces/readers/trace_reader.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tokenyard::analysis::TextTable;

struct Case {
  std::string name;
  std::string scenario;    ///< JSON
  std::string trace = {};  ///< replayed, in format `requests`; empty: the scenario's own work
  std::vector<std::string> options = {};
  std::string bar = {};     ///< what is asked of it
  std::string beside = {};  ///< the case whose time its ratio is to
  bool per_call = false;    ///< of that ratio
  bool takes_long = false;  ///< only with --long
};

// ---- Scenarios ------------------------------------------------------------------------------------------------------

std::string nodes(const std::string& chip, int count) {
  return fmt::format(R"({{"chip": "{}", "count": {}, "chips_per_node": 8}})", chip, count);
}

/// The peers' case: Llama-2-7B on A100, batches of 128 calls and 512 tokens (a budget of 0: the engine's own).
std::string llama_2(int replicas, int token_budget) {
  const std::string budget = token_budget > 0 ? fmt::format(R"("max_num_batched_tokens": {}, )", token_budget) : "";
  return fmt::format(
      R"({{"cluster": {{"sites": [{{"nodes": [{}]}}]}}, "pools": [{{"model": "llama-2-7b", "chip": "a100-80-sxm",
           "replicas": {}, "router": "round-robin", "engine": {{"name": "vllm", "max_num_seqs": 128, {}
           "num_gpu_blocks_override": 7424, "max_model_len": 8192}}}}]}})",
      nodes("a100-80-sxm", 1), replicas, budget);
}

/// Requests on replicas of Llama-3.1-8B, 2.5 a second on each: half of what they can take.
std::string requests(int replicas, double calls, int output_tokens) {
  const double rate = 2.5 * replicas * 150 / output_tokens;
  return fmt::format(
      R"({{"cluster": {{"sites": [{{"nodes": [{}]}}]}}, "pools": [{{"model": "llama-3.1-8b", "chip": "h100-sxm", "replicas": {}}}],
           "workload": {{"requests": {{"rate_per_s": {}, "prompt_tokens": {{"dist": "lognormal", "median": 1020, "sigma": 0.8, "max": 16000}},
           "output_tokens": {{"dist": "lognormal", "median": {}, "sigma": 0.9, "max": 8000}}}}}}, "run": {{"duration_s": {}}}}})",
      nodes("h100-sxm", (replicas + 7) / 8), replicas, rate, output_tokens, calls / rate);
}

std::string prefill_and_decode(double calls) {
  constexpr double kRate = 20;
  const std::string pool =
      R"("model": "llama-3.1-70b", "chip": "h100-sxm", "parallelism": {"tp": 4}, "precision": {"weights": "fp8", "kv": "fp8"})";
  return fmt::format(
      R"({{"cluster": {{"sites": [{{"nodes": [{}]}}], "fabric": {{"topology": "star", "bytes_per_s": 50e9}}}},
           "pools": [{{"name": "prefill", "role": "prefill", "decode_pool": "decode", "replicas": 8, {}}}, {{"name": "decode", "role": "decode", "replicas": 8, {}}}],
           "workload": {{"requests": {{"rate_per_s": {}, "prompt_tokens": {{"dist": "lognormal", "median": 1020, "sigma": 0.8, "max": 16000}},
           "output_tokens": {{"dist": "lognormal", "median": 129, "sigma": 0.9, "max": 4000}}}}}}, "run": {{"duration_s": {}}}}})",
      nodes("h100-sxm", 8), pool, pool, kRate, calls / kRate);
}

/// Three domains, some 16 calls to a task; as many replicas as they keep busy.
std::string three_domains(double tasks) {
  return fmt::format(
      R"({{"cluster": {{"sites": [{{"nodes": [{}, {}]}}]}},
           "pools": [{{"name": "desk", "model": "llama-3.3-70b", "chip": "h100-sxm", "replicas": 48, "parallelism": {{"tp": 4}},
                       "precision": {{"weights": "fp8", "kv": "fp8"}}, "router": "task-sticky"}},
                     {{"name": "small", "model": "llama-3.1-8b", "chip": "a100-80-sxm", "replicas": 56, "router": "task-sticky"}}],
           "workload": {{"agents": [
             {{"agent": "customer-service", "rate_per_s": 20, "pools": {{"default": "desk", "small": "small"}}}},
             {{"agent": "sales", "rate_per_s": 5, "pools": {{"default": "desk", "small": "small"}}}},
             {{"agent": "it-security", "rate_per_s": 10, "pools": {{"default": "desk", "small": "small"}}}}]}},
           "run": {{"duration_s": {}}}}})",
      nodes("h100-sxm", 24), nodes("a100-80-sxm", 7), tasks / 35);
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The Azure conversation trace, `times` times over, as a file of our own format.
std::string repeat_trace(const fs::path& azure, int times, const fs::path& target) {
  const auto reader = tokenyard::traces::open_trace(azure, "azure");
  std::vector<tokenyard::agents::RecordedRequest> all;
  for (tokenyard::agents::RecordedRequest request; reader->next(request);) all.push_back(request);
  const double span_s = all.back().arrival.seconds() + 0.2;
  std::ofstream out(target);
  out << "arrival_s,prompt_tokens,output_tokens\n";
  for (int i = 0; i < times; ++i) {
    for (const auto& r : all) {
      out << fmt::format("{:.7f},{},{}\n", i * span_s + r.arrival.seconds(), r.prompt.front().tokens, r.output_tokens);
    }
  }
  return target;
}

std::vector<Case> all_cases(const fs::path& source, const fs::path& data, bool takes_long, const fs::path& scratch) {
  std::vector<Case> cases;
  cases.push_back({.name = "start", .scenario = llama_2(1, 512), .trace = scratch / "one.csv", .bar = "<= 0.05 s"});
  std::ofstream(scratch / "one.csv") << "arrival_s,prompt_tokens,output_tokens\n0,1,1\n";
  cases.push_back({.name = "demo", .scenario = read_file(source / "analysis/scenarios/demo.json")});

  const fs::path azure = data / "azure_llm_2023/AzureLLMInferenceTrace_conv.csv";
  if (fs::exists(azure)) {
    const std::string once = repeat_trace(azure, 1, scratch / "azure.csv");
    cases.push_back({.name = "peers",
                     .scenario = llama_2(2, 512),
                     .trace = once,
                     .options = {"--write", "calls"},
                     .bar = "<= 0.3 s, 150 MiB"});
    const std::string often = repeat_trace(azure, takes_long ? 52 : 8, scratch / "azure_often.csv");
    const auto on_eight = [&](const std::string& name, int budget, const std::string& write, const std::string& beside,
                              const std::string& bar) {
      cases.push_back({.name = name,
                       .scenario = llama_2(8, budget),
                       .trace = often,
                       .options = {"--speed", "4", "--write", write},
                       .bar = bar,
                       .beside = beside});
    };
    on_eight("azure", 0, "none", "", ">= 1 M calls/s, 1.2 G tokens/s");
    on_eight("azure, 512-token budget", 512, "none", "", "");
    on_eight("azure, calls.csv", 0, "calls", "azure", "<= 1.6 x");
    on_eight("azure, timeline", 0, "perfetto", "azure", "<= 2.5 x");
  } else {
    fmt::print(stderr, "{} is absent: set TOKENYARD_DATA. Cases on the Azure trace are left out.\n", azure.string());
  }
  cases.push_back({.name = "three domains",
                   .scenario = three_domains(takes_long ? 1e6 : 1e4),
                   .bar = ">= 300 k calls/s, 1.2 G tokens/s"});
  cases.push_back({.name = "leaping", .scenario = requests(8, 2e4, 2000)});
  cases.push_back({.name = "stepping",
                   .scenario = requests(8, 2e4, 2000),
                   .options = {"--stepwise"},
                   .bar = ">= 5 x, 20 x events",
                   .beside = "leaping"});
  cases.push_back(
      {.name = "prefill/decode", .scenario = prefill_and_decode(takes_long ? 1e6 : 1e5), .bar = ">= 100 k calls/s"});
  cases.push_back({.name = "1e4 calls", .scenario = requests(8, 1e4, 150)});
  cases.push_back({.name = "1e5 calls", .scenario = requests(8, 1e5, 150)});
  cases.push_back({.name = "1e6 calls",
                   .scenario = requests(8, 1e6, 150),
                   .bar = "<= 1.3 x",
                   .beside = "1e5 calls",
                   .per_call = true});
  cases.push_back({.name = "1e7 calls",
                   .scenario = requests(8, 1e7, 150),
                   .bar = "<= 1.3 x",
                   .beside = "1e5 calls",
                   .per_call = true,
                   .takes_long = true});
  cases.push_back({.name = "1e3 replicas",
                   .scenario = requests(1000, 1e5, 150),
                   .bar = "<= 3 x",
                   .beside = "1e5 calls",
                   .per_call = true});
  cases.push_back({.name = "1e5 replicas",
                   .scenario = requests(100'000, 2e6, 150),
                   .bar = "<= 3 x",
                   .beside = "1e5 calls",
                   .per_call = true,
                   .takes_long = true});
  return cases;
}

// ---- Measuring ------------------------------------------------------------------------------------------------------

struct Measured {
  double cpu_s = 1e300, mebibytes = 0;  ///< the best and the last
  json counts;
};

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); }

void measure(const std::string& program, const Case& c, const fs::path& scratch, Measured& result) {
  const fs::path scenario = scratch / "scenario.json", out = scratch / "out";
  std::ofstream(scenario) << c.scenario;
  std::vector<std::string> words = {program};
  if (c.trace.empty()) {
    words.insert(words.end(), {"run", scenario});
  } else {
    words.insert(words.end(), {"replay", c.trace, "--format", "requests", "--on", scenario});
  }
  words.insert(words.end(), {"--out", out, "--no-report", "--quiet"});
  const bool writes = std::find(c.options.begin(), c.options.end(), "--write") != c.options.end();
  if (!writes) words.insert(words.end(), {"--write", "none"});
  words.insert(words.end(), c.options.begin(), c.options.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(fmt::format("failed: {}", fmt::join(words, " ")));
  result.cpu_s = std::min(result.cpu_s, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  result.mebibytes = static_cast<double>(usage.ru_maxrss) / 1024;
  result.counts = json::parse(std::ifstream(out / "summary.json"))["counts"];
}

double spin() {
  const std::clock_t begin = std::clock();
  std::uint64_t x = 88172645463325252ULL;
  for (int i = 0; i < 50'000'000; ++i) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
  volatile const std::uint64_t kept = x;  // so that the loop is, too
  static_cast<void>(kept);
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

/// 1234567 as "1.23 M".
std::string short_number(double value) {
  for (const auto& [unit, name] : {std::pair{1e9, " G"}, std::pair{1e6, " M"}, std::pair{1e3, " k"}}) {
    if (value >= 0.9995 * unit) return fmt::format("{:.3g}{}", value / unit, name);
  }
  return fmt::format("{:.3g}", value);
}

struct Results {
  std::vector<Case> cases;
  std::map<std::string, Measured> ours, theirs;
  std::vector<double> spins;

  double calls(const std::string& name) const { return ours.at(name).counts["calls"].get<double>(); }
  double ratio(const Case& c) const {
    const double times = ours.at(c.name).cpu_s / ours.at(c.beside).cpu_s;
    return c.per_call ? times * calls(c.beside) / calls(c.name) : times;
  }

  void print() const {
    constexpr auto kLeft = TextTable::kLeft, kRight = TextTable::kRight;
    TextTable table({kLeft, kRight, kRight, kRight, kRight, kRight, kRight, kRight, kLeft, kLeft});
    table.row({"case", "calls", "cpu s", "MiB", "calls/s", "tokens/s", "events/call",
               theirs.empty() ? "" : "before/now", "ratio", "asked for"});
    for (const Case& c : cases) {
      const Measured& m = ours.at(c.name);
      const double tokens = m.counts["prompt_tokens"].get<double>() + m.counts["output_tokens"].get<double>();
      const std::string beside =
          c.beside.empty() ? "" : fmt::format("{:.2f} x {}{}", ratio(c), c.beside, c.per_call ? ", per call" : "");
      table.row({c.name, short_number(calls(c.name)), fmt::format("{:.3f}", m.cpu_s),
                 fmt::format("{:.0f}", m.mebibytes), short_number(calls(c.name) / m.cpu_s),
                 short_number(tokens / m.cpu_s),
                 fmt::format("{:.2f}", m.counts["events"].get<double>() / calls(c.name)),
                 theirs.empty() ? "" : fmt::format("{:.2f}", theirs.at(c.name).cpu_s / m.cpu_s), beside, c.bar});
    }
    const auto [least, most] = std::minmax_element(spins.begin(), spins.end());
    fmt::print("{}spin: {:.3f} to {:.3f} s\n", table.text(""), *least, *most);
  }

  void write(const fs::path& path) const {
    json all = {{"spin_s", spins}, {"cases", json::object()}};
    for (const auto& [name, m] : ours)
      all["cases"][name] = {{"cpu_s", m.cpu_s}, {"mebibytes", m.mebibytes}, {"counts", m.counts}};
    std::ofstream(path) << all.dump(2) << '\n';
  }
};

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Whole simulations, timed.");
  std::string program, against, only, source = ".", data = "../shared/data", target = "bench.json";
  int rounds = 3;
  bool takes_long = false;
  app.add_option("PROGRAM", program, "the tokenyard to time")->required();
  app.add_option("--against", against, "another build's folder, timed in the same rounds");
  app.add_option("--only", only, "cases whose name contains this, and those they are told by");
  app.add_option("--rounds", rounds, "the best of so many")->check(CLI::PositiveNumber);
  app.add_flag("--long", takes_long, "the full sizes, too: some minutes");
  app.add_option("--source", source)->group("");
  app.add_option("--out", target)->group("");
  app.add_option("--data", data)->envname("TOKENYARD_DATA")->group("");
  CLI11_PARSE(app, argc, argv);

  const fs::path scratch = fs::temp_directory_path() / fmt::format("tokenyard_bench_{}", getpid());
  fs::create_directories(scratch);
  Results results;
  std::vector<Case> cases = all_cases(source, data, takes_long, scratch);
  const auto named = [&](const Case& c) { return c.name.find(only) != std::string::npos; };
  for (const Case& c : cases) {
    const bool told_by = std::any_of(cases.begin(), cases.end(),
                                     [&](const Case& other) { return named(other) && other.beside == c.name; });
    if ((named(c) || told_by) && (takes_long || !c.takes_long)) results.cases.push_back(c);
  }
  for (int round = 0; round < rounds; ++round) {
    results.spins.push_back(spin());
    for (const Case& c : results.cases) {
      if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\033[Kround {} of {}: {}", round + 1, rounds, c.name);
      measure(program, c, scratch, results.ours[c.name]);
      if (!against.empty()) measure(fs::path(against) / "tokenyard", c, scratch, results.theirs[c.name]);
    }
  }
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\033[K");
  results.print();
  results.write(target);
  fs::remove_all(scratch);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "\n{}\n", error.what());
  return 1;
}
