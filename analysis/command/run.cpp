/// `tokenyard run` and `tokenyard replay`.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>

#include "analysis/command/assertion.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/in_scenario.hpp"
#include "analysis/command/open_scenario.hpp"
#include "analysis/command/option_checks.hpp"
#include "analysis/command/progress.hpp"
#include "analysis/command/terminal_summary.hpp"
#include "analysis/command/trace_options.hpp"
#include "analysis/run/digest.hpp"
#include "analysis/run/recording.hpp"
#include "sim/input/json.hpp"
#include "sim/input/text.hpp"

namespace tokenyard::analysis {
namespace {

struct RunArguments {
  std::string scenario, trace, format;  ///< of `replay`: trace and format
  std::string out, write = "calls,tasks,series,perfetto", network = "simgrid", map;
  std::vector<std::string> assertions, catalogs;
  std::vector<std::string> of_traces;  ///< the options given that say how a trace is played
  ScenarioChanges changes;
  RecordingOptions recorded;
  std::int64_t limit = 0;
  bool stepwise = false, no_report = false, quiet = false, json = false;
};

std::set<std::string> read_write(std::string_view text, sim::Faults& faults) {
  static const std::vector<std::string> kKinds = {"calls", "tasks", "series", "perfetto", "otlp", "record"};
  std::set<std::string> chosen;
  if (text == "none") return chosen;
  for (const std::string_view item : sim::comma_separated(text)) {
    const std::string kind(item);
    if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
      faults.add("", "--write", '"' + kind + '"',
                 fmt::format("none, or some of {}{}", fmt::join(kKinds, ","), sim::did_you_mean(kind, kKinds)));
    }
    chosen.insert(kind);
  }
  return chosen;
}

/// A name as a folder below results/: without what could lead out of it.
std::string folder_name(std::string name) {
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!plain) c = '-';
  }
  return name.empty() || name[0] == '.' ? "run" + name : name;
}

/// What is replayed; nothing where the scenario generates its work.
std::optional<Recording> open_recording(const RunArguments& arguments, const Scenario& scenario, sim::Faults& faults) {
  RecordingOptions options = arguments.recorded;
  options.limit = static_cast<std::uint64_t>(arguments.limit);
  options.columns = traces::parse_column_map(arguments.map, faults);
  faults.throw_if_any();
  if (!arguments.trace.empty()) return Recording(arguments.trace, arguments.format, options, scenario);
  if (!scenario.workload.trace) {
    for (const std::string& option : arguments.of_traces)
      faults.add("", option, "a scenario that generates its work", "a trace: tokenyard replay, or /workload/trace");
    faults.throw_if_any();
    return {};
  }
  const TraceWorkload& trace = *scenario.workload.trace;
  options.speed *= trace.speed;
  return Recording(trace.path, trace.format, options, scenario);
}

/// The files and folders that a run reads, each with its content's name.
std::vector<std::pair<std::string, std::string>> inputs_of(const RunArguments& arguments, const Scenario& scenario) {
  std::vector<std::string> paths = {arguments.scenario};
  if (!arguments.trace.empty()) {
    paths.push_back(arguments.trace);
  } else if (scenario.workload.trace) {
    paths.push_back(scenario.workload.trace->path);
  }
  paths.insert(paths.end(), arguments.catalogs.begin(), arguments.catalogs.end());
  std::vector<std::pair<std::string, std::string>> inputs;
  for (std::string& path : paths) {
    std::string digest = digest_of(path);
    inputs.emplace_back(std::move(path), std::move(digest));
  }
  return inputs;
}

/// The scenario as it runs: with what was set, and with the trace that is replayed as its workload.
sim::Json resolved(const RunArguments& arguments, sim::Json scenario) {
  if (arguments.trace.empty()) return scenario;
  sim::Json trace = {{"path", std::filesystem::absolute(arguments.trace).string()},
                     {"format", arguments.format},
                     {"speed", arguments.recorded.speed}};
  const sim::Json::json_pointer pool("/workload/trace/pool");  // a replay takes it, too
  if (scenario.contains(pool)) trace["pool"] = scenario.at(pool);
  scenario["workload"] = {{"trace", trace}};
  return scenario;
}

/// The names that a summary of the run will have.
Assertion::Names names_in_summary(const Scenario& scenario, const Replay& replay) {
  Assertion::Names names{{"pools", {}}, {"agents", agent_names(scenario, replay)}, {"training", {}}};
  for (const PoolPlan& pool : scenario.pools) names["pools"].push_back(pool.name);
  for (const TrainingPlan& job : scenario.training) names["training"].push_back(job.name);
  return names;
}

/// So many transfers at once explain why it takes so long.
std::string crowd_text(const sim::Network& network) {
  if (network.flows_in_flight() <= network.cheap_flows()) return {};
  return fmt::format(", {} transfers in flight (--network analytic is faster)", network.flows_in_flight());
}

std::string progress_text(sim::Time now, std::optional<sim::Time> end, const sim::Network& network) {
  if (!end) return fmt::format("{:.0f} s simulated{}", now.seconds(), crowd_text(network));
  return fmt::format("{}  {:.0f} s of {:.0f} s simulated{}{}", progress_bar(now.seconds() / end->seconds()),
                     now.seconds(), end->seconds(), now > *end ? ", finishing what was begun" : "",
                     crowd_text(network));
}

int judge(const std::vector<Assertion>& assertions, const sim::Json& summary, std::FILE* err) {
  int code = kDone;
  for (const Assertion& assertion : assertions) {
    const Assertion::Verdict verdict = assertion.judge(summary);
    if (verdict.holds) continue;
    fmt::print(err, "--assert {}\n", verdict.reason);
    code = kInfeasible;
  }
  return code;
}

int run(const RunArguments& arguments, const Surroundings& surroundings) {
  const LoadedCatalogs catalogs = load_catalogs(arguments.catalogs);
  sim::Faults faults;
  std::vector<Assertion> assertions;
  for (const std::string& text : arguments.assertions) assertions.push_back(Assertion::parse(text, faults));
  SimulateOptions options;
  options.write = read_write(arguments.write, faults);
  const OpenedScenario opened =
      open_scenario(arguments.scenario, catalogs.view(), arguments.changes, faults, arguments.trace.empty());
  faults.throw_if_any();
  const Scenario& scenario = opened.scenario;
  const std::optional<Recording> recording = open_recording(arguments, scenario, faults);
  const Replay replay = recording ? recording->replay() : Replay();
  const Assertion::Names names = names_in_summary(scenario, replay);
  for (const Assertion& assertion : assertions) assertion.check_names(names, faults);
  faults.throw_if_any();

  options.out = arguments.out.empty() ? std::filesystem::path("results") / folder_name(scenario.name)
                                      : std::filesystem::path(arguments.out);
  options.stepwise = arguments.stepwise;
  options.report = !arguments.no_report;
  if (arguments.network == "simgrid") options.make_network = surroundings.make_simgrid_network;
  const auto end = replay ? std::nullopt : std::optional(sim::Time::seconds(scenario.run.duration_s));
  ProgressLine progress(surroundings.err, !arguments.quiet);
  options.progress = [&](sim::Time now, const sim::Network& network) {
    progress.show([&] { return progress_text(now, end, network); });
    return !surroundings.interrupted();
  };
  options.version = TOKENYARD_VERSION;
  options.command = surroundings.command_line;
  options.network = arguments.network;
  options.inputs = inputs_of(arguments, scenario);
  options.resolved = sim::to_text(resolved(arguments, opened.file.value()));
  surroundings.catch_interrupts();
  const sim::Json summary = in_scenario(arguments.scenario, [&] { return simulate(scenario, replay, options); });
  progress.wipe();
  if (arguments.json) {
    fmt::print(surroundings.out, "{}\n", sim::to_text(summary, 2));
  } else if (!arguments.quiet) {
    fmt::print(surroundings.out, "{}",
               terminal_summary(summary, opened.file.value(), options.out.string(), wants_colour(surroundings.out)));
  }
  if (summary["status"] == "partial") {
    fmt::print(surroundings.err, "Interrupted after {:.0f} s of simulated time: the results are marked partial.\n",
               summary["simulated_s"].get<double>());
    return kInterrupted;
  }
  return judge(assertions, summary, surroundings.err);
}

constexpr const char* kTraces = "Traces";
constexpr const char* kAgentTraces = "Traces of agents";

std::vector<std::string> trace_options_given(const CLI::App& sub) {
  std::vector<std::string> names;
  for (const CLI::Option* option : sub.get_options()) {
    const std::string& group = option->get_group();
    if (option->count() > 0 && (group == kTraces || group == kAgentTraces)) names.push_back(option->get_name());
  }
  return names;
}

void add_common(CLI::App& sub, RunArguments& a) {
  const char* scenario = "Scenario";
  a.changes.add_to(sub, scenario);
  add_catalog_option(sub, a.catalogs)->group(scenario);
  sub.add_option("--limit", a.limit, "only the first N requests or tasks")
      ->option_text("N")
      ->group(kTraces)
      ->check(whole_number("--limit", 1, kMostWhole));
  sub.add_option("--speed", a.recorded.speed, "plays arrivals X times as fast (default: 1)")
      ->option_text("X")
      ->group(kTraces)
      ->check(number_above_zero("--speed"));
  add_map_option(sub, a.map)->group(kTraces);
  add_skip_bad_rows_option(sub, a.recorded.skip_faulty)->group(kTraces);
  sub.add_option("--pools", a.recorded.pools, "who serves recorded models: gpt-4o-mini=small,claude-*=main,*=none")
      ->option_text("model=pool,…")
      ->group(kAgentTraces);
  sub.add_option("--users", a.recorded.users, "a closed loop: N users play the tasks one after the other")
      ->option_text("N")
      ->group(kAgentTraces);
  sub.add_option("--from", a.recorded.from_s, "only tasks that arrived from this second on")
      ->option_text("S")
      ->group(kAgentTraces);
  sub.add_option("--to", a.recorded.to_s, "only tasks that arrived before this second")
      ->option_text("S")
      ->group(kAgentTraces);
  sub.add_option("--longest-wait", a.recorded.longest_wait_s, "cuts the recorded waits of tools and people")
      ->option_text("S")
      ->group(kAgentTraces);
  add_block_tokens_option(sub, a.recorded.block_tokens)->group(kAgentTraces);
  const char* simulation = "Simulation";
  sub.add_option("--network", a.network,
                 "simgrid (default), or analytic: the same sharing of links, without SimGrid: faster with many "
                 "transfers at once")
      ->option_text("simgrid|analytic")
      ->group(simulation)
      ->check(one_of("--network", {"simgrid", "analytic"}));
  sub.add_flag("--stepwise", a.stepwise, "walks every step instead of leaping: slow, same result")->group(simulation);
  const char* results = "Results";
  sub.add_option("--out", a.out, "the result folder (default: results/NAME)")->option_text("DIR")->group(results);
  sub.add_option("--write", a.write,
                 "none, or some of calls,tasks,series,perfetto,otlp,record (default: the first four)")
      ->option_text("LIST")
      ->group(results);
  sub.add_flag("--no-report", a.no_report, "writes no report.html")->group(results);
  sub.add_option("--assert", a.assertions, "demands something of the summary; exit 3 if it is false (repeatable)")
      ->option_text("'p95 ttft_s < 2'")
      ->group(results)
      ->expected(1)
      ->take_all();
  sub.add_flag("--json", a.json, "prints the summary alone, as JSON")->group(results);
  sub.add_flag("--quiet", a.quiet, "prints nothing")->group(results);
}

}  // namespace

void add_run(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("run", "simulates a scenario");
  const auto a = std::make_shared<RunArguments>();
  sub->add_option("SCENARIO", a->scenario, "the scenario, a JSON file")->required();
  add_common(*sub, *a);
  sub->footer(
      "  tokenyard run scenario.json\n"
      "  tokenyard run scenario.json --seed 2 --set /pools/0/replicas=8 --out results/eight\n"
      "  tokenyard run scenario.json --quiet --assert 'p95 ttft_s < 2' --assert 'slo.attainment >= 0.95'");
  sub->callback([a, sub, &chosen] {
    a->of_traces = trace_options_given(*sub);
    chosen = [a](const Surroundings& s) { return run(*a, s); };
  });
}

void add_replay(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand("replay", "plays a recorded trace on a scenario's cluster");
  const auto a = std::make_shared<RunArguments>();
  sub->add_option("TRACE", a->trace, "the trace, packed (gzip, xz, bzip2, zstd) or not")->required();
  add_format_option(*sub, a->format)->required();
  sub->add_option("--on", a->scenario, "the scenario whose cluster and pools take it")
      ->option_text("SCENARIO")
      ->required();
  add_common(*sub, *a);
  sub->footer(
      "  tokenyard replay AzureLLMInferenceTrace_conv.csv --format azure --on scenario.json\n"
      "  tokenyard replay log.csv --format requests --map arrival_s=ts,prompt_tokens=in,output_tokens=out --on "
      "scenario.json\n"
      "  tokenyard replay trace.jsonl --format mooncake --on scenario.json --speed 2 --limit 10000\n"
      "  tokenyard replay sessions.jsonl --format weka --on scenario.json --users 16 --pools 'claude-*=main'");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return run(*a, s); }; });
}

}  // namespace tokenyard::analysis
