/// `tokenyard bottleneck`: what fixing each resource would buy, ranked.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/bottleneck/page.hpp"
#include "analysis/bottleneck/what_if.hpp"
#include "analysis/command/answer_folder.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/in_scenario.hpp"
#include "analysis/command/option_checks.hpp"
#include "analysis/command/progress.hpp"
#include "analysis/command/scenario_changes.hpp"
#include "analysis/command/terminal_summary.hpp"
#include "analysis/command/text_table.hpp"
#include "analysis/report/human_number.hpp"

namespace tokenyard::analysis {
namespace {

struct BottleneckArguments {
  std::string scenario, by = "10%", out;
  std::vector<std::string> catalogs;
  ScenarioChanges changes;
  int repetitions = 3;
  bool json = false, quiet = false;
};

/// "10%" or "0.1" as the factor 1.1.
double factor_of(const std::string& by) {
  char* end = nullptr;
  double more = std::strtod(by.c_str(), &end);
  const std::string_view rest(end);
  if (rest == "%") more /= 100;
  const double most = rest == "%" ? 10 : 1;  // a bare 10 is meant as 10 %, if anything
  if (end == by.c_str() || (!rest.empty() && rest != "%") || !(more > 0.001 && more <= most)) {
    throw sim::InputError(
        {"", "--by", '"' + by + '"', "a share above 0.1 % and up to 1000 %, as in 10%, or up to 1, as in 0.1"});
  }
  return 1 + more;
}

constexpr auto kLeft = TextTable::kLeft;
constexpr auto kRight = TextTable::kRight;

std::string elasticity_text(const Elasticity& e) {
  if (!e.mean) return "–";
  return fmt::format("{:+.2f} ±{:.2f}", *e.mean, e.half_width);
}

/// Causes that are a tenth of some band at least, the largest of the first band in front.
std::string bands_table(const sim::Json& json) {
  constexpr double kShown = 0.1;
  const std::vector<ShownBand> bands = shown_bands(json);
  std::vector<std::string> causes;
  for (const std::string_view cause : platforms::kCauseNames) {
    const bool shown = std::any_of(bands.begin(), bands.end(), [&](const ShownBand& of) {
      return of.band["causes_s"][std::string(cause)].get<double>() >= kShown * of.band["task_s"].get<double>() &&
             of.band["count"] > 0;
    });
    if (shown) causes.emplace_back(cause);
  }
  std::vector<TextTable::Align> columns(2 + causes.size(), kRight);
  columns[0] = kLeft;
  TextTable table(columns);
  std::vector<std::string> head = {"where the time goes", "takes"};
  for (const std::string& cause : causes) head.push_back(words_of(cause));
  table.row(std::move(head));
  for (const ShownBand& of : bands) {
    std::vector<std::string> row = {of.name, duration_text(of.band["task_s"])};
    for (const std::string& cause : causes)
      row.push_back(
          share_text(of.band["causes_s"][cause].get<double>() / std::max(1e-12, of.band["task_s"].get<double>())));
    table.row(std::move(row));
  }
  return table.text("  ");
}

std::string steps_table(const sim::Json& json) {
  constexpr std::size_t kByShare = 6, kWithSlack = 3;
  TextTable table({kLeft, kLeft, kRight, kRight, kRight, kRight, kRight});
  table.row({"step", "of", "visits/task", "a visit", "of all time", "critical", "slack, else"});
  for (const sim::Json& step : shown_steps(json, kByShare, kWithSlack)) {
    table.row({step["step"], step["agent"], quantity_text(step["visits_per_task"]), duration_text(step["visit_s"]),
               share_text(step["share"]), share_text(step["critical"]), duration_text(step["slack"]["p50_s"])});
  }
  return table.text("  ");
}

std::string pools_table(const sim::Json& json) {
  TextTable table({kLeft, kLeft, kRight, kRight, kRight, kRight, kRight, kRight, kRight, kRight});
  table.row({"pool", "steps", "of time", "FLOP/s", "HBM", "links", "host", "FLOP/byte", "MFU", "MBU"});
  for (const auto& [name, pool] : json["time"]["pools"].items()) {
    if (!pool.contains("roofline")) continue;
    for (const char* phase : {"prefill", "decode"}) {
      const sim::Json& at = pool["roofline"][phase];
      if (!at["time"].is_number() || at["time"] == 0) continue;
      const sim::Json& bound = at["bound"];
      table.row({name, phase, share_text(at["time"]), share_text(bound["compute"]), share_text(bound["bandwidth"]),
                 share_text(bound["network"]), share_text(bound["host"]), quantity_text(at["flop_per_byte"]),
                 share_text(at["mfu"]), share_text(at["mbu"])});
    }
  }
  return table.text("  ");
}

std::string prefix_table(const sim::Json& json) {
  TextTable table({kLeft, kRight, kRight});
  table.row({"prefix hits", "got", "possible"});
  for (const auto& [name, pool] : json["time"]["pools"].items()) {
    if (!pool.contains("prefix_hit_rate")) continue;
    table.row({name, share_text(pool["prefix_hit_rate"]["got"]), share_text(pool["prefix_hit_rate"]["possible"])});
  }
  return table.text("  ");
}

std::string ranking_table(const WhatIf& study) {
  constexpr std::size_t kShown = 12;
  TextTable table({kLeft, kRight, kRight, kRight, kRight, kRight, kRight});
  table.row({"more of the", "by", "task p50", "task p95", "goodput", "energy/task", "cost/task"});
  for (std::size_t i = 0; i < std::min(kShown, study.effects.size()); ++i) {
    const Effect& effect = study.effects[i];
    std::vector<std::string> row = {effect.improvement.title, share_text(effect.factor - 1)};
    for (const Elasticity& e : effect.elasticity) row.push_back(elasticity_text(e));
    table.row(std::move(row));
  }
  std::string text = table.text("  ");
  if (study.effects.size() > kShown)
    text += fmt::format("  and {} more with less effect\n", study.effects.size() - kShown);
  return text +
         "  Elasticities: +0.50 means that 10 % more of it makes the figure about 5 % better; intervals are at 95 %.\n";
}

int find_bottleneck(const BottleneckArguments& a, const Surroundings& surroundings) {
  const double factor = factor_of(a.by);
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  sim::Faults faults;
  sim::JsonFile file = sim::JsonFile::load(a.scenario, faults);
  faults.throw_if_any();
  a.changes.apply(file.value(), faults);
  Scenario scenario = Scenario::read(file, catalogs.view(), true, faults);
  faults.throw_if_any();
  const AnswerFolder folder(a.out);
  if (auto& trace = scenario.workload.trace) trace->path = trace->path_beside(a.scenario).string();

  ProgressLine progress(surroundings.err, !a.quiet);
  WhatIfOptions options{factor, a.repetitions, [&](std::size_t done, std::size_t all) {
                          progress.show([&] { return fmt::format("{} of {} simulations", done, all); });
                        }};
  surroundings.end_on_interrupt("Interrupted: nothing was kept.");
  const WhatIf study = in_scenario(a.scenario, [&] { return what_if(scenario, options); });
  progress.wipe();
  const sim::Json json = to_json(study, factor);
  folder.write("bottleneck.json", json.dump(2) + '\n');
  folder.write("bottleneck.html", bottleneck_page(json, surroundings.command_line));
  if (a.json) {
    fmt::print(surroundings.out, "{}\n", json.dump(2));
  } else if (!a.quiet) {
    fmt::print(surroundings.out, "\n{}\n{}\n{}\n{}\n{}\n{}", wrapped(study.verdict, "  "), ranking_table(study),
               bands_table(json), steps_table(json), pools_table(json), prefix_table(json));
  }
  return kDone;
}

}  // namespace

void add_bottleneck(CLI::App& app, Action& chosen) {
  CLI::App* sub =
      app.add_subcommand("bottleneck", "says where the time goes, and what more of each resource would buy");
  const auto a = std::make_shared<BottleneckArguments>();
  sub->add_option("SCENARIO", a->scenario, "the scenario, a JSON file")->required();
  sub->add_option("--by", a->by, "how much more of each resource (default: 10%)")->option_text("10%");
  sub->add_option("--repetitions", a->repetitions, "seeds for each, from the scenario's on (default: 3)")
      ->option_text("N")
      ->check(whole_number("--repetitions", 1, 1000));
  a->changes.add_to(*sub);
  add_catalog_option(*sub, a->catalogs);
  sub->add_option("--out", a->out, "also writes DIR/bottleneck.html and bottleneck.json")->option_text("DIR");
  sub->add_flag("--json", a->json, "prints the result as JSON");
  sub->add_flag("--quiet", a->quiet, "prints nothing");
  sub->footer(
      "  tokenyard bottleneck analysis/scenarios/demo.json\n"
      "  tokenyard bottleneck scenario.json --by 20% --repetitions 5 --out results/why");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return find_bottleneck(*a, s); }; });
}

}  // namespace tokenyard::analysis
