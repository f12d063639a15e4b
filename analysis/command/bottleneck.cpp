/// `tokenyard bottleneck`: what fixing each resource would buy, ranked.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/bottleneck/what_if.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/option_checks.hpp"
#include "analysis/command/terminal_summary.hpp"
#include "analysis/command/text_table.hpp"
#include "analysis/scenario/override.hpp"
#include "traces/writers/output_file.hpp"

namespace tokenyard::analysis {
namespace {

struct BottleneckArguments {
  std::string scenario, by = "10%", out;
  std::vector<std::string> set, catalogs;
  std::optional<std::uint64_t> seed;
  int repetitions = 3;
  bool json = false, quiet = false;
};

/// "10%" or "0.1" as the factor 1.1.
double factor_of(const std::string& by) {
  char* end = nullptr;
  double more = std::strtod(by.c_str(), &end);
  const std::string_view rest(end);
  if (rest == "%") more /= 100;
  if (end == by.c_str() || (!rest.empty() && rest != "%") || !(more > 0.001 && more <= 10)) {
    throw sim::InputError({"", "--by", '"' + by + '"', "a share above 0.1 % and up to 1000 %, as in 10% or 0.1"});
  }
  return 1 + more;
}

std::string elasticity_text(const Elasticity& e) {
  if (!e.mean) return "–";
  return fmt::format("{:+.2f} ±{:.2f}", *e.mean, e.half_width);
}

std::string table_of(const WhatIf& study) {
  constexpr std::size_t kShown = 12;
  constexpr auto kLeft = TextTable::kLeft;
  constexpr auto kRight = TextTable::kRight;
  TextTable table({kLeft, kRight, kRight, kRight, kRight, kRight, kRight});
  table.row({"more of the", "by", "task p50", "task p95", "goodput", "energy/task", "cost/task"});
  for (std::size_t i = 0; i < std::min(kShown, study.effects.size()); ++i) {
    const Effect& effect = study.effects[i];
    std::vector<std::string> row = {effect.improvement.title, fmt::format("{:.0f} %", (effect.factor - 1) * 100)};
    for (const Elasticity& e : effect.elasticity) row.push_back(elasticity_text(e));
    table.row(std::move(row));
  }
  std::string text = table.text("  ");
  if (study.effects.size() > kShown)
    text += fmt::format("  and {} more with less effect\n", study.effects.size() - kShown);
  return text +
         "\n  Elasticities: +0.50 means that 10 % more of it makes the figure about 5 % better; intervals are at 95 "
         "%.\n";
}

int find_bottleneck(const BottleneckArguments& a, const Surroundings& surroundings) {
  const double factor = factor_of(a.by);
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  sim::Faults faults;
  sim::JsonFile file = sim::JsonFile::load(a.scenario, faults);
  faults.throw_if_any();
  if (a.seed && file.value().is_object()) file.value()["seed"] = *a.seed;
  for (const std::string& assignment : a.set) apply_override(file.value(), assignment, "--set", faults);
  Scenario scenario = Scenario::read(file, catalogs.view(), true, faults);
  faults.throw_if_any();
  if (auto& trace = scenario.workload.trace) trace->path = trace->path_beside(a.scenario).string();

  const bool show = !a.quiet && wants_colour(surroundings.err);
  WhatIfOptions options{factor, a.repetitions, [&](std::size_t done, std::size_t all) {
                          if (show) fmt::print(surroundings.err, "\r  {} of {} simulations", done, all);
                        }};
  const WhatIf study = what_if(scenario, options);
  if (show) fmt::print(surroundings.err, "\r\033[K");
  const sim::Json json = to_json(study, factor);
  if (!a.out.empty()) {
    std::filesystem::create_directories(a.out);
    traces::OutputFile out(std::filesystem::path(a.out) / "bottleneck.json");
    fmt::format_to(out.out(), "{}\n", json.dump(2));
    out.commit();
  }
  if (a.json) {
    fmt::print(surroundings.out, "{}\n", json.dump(2));
  } else if (!a.quiet) {
    fmt::print(surroundings.out, "\n{}\n\n  {}\n", table_of(study), study.verdict);
  }
  return kDone;
}

}  // namespace

void add_bottleneck(CLI::App& app, Action& chosen) {
  CLI::App* sub =
      app.add_subcommand("bottleneck", "runs the scenario again with one resource at a time improved, and ranks them");
  const auto a = std::make_shared<BottleneckArguments>();
  sub->add_option("SCENARIO", a->scenario, "the scenario, a JSON file")->required();
  sub->add_option("--by", a->by, "how much more of each resource (default: 10%)")->option_text("10%");
  sub->add_option("--repetitions", a->repetitions, "seeds for each, from the scenario's on (default: 3)")
      ->option_text("N")
      ->check(whole_number("--repetitions", 1, 1000));
  sub->add_option("--seed", a->seed, "replaces the scenario's seed")
      ->check(whole_number("--seed", 0, kMostSeed))
      ->option_text("N");
  sub->add_option("--set", a->set, "replaces one value of the scenario (repeatable)")
      ->option_text("/json/pointer=value")
      ->expected(1)
      ->take_all();
  sub->add_option("--catalog", a->catalogs, kCatalogHelp)->option_text("DIR")->expected(1)->take_all();
  sub->add_option("--out", a->out, "also writes DIR/bottleneck.json")->option_text("DIR");
  sub->add_flag("--json", a->json, "prints the result as JSON");
  sub->add_flag("--quiet", a->quiet, "prints nothing");
  sub->footer(
      "  tokenyard bottleneck analysis/scenarios/demo.json\n"
      "  tokenyard bottleneck scenario.json --by 20% --repetitions 5 --out results/why");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return find_bottleneck(*a, s); }; });
}

}  // namespace tokenyard::analysis
