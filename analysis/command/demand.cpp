/// `tokenyard demand`: the fewest chips of each kind that meet the service level, and what they draw and cost.

#include "analysis/demand/demand.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "analysis/command/answer_folder.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/demand_text.hpp"
#include "analysis/command/in_scenario.hpp"
#include "analysis/command/open_scenario.hpp"
#include "analysis/command/option_checks.hpp"
#include "analysis/command/progress.hpp"
#include "analysis/demand/page.hpp"
#include "analysis/demand/sized_scenario.hpp"
#include "analysis/demand/wording.hpp"
#include "analysis/result/value_at.hpp"
#include "analysis/run/digest.hpp"
#include "analysis/scenario/override.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Chip;
using sim::Json;

struct DemandArguments {
  std::string scenario, out, cache;
  std::vector<std::string> chips, prices, watts, designs, catalogs;
  std::optional<double> tasks_per_s, tokens_per_month, growth, pue, speed;
  ScenarioChanges changes;
  std::int64_t months = 12;
  int repetitions = 3;
  bool whole_nodes = false, own = false, no_cache = false, json = false, quiet = false;
};

/// The options that assume something of a chip, with the key of theirs under /demand/assume/CHIP.
struct AssumingOption {
  const char *flag, *key;
  std::vector<std::string> DemandArguments::*values;
};
constexpr AssumingOption kAssumingOptions[] = {{"--price", "usd_per_chip_hour", &DemandArguments::prices},
                                               {"--watts", "watts_per_chip", &DemandArguments::watts},
                                               {"--design", "design_usd", &DemandArguments::designs}};

/// "tpu-v7=3.5" puts 3.5 under /demand/assume/tpu-v7/KEY.
void assume(Json& document, const std::vector<std::string>& assignments, const char* flag, const char* key,
            sim::Faults& faults) {
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    char* end = nullptr;
    const double value = equals == std::string::npos ? 0 : std::strtod(assignment.c_str() + equals + 1, &end);
    if (equals == std::string::npos || equals == 0 || end == assignment.c_str() + equals + 1 || *end != '\0') {
      faults.add("", flag, '"' + assignment + '"', "CHIP=NUMBER, as in tpu-v7=3.5");
      continue;
    }
    document["demand"]["assume"][assignment.substr(0, equals)][key] = value;
  }
}

/// What the flags say, as the scenario would have said it.
void apply_flags(const DemandArguments& a, Json& document, sim::Faults& faults) {
  if (!document.is_object()) return;
  a.changes.apply(document, faults);
  if (a.speed && !document.contains(Json::json_pointer("/workload/trace"))) {
    faults.add("", "--speed", "a scenario that generates its work", "a trace: /workload/trace");
  } else if (a.speed) {
    apply_override(document, fmt::format("/workload/trace/speed={}", *a.speed), "--speed", faults);
  }
  const bool wants_demand = !a.chips.empty() || a.tasks_per_s || a.tokens_per_month || a.growth || !a.prices.empty() ||
                            !a.watts.empty() || !a.designs.empty() || a.own || a.whole_nodes;
  if (document.contains("demand") ? !document["demand"].is_object() : !wants_demand) return;
  Json& demand = document["demand"];
  if (demand.is_null()) demand = Json::object();
  if (!a.chips.empty()) demand["chips"] = a.chips;
  if (a.tasks_per_s || a.tokens_per_month) {
    demand.erase("tasks_per_s");
    demand.erase("tokens_per_month");
  }
  if (a.tasks_per_s) demand["tasks_per_s"] = *a.tasks_per_s;
  if (a.tokens_per_month) demand["tokens_per_month"] = *a.tokens_per_month;
  if (a.growth) demand["growth"] = {{"factor_per_year", *a.growth}, {"months", a.months}};
  if (a.whole_nodes) demand["whole_nodes"] = true;
  if ((a.own || !a.designs.empty()) && !demand.contains("own")) demand["own"] = Json::object();
  if (demand.contains("assume") && !demand["assume"].is_object()) return;
  for (const AssumingOption& option : kAssumingOptions)
    assume(document, a.*option.values, option.flag, option.key, faults);
}

/// The scenario as far as a sizing follows from it: without names, prices, the PUE and how much is asked for.
Json sizing_key(Json document, const std::vector<std::string>& catalogs, const Scenario& scenario) {
  for (const char* key : {"schema", "description", "name"}) document.erase(key);
  if (document["cluster"].is_object()) {
    for (const char* key : {"name", "title", "pue", "power_usd_per_kwh"}) document["cluster"].erase(key);
  }
  for (Json& pool : document["pools"]) pool.erase("usd_per_chip_hour");
  if (document.contains("demand")) {
    Json kept = Json::object();
    for (const char* key : {"tp", "pp", "ep", "max_num_seqs", "duration_s", "warmup_s"}) {
      if (document["demand"].contains(key)) kept[key] = document["demand"][key];
    }
    const Json assumed = document["demand"].value("assume", Json::object());
    for (const auto& [chip, assumption] : assumed.items()) {
      if (assumption.contains("chips_per_node")) kept["chips_per_node"][chip] = assumption["chips_per_node"];
    }
    document.erase("demand");
    if (!kept.empty()) document["demand"] = kept;
  }
  Json digests = Json::array();
  for (const std::string& catalog : catalogs) digests.push_back(digest_of(catalog));
  return {{"version", TOKENYARD_VERSION},
          {"program", digest_of("/proc/self/exe")},
          {"catalogs", digests},
          {"trace", scenario.workload.trace ? Json(digest_of(scenario.workload.trace->path)) : Json(nullptr)},
          {"scenario", document}};
}

/// An option that assumes something of a chip which is not among those compared would change nothing. What the
/// scenario assumes may be of chips that another question asks for.
std::vector<std::string> check_assuming_options(const DemandArguments& a, const Scenario& scenario,
                                                sim::Faults& faults) {
  std::vector<std::string> compared = scenario.demand.chips, assumed;
  if (compared.empty()) {
    for (const PoolPlan& pool : scenario.pools) {
      if (pool.chip != nullptr && std::find(compared.begin(), compared.end(), pool.chip->name) == compared.end())
        compared.push_back(pool.chip->name);
    }
  }
  for (const AssumingOption& option : kAssumingOptions) {
    for (const std::string& assignment : a.*option.values) {
      const std::string chip = assignment.substr(0, assignment.find('='));
      assumed.push_back(chip);
      if (chip.size() == assignment.size() || compared.empty() ||
          std::find(compared.begin(), compared.end(), chip) != compared.end())
        continue;
      faults.add("", option.flag, '"' + chip + '"',
                 fmt::format("one of the chips compared: {}{}; --chips names more", fmt::join(compared, ", "),
                             sim::did_you_mean(chip, compared)));
    }
  }
  return assumed;
}

/// The chips asked for, else those of the pools. `judged`: chips of whose assumptions something was said already.
std::vector<const Chip*> chips_of(const Scenario& scenario, const std::string& file, bool by_flag,
                                  const std::vector<std::string>& judged, const platforms::Catalog& catalog,
                                  sim::Faults& faults) {
  std::vector<const Chip*> chips;
  const auto add = [&](const Chip* chip) {
    if (std::find(chips.begin(), chips.end(), chip) == chips.end()) chips.push_back(chip);
  };
  const auto unknown = [&](const std::string& place, const std::string& name) {
    faults.add(by_flag ? "" : file, place, '"' + name + '"', catalog.allowed(platforms::CatalogKind::kChip, name));
  };
  for (const std::string& name : scenario.demand.chips) {
    const Chip* chip = catalog.find_chip(name);
    chip != nullptr ? add(chip) : unknown(by_flag ? "--chips" : "/demand/chips", name);
  }
  for (const auto& [name, assumption] : scenario.demand.assume) {
    if (catalog.find_chip(name) == nullptr && std::find(judged.begin(), judged.end(), name) == judged.end())
      faults.add(file, "/demand/assume", '"' + name + '"', catalog.allowed(platforms::CatalogKind::kChip, name));
  }
  if (scenario.demand.chips.empty()) {
    for (const PoolPlan& pool : scenario.pools) {
      if (pool.chip != nullptr) add(pool.chip);
    }
  }
  return chips;
}

/// Where the scenario says how many users its first closed loop has; empty if it has none.
std::string users_of(const Json& document) {
  const Json& workload = value_at(document, {"workload"});
  if (value_at(workload, {"requests", "closed_loop"}).is_object()) return "/workload/requests/closed_loop/users";
  const Json& agents = value_at(workload, {"agents"});
  for (std::size_t i = 0; agents.is_array() && i < agents.size(); ++i) {
    if (value_at(agents[i], {"closed_loop"}).is_object())
      return fmt::format("/workload/agents/{}/closed_loop/users", i);
  }
  return {};
}

/// The options that ask for a rate, else where the scenario asks for one; nothing where neither does.
std::vector<std::string> asking_for_a_rate(const DemandArguments& a, const DemandPlan& demand) {
  std::vector<std::string> places;
  if (a.tasks_per_s) places.emplace_back("--tasks-per-s");
  if (a.tokens_per_month) places.emplace_back("--tokens-per-month");
  if (a.growth) places.emplace_back("--growth");
  if (!places.empty()) return places;
  if (demand.tasks_per_s) places.emplace_back("/demand/tasks_per_s");
  if (demand.tokens_per_month) places.emplace_back("/demand/tokens_per_month");
  if (demand.growth) places.emplace_back("/demand/growth");
  return places;
}

/// What a run may leave open, but the search needs.
void check(const DemandArguments& a, const Json& document, const Scenario& scenario, sim::Faults& faults) {
  if (!scenario.slo.has_limits())
    faults.add(a.scenario, "/slo", "no limit",
               "at least one of ttft_s, tpot_s, e2e_s and task_s: without one, any chip will do");
  const std::string users = users_of(document);
  for (const std::string& place : asking_for_a_rate(a, scenario.demand)) {
    const std::string file = place.starts_with("--") ? "" : a.scenario;
    if (!users.empty())
      faults.add(file, place, "a rate for a closed loop",
                 fmt::format("entries with rate_per_s: a closed loop's users set its rate; --set {}=N asks for more of "
                             "them",
                             users));
    if (scenario.workload.trace)
      faults.add(file, place, "a rate for a trace", "--speed (/workload/trace/speed): a trace has a rate of its own");
  }
}

int find(const DemandArguments& a, const Surroundings& surroundings) {
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  sim::Faults faults;
  OpenedScenario opened = open_scenario(
      a.scenario, catalogs.view(), [&](Json& document, sim::Faults& of_flags) { apply_flags(a, document, of_flags); },
      faults);
  Scenario& scenario = opened.scenario;
  const std::vector<std::string> assumed = check_assuming_options(a, scenario, faults);
  const std::vector<const Chip*> chips =
      chips_of(scenario, a.scenario, !a.chips.empty(), assumed, catalogs.platforms, faults);
  check(a, opened.file.value(), scenario, faults);
  faults.throw_if_any();
  const AnswerFolder folder(a.out);
  if (a.pue) scenario.cluster.pue = *a.pue;

  ProgressLine progress(surroundings.err, !a.quiet);
  DemandOptions options;
  options.sizing.repetitions = scenario.workload.trace ? 1 : a.repetitions;  // a trace is the same with every seed
  if (a.no_cache) {
    surroundings.end_on_interrupt("Interrupted: nothing was kept.");
  } else {
    const std::filesystem::path cache = a.cache.empty() ? Cache::default_folder() : std::filesystem::path(a.cache);
    options.cache = Cache(cache);
    options.key = sizing_key(opened.file.value(), a.catalogs, scenario);
    surroundings.end_on_interrupt(fmt::format(
        "Interrupted: the sizings that were finished are kept in {}, and the same command goes on from there.",
        cache.string()));
  }
  const auto begin = std::chrono::steady_clock::now();
  options.progress = [&](const DemandProgress& p) {
    const auto so_far = [&] {
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
      return fmt::format("{} of {} kinds of chips, {} simulations, {:.0f} s", p.chips_done, p.chips, p.simulations,
                         elapsed.count());
    };
    progress.show([&] { return fmt::format("{}  {}", so_far(), p.working_on.substr(0, 30)); });
    if (p.finished == nullptr || progress.draws() || a.quiet) return;
    // In a log, a line for each kind: a search may take many minutes.
    const Deployment& found = p.finished->deployment;
    const std::string line = fmt::format(
        "{}: {} ({})\n", p.finished->chip->name,
        found.cell.met ? chips_text(*p.finished) + (found.chips() == 1 ? " chip" : " chips") : "no number will do",
        so_far());
    std::fputs(line.c_str(), surroundings.err);
    std::fflush(surroundings.err);
  };
  const Demand demand =
      in_scenario(a.scenario, [&] { return find_demand(scenario, catalogs.platforms, chips, options); });
  progress.wipe();
  const Json json = to_json(demand, scenario);
  folder.write("demand.json", sim::to_text(json, 2) + '\n');
  folder.write("demand.csv", to_csv(demand));
  folder.write("demand.html", demand_page(demand, scenario, surroundings.command_line));
  for (const DemandEntry& entry : demand.entries) {
    if (const auto sized = sized_scenario(opened.file.value(), scenario, entry))
      folder.write(entry.chip->name + ".json", sized->dump(2) + '\n');
  }
  if (a.json) {
    fmt::print(surroundings.out, "{}\n", sim::to_text(json, 2));
  } else if (!a.quiet) {
    fmt::print(surroundings.out, "{}", demand_text(demand, scenario));
  }
  if (demand.met()) return kDone;
  if (a.json || a.quiet) fmt::print(surroundings.err, "{}\n", demand.answer);
  return kInfeasible;
}

void add_question_options(CLI::App& sub, DemandArguments& a) {
  const char* group = "Question";
  sub.add_option("--chips", a.chips, "kinds of chips to compare (default: the scenario's)")
      ->option_text("a,b,c")
      ->delimiter(',')
      ->group(group);
  auto* tasks =
      sub.add_option("--tasks-per-s", a.tasks_per_s, "how much work, its mix unchanged (default: the workload's rates)")
          ->option_text("N")
          ->check(number_above_zero("--tasks-per-s"))
          ->group(group);
  sub.add_option("--tokens-per-month", a.tokens_per_month, "the same, as prompt and output tokens")
      ->option_text("N")
      ->check(number_above_zero("--tokens-per-month"))
      ->excludes(tasks)
      ->group(group);
  auto* growth = sub.add_option("--growth", a.growth, "also quarter by quarter, growing by this factor a year")
                     ->option_text("X")
                     ->check(number_between("--growth", 1e-3, 1e4))
                     ->group(group);
  sub.add_option("--speed", a.speed, "plays the arrivals of a trace X times as fast")
      ->option_text("X")
      ->check(number_above_zero("--speed"))
      ->group(group);
  sub.add_flag("--whole-nodes", a.whole_nodes, "chips are rented and bought by the node")->group(group);
  sub.add_option("--months", a.months, "for how long (default: 12)")
      ->option_text("N")
      ->check(whole_number("--months", 1, 120))
      ->needs(growth)
      ->group(group);
}

void add_assumption_options(CLI::App& sub, DemandArguments& a) {
  const char* group = "Assumptions";
  sub.add_option("--price", a.prices, "USD per chip and hour of one that is compared, instead of the catalogue's")
      ->option_text("CHIP=USD,…")
      ->delimiter(',')
      ->group(group);
  sub.add_option("--watts", a.watts, "mean watts of a chip, instead of the simulated")
      ->option_text("CHIP=W,…")
      ->delimiter(',')
      ->group(group);
  sub.add_option("--pue", a.pue, "power of the site over that of its chips (default: the cluster's)")
      ->option_text("X")
      ->check(number_between("--pue", 1.0, 10.0))
      ->group(group);
  sub.add_flag("--own", a.own, "also what the chips cost if they are bought; /demand/own has years, interest, servers")
      ->group(group);
  sub.add_option("--design", a.designs, "USD up front for a chip of one's own: from how many chips it pays")
      ->option_text("CHIP=USD,…")
      ->delimiter(',')
      ->group(group);
}

void add_scenario_options(CLI::App& sub, DemandArguments& a) {
  const char* group = "Scenario";
  sub.add_option("--repetitions", a.repetitions,
                 "seeds that must all meet the level (default: 3); more are added until the 95 % interval is clear")
      ->option_text("N")
      ->check(whole_number("--repetitions", 1, 1000))
      ->group(group);
  a.changes.add_to(sub, group);
  add_catalog_option(sub, a.catalogs)->group(group);
}

void add_result_options(CLI::App& sub, DemandArguments& a) {
  const char* group = "Results";
  sub.add_option("--out", a.out,
                 "also writes DIR/demand.html, .json, .csv and, ready to run, the scenario at the size of each chip")
      ->option_text("DIR")
      ->group(group);
  auto* cache = sub.add_option("--cache", a.cache, "where sizings are kept (default: ~/.cache/tokenyard)")
                    ->option_text("DIR")
                    ->group(group);
  sub.add_flag("--no-cache", a.no_cache, "simulates everything again")->excludes(cache)->group(group);
  sub.add_flag("--json", a.json, "prints the result as JSON")->group(group);
  sub.add_flag("--quiet", a.quiet, "prints nothing")->group(group);
}

}  // namespace

void add_demand(CLI::App& app, Action& chosen) {
  CLI::App* sub = app.add_subcommand(
      "demand", "finds the fewest chips of each kind that meet the service level, with power and cost");
  const auto a = std::make_shared<DemandArguments>();
  sub->add_option("SCENARIO", a->scenario, "the scenario, a JSON file with an slo")->required();
  add_question_options(*sub, *a);
  add_assumption_options(*sub, *a);
  add_scenario_options(*sub, *a);
  add_result_options(*sub, *a);
  sub->footer(
      "  tokenyard demand analysis/scenarios/demo.json --chips h100-sxm,b200-sxm,tpu-v7 --price tpu-v7=3.5\n"
      "  tokenyard demand scenario.json --tokens-per-month 480e12 --out results/how-many\n"
      "  tokenyard demand scenario.json --tasks-per-s 20 --growth 3 --months 24\n"
      "  tokenyard demand scenario.json --chips b200-sxm,tpu-v7 --own --design tpu-v7=7e8");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return find(*a, s); }; });
}

}  // namespace tokenyard::analysis
