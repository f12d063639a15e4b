/// The command `tokenyard`: reads the command line, runs, and turns every outcome into a message and an exit code.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "analysis/report/report.hpp"
#include "analysis/run/simulate.hpp"
#include "sim/core/error.hpp"
#include "sim/network/simgrid/simgrid_network.hpp"
#include "traces/readers/trace_reader.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

enum Exit { kDone = 0, kOurBug = 1, kWrongInput = 2, kInfeasible = 3, kInterrupted = 130 };

std::atomic<bool> interrupted{false};

struct Arguments {
  std::string scenario, trace, format, out, write = "calls,tasks,series,perfetto", name;
  std::vector<std::string> set, catalogs, files;
  std::optional<std::uint64_t> seed;
  double speed = 1;
  std::uint64_t limit = 0;
  bool stepwise = false, quiet = false, json = false;
};

platforms::Catalog load_catalog(const Arguments& arguments) {
  sim::Faults faults;
  platforms::Catalog catalog = platforms::Catalog::load(faults, {arguments.catalogs.begin(), arguments.catalogs.end()});
  faults.throw_if_any();
  return catalog;
}

/// Applies --seed and --set to the document.
void apply_overrides(sim::JsonFile& file, const Arguments& arguments, sim::Faults& faults) {
  if (!file.value().is_object()) return;
  if (arguments.seed) file.value()["seed"] = *arguments.seed;
  for (const std::string& assignment : arguments.set) {
    const std::size_t equals = assignment.find('=');
    const std::string pointer = assignment.substr(0, equals);
    if (equals == std::string::npos || pointer.empty() || pointer[0] != '/') {
      faults.add("", "--set", '"' + assignment + '"', "/json/pointer=value, as in /pools/0/replicas=4");
      continue;
    }
    const std::string text = assignment.substr(equals + 1);
    sim::Json value = sim::Json::parse(text, nullptr, false);
    if (value.is_discarded()) value = text;  // a bare word is a string
    try {
      file.value()[sim::Json::json_pointer(pointer)] = value;
    } catch (const sim::Json::exception&) {
      faults.add("", "--set", '"' + pointer + '"', "a JSON pointer into the scenario, as in /pools/0/replicas");
    }
  }
}

std::string seconds_text(const sim::Json& value) {
  if (value.is_null()) return "–";
  const double s = value.get<double>();
  if (s < 1) return fmt::format("{:.1f} ms", s * 1000);
  if (s < 120) return fmt::format("{:.2f} s", s);
  return fmt::format("{:.1f} min", s / 60);
}

std::string number_text(const sim::Json& value, const char* format) {
  return value.is_null() ? "–" : fmt::format(fmt::runtime(format), value.get<double>());
}

void print_summary(const sim::Json& s, const std::string& out) {
  fmt::print("\n{}: {} calls, {} completed, {} rejected, {} unfinished; {} simulated in {}\n\n", s["name"].get<std::string>(),
             s["counts"]["calls"].get<std::int64_t>(), s["counts"]["calls_completed"].get<std::int64_t>(), s["counts"]["calls_rejected"].get<std::int64_t>(),
             s["counts"]["calls_unfinished"].get<std::int64_t>(), seconds_text(s["simulated_s"]), seconds_text(s["wall_s"]));
  fmt::print("  {:<22}{:>12}{:>12}{:>12}{:>12}\n", "", "mean", "p50", "p95", "p99");
  for (const auto& [key, title] : {std::pair{"ttft_s", "time to first token"}, {"tpot_s", "time per token"}, {"e2e_s", "whole call"}, {"queue_s", "waiting"}}) {
    const sim::Json& l = s["latency"][key];
    fmt::print("  {:<22}{:>12}{:>12}{:>12}{:>12}\n", title, seconds_text(l["mean"]), seconds_text(l["p50"]), seconds_text(l["p95"]), seconds_text(l["p99"]));
  }
  for (const auto& [name, pool] : s["pools"].items()) {
    const sim::Json& bound = pool["bound"];
    std::string held;
    double most = -1;
    for (const auto& [cause, share] : bound.items()) {
      if (!share.is_null() && share.get<double>() > most) most = share.get<double>(), held = cause;
    }
    const std::string verdict = held.empty() ? "it did nothing" : held == "idle" ? "it is idle most of the time" : fmt::format("it is held back by {}", held);
    fmt::print("\n  pool {}: {} on {} chips {}; {} ({:.0f} % of its time)\n", name, pool["model"].get<std::string>(), pool["chips"].get<std::int64_t>(),
               pool["chip"].get<std::string>(), verdict, std::max(0.0, most) * 100);
    fmt::print("    busy {}, MFU {}, MBU {}, KV in use {}, prefix hits {}\n", number_text(pool["busy"], "{:.2f}"), number_text(pool["mfu"], "{:.2f}"),
               number_text(pool["mbu"], "{:.2f}"), number_text(pool["kv_utilization"], "{:.2f}"), number_text(pool["prefix_hit_rate"], "{:.3f}"));
  }
  fmt::print("\n  {} output tokens/s; energy {} J per output token; cost ${} per million output tokens\n", number_text(s["throughput"]["output_tokens_per_s"], "{:.0f}"),
             number_text(s["energy"]["joules_per_output_token"], "{:.3g}"), number_text(s["cost"]["usd_per_million_output_tokens"], "{:.3g}"));
  for (const sim::Json& note : s["notes"]) fmt::print("  note: {}\n", note.get<std::string>());
  fmt::print("  results in {}\n", out);
}

int run(const Arguments& arguments, const std::string& command_line) {
  const platforms::Catalog catalog = load_catalog(arguments);
  sim::Faults faults;
  sim::JsonFile file = sim::JsonFile::load(arguments.scenario, faults);
  faults.throw_if_any();
  apply_overrides(file, arguments, faults);
  const bool replay = !arguments.trace.empty();
  const agents::AgentCatalog agent_catalog = agents::AgentCatalog::built_in(faults, {arguments.catalogs.begin(), arguments.catalogs.end()});
  faults.throw_if_any();
  const Scenario scenario = Scenario::read(file, {catalog, agent_catalog}, !replay, faults);
  faults.throw_if_any();

  std::unique_ptr<agents::RequestSource> source;
  if (replay) {
    source = traces::open_trace(arguments.trace, arguments.format, {arguments.speed, arguments.limit});
  } else if (scenario.workload.trace) {
    std::filesystem::path path = scenario.workload.trace->path;
    if (path.is_relative()) path = std::filesystem::path(arguments.scenario).parent_path() / path;
    source = traces::open_trace(path.string(), scenario.workload.trace->format, {arguments.speed, arguments.limit});
  }
  SimulateOptions options;
  options.out = arguments.out.empty() ? std::filesystem::path("results") / scenario.name : std::filesystem::path(arguments.out);
  if (arguments.write != "none") {
    std::string_view rest = arguments.write;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string table(rest.substr(0, comma));
      if (table != "calls" && table != "tasks" && table != "series" && table != "perfetto") faults.add("", "--write", '"' + table + '"', "none, or some of calls,tasks,series,perfetto");
      options.write.insert(table);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  faults.throw_if_any();
  options.stepwise = arguments.stepwise;
  options.make_network = [](const sim::Topology& topology, sim::Simulation& simulation) -> std::unique_ptr<sim::Network> {
    return std::make_unique<sim::SimgridNetwork>(topology, simulation);
  };
  const bool show = !arguments.quiet && ::isatty(2) != 0;
  options.progress = [show](sim::Time now) {
    if (show) fmt::print(stderr, "\r  simulated {:.0f} s ", now.seconds());
    return !interrupted.load();
  };
  options.version = TOKENYARD_VERSION;
  options.command = command_line;
  options.resolved = file.value().dump();
  const sim::Json summary = simulate(scenario, source.get(), options);
  if (show) fmt::print(stderr, "\r{:40}\r", "");
  if (arguments.json) {
    fmt::print("{}\n", summary.dump(2));
  } else if (!arguments.quiet) {
    print_summary(summary, options.out.string());
  }
  return summary["status"] == "partial" ? kInterrupted : kDone;
}

int check(const Arguments& arguments) {
  const platforms::Catalog catalog = load_catalog(arguments);
  sim::Faults faults;
  const agents::AgentCatalog agent_catalog = agents::AgentCatalog::built_in(faults, {arguments.catalogs.begin(), arguments.catalogs.end()});
  for (const std::string& path : arguments.files) {
    const std::size_t before = faults.size();
    const sim::JsonFile file = sim::JsonFile::load(path, faults);
    if (faults.size() == before) Scenario::read(file, {catalog, agent_catalog}, true, faults);
    if (faults.size() == before) fmt::print("{}: fine\n", path);
  }
  faults.throw_if_any();
  return kDone;
}

int show_catalog(const Arguments& arguments) {
  using platforms::CatalogKind;
  const std::vector<std::string> kinds = {"chips", "models", "engines", "clusters", "formats"};
  if (arguments.format == "formats") {
    for (const traces::TraceFormat& format : traces::trace_formats()) fmt::print("{:<12} {}\n", format.name, format.description);
    return kDone;
  }
  const auto it = std::find(kinds.begin(), kinds.end(), arguments.format);
  if (it == kinds.end()) {
    throw sim::InputError({"", "catalog", '"' + arguments.format + '"', fmt::format("one of {}{}", fmt::join(kinds, ", "), sim::did_you_mean(arguments.format, kinds))});
  }
  const platforms::Catalog catalog = load_catalog(arguments);
  const auto kind = std::array{CatalogKind::kChip, CatalogKind::kModel, CatalogKind::kEngine, CatalogKind::kCluster}[static_cast<std::size_t>(it - kinds.begin())];
  const std::vector<std::string> names = catalog.names(kind);
  if (arguments.name.empty()) {
    if (arguments.json) {
      fmt::print("{}\n", sim::Json(names).dump(2));
    } else {
      for (const std::string& name : names) fmt::print("{}\n", name);
    }
    return kDone;
  }
  const sim::Json* raw = catalog.raw(kind, arguments.name);
  if (raw == nullptr) {
    throw sim::InputError({"", "catalog " + arguments.format, '"' + arguments.name + '"', fmt::format("a name of the list{}", sim::did_you_mean(arguments.name, names))});
  }
  if (arguments.json) {
    fmt::print("{}\n", raw->dump(2));
    return kDone;
  }
  for (const platforms::Fact& fact : catalog.facts(kind, arguments.name)) {
    fmt::print("{:<42}{:>16}  {}{} ({})\n", fact.key, fact.value, fact.assumed ? "assumed: " : "", fact.source, fact.date);
  }
  return kDone;
}

int main_checked(int argc, char** argv) {
  CLI::App app{"Tokenyard: AI agents on accelerator clusters, simulated.\n"
               "  tokenyard replay trace.csv --format azure --on scenario.json\n"
               "  tokenyard run scenario.json --set /pools/0/replicas=8"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "tokenyard " TOKENYARD_VERSION);
  Arguments a;
  const auto common = [&](CLI::App* sub) {
    sub->add_option("--out", a.out, "the result folder (default: results/NAME)");
    sub->add_option("--seed", a.seed, "replaces the scenario's seed");
    sub->add_option("--set", a.set, "replaces one value: /json/pointer=value (repeatable)");
    sub->add_option("--write", a.write, "tables to write: none, or some of calls,tasks,series,perfetto")->capture_default_str();
    sub->add_option("--catalog", a.catalogs, "a folder with chips, models, … of your own (repeatable)");
    sub->add_option("--limit", a.limit, "only the first N requests of a trace");
    sub->add_option("--speed", a.speed, "plays a trace X times as fast")->check(CLI::PositiveNumber);
    sub->add_flag("--stepwise", a.stepwise, "walks every step instead of leaping: slow, same result");
    sub->add_flag("--quiet", a.quiet, "prints nothing");
    sub->add_flag("--json", a.json, "prints the summary alone, as JSON");
  };
  CLI::App* run_command = app.add_subcommand("run", "simulates a scenario");
  run_command->add_option("SCENARIO", a.scenario, "the scenario, JSON")->required();
  common(run_command);
  CLI::App* replay_command = app.add_subcommand("replay", "plays a trace on a scenario's cluster");
  replay_command->add_option("TRACE", a.trace, "the trace")->required();
  replay_command->add_option("--format", a.format, "azure, mooncake or requests")->required();
  replay_command->add_option("--on", a.scenario, "the scenario, JSON")->required();
  common(replay_command);
  CLI::App* catalog_command = app.add_subcommand("catalog", "lists what is known: chips, models, engines, clusters, formats");
  catalog_command->add_option("KIND", a.format, "chips, models, engines, clusters or formats")->required();
  catalog_command->add_option("NAME", a.name, "one entry, with the source of each number");
  catalog_command->add_flag("--json", a.json, "as JSON");
  catalog_command->add_option("--catalog", a.catalogs, "a folder of your own (repeatable)");
  CLI::App* check_command = app.add_subcommand("check", "validates scenarios");
  check_command->add_option("FILE", a.files, "scenario files")->required();
  check_command->add_option("--catalog", a.catalogs, "a folder of your own (repeatable)");
  CLI::App* report_command = app.add_subcommand("report", "(re)builds report.html of a result folder");
  report_command->add_option("DIR", a.out, "the result folder")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongInput;
  }
  std::string command_line;
  for (int i = 0; i < argc; ++i) command_line += (i == 0 ? "" : " ") + std::string(argv[i]);
  if (*run_command || *replay_command) return run(a, command_line);
  if (*report_command) {
    write_report(a.out);
    return kDone;
  }
  return *catalog_command ? show_catalog(a) : check(a);
}

}  // namespace
}  // namespace tokenyard::analysis

int main(int argc, char** argv) {
  using namespace tokenyard;
  std::signal(SIGINT, [](int) { analysis::interrupted = true; });
  std::signal(SIGTERM, [](int) { analysis::interrupted = true; });
  try {
    return analysis::main_checked(argc, argv);
  } catch (const sim::InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return analysis::kWrongInput;
  } catch (const sim::Infeasible& error) {
    fmt::print(stderr, "{}\n", error.what());
    return analysis::kInfeasible;
  } catch (const traces::OutputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return analysis::kWrongInput;
  } catch (const std::exception& error) {
    fmt::print(stderr, "This is a fault of Tokenyard, not yours: {}\n", error.what());
    return analysis::kOurBug;
  }
}
