/// `tokenyard bottleneck`: what fixing each resource would buy, ranked.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "analysis/bottleneck/page.hpp"
#include "analysis/bottleneck/shown.hpp"
#include "analysis/bottleneck/what_if.hpp"
#include "analysis/command/answer_folder.hpp"
#include "analysis/command/catalogs.hpp"
#include "analysis/command/commands.hpp"
#include "analysis/command/in_scenario.hpp"
#include "analysis/command/open_scenario.hpp"
#include "analysis/command/option_checks.hpp"
#include "analysis/command/progress.hpp"
#include "analysis/command/text_table.hpp"
#include "analysis/page/human_number.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

struct BottleneckArguments {
  std::string scenario, by = "10%", goal = "task", out;
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

/// With its interval where the ranking goes by it; else where it is more than chance. Of one run, alone.
std::string gain_cell(const Elasticity& e, bool of_goal) {
  if (of_goal || !e.mean || !e.half_width) return e.text();
  return std::abs(*e.mean) > *e.half_width ? Elasticity{e.mean, {}}.text() : "·";
}

/// Task times, what the level limits, and what it takes.
std::vector<Figure> shown_figures(const Slo& slo, Goal goal) {
  const auto limited = [&](auto limit) {
    return (slo.limits.*limit).has_value() || std::any_of(slo.agents.begin(), slo.agents.end(),
                                                          [&](const auto& a) { return (a.limits.*limit).has_value(); });
  };
  std::vector<Figure> shown = {Figure::kTaskP50, Figure::kTaskP95};
  if (limited(&SloLimits::ttft_s) || goal == Goal::kTtft) shown.push_back(Figure::kTtftP95);
  if (limited(&SloLimits::tpot_s) || goal == Goal::kTpot) shown.push_back(Figure::kTpotP95);
  if (slo.has_limits()) shown.push_back(Figure::kAttainment);
  if (goal == Goal::kGoodput || !slo.has_limits()) shown.push_back(Figure::kGoodput);
  shown.insert(shown.end(), {Figure::kEnergy, Figure::kCost});
  return shown;
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

std::string prefix_table(const WhatIf& study) {
  TextTable table({kLeft, kRight, kRight});
  table.row({"prefix hits", "got", "possible"});
  for (const PrefixReuse& of : study.prefix)
    table.row({of.pool, human_number(of.got, Unit::kShare), human_number(of.possible, Unit::kShare)});
  return table.text("  ");
}

/// A column for each figure that is shown, behind the first ones.
class GainsTable {
 public:
  GainsTable(std::vector<std::string> head, const std::vector<Figure>& shown, Goal goal)
      : shown_(shown), goal_(goal), table_(aligned(head.size() + shown.size())) {
    for (const Figure figure : shown) head.emplace_back(kFigureTitles[static_cast<std::size_t>(figure)]);
    table_.row(std::move(head));
  }
  void row(std::vector<std::string> cells, const Gains& gains) {
    const std::span<const Figure> ranked = ranking_figures(goal_);
    for (const Figure figure : shown_)
      cells.push_back(gain_cell(gains[figure], std::find(ranked.begin(), ranked.end(), figure) != ranked.end()));
    table_.row(std::move(cells));
  }
  std::string text() const { return table_.text("  "); }

 private:
  static std::vector<TextTable::Align> aligned(std::size_t columns) {
    std::vector<TextTable::Align> all(columns, kRight);
    all[0] = kLeft;
    return all;
  }
  const std::vector<Figure>& shown_;
  Goal goal_;
  TextTable table_;
};

std::string ranking_table(const WhatIf& study, const std::vector<Figure>& figures) {
  constexpr std::size_t kShown = 12;
  GainsTable table({"more of the", "by"}, figures, study.goal);
  for (std::size_t i = 0; i < std::min(kShown, study.effects.size()); ++i) {
    const Effect& effect = study.effects[i];
    table.row({effect.improvement.title, share_text(effect.factor - 1)}, effect.elasticity);
  }
  std::string text = table.text();
  if (study.effects.size() > kShown)
    text += fmt::format("  and {} more with less effect\n", study.effects.size() - kShown);
  return text + "  Elasticities: +0.50 means that 10 % more of it makes the figure about 5 % better; " +
         (study.of_one_run() ? "each is of one run,\n  without an interval that would tell it from chance.\n"
                             : "intervals are at 95 %, and \"·\" is\n  no more than chance.\n");
}

/// Empty where there is nothing to choose.
std::string choices_table(const WhatIf& study, const std::vector<Figure>& figures) {
  if (study.alternatives.empty()) return {};
  GainsTable table({"other choices, at no cost"}, figures, study.goal);
  for (const Alternative& alternative : study.alternatives) table.row({alternative.choice.title}, alternative.gain);
  return table.text() + "  ln(before / after): +0.05 is about 5 % better.\n\n";
}

int find_bottleneck(const BottleneckArguments& a, const Surroundings& surroundings) {
  const double factor = factor_of(a.by);
  const LoadedCatalogs catalogs = load_catalogs(a.catalogs);
  sim::Faults faults;
  const Scenario scenario = open_scenario(a.scenario, catalogs.view(), a.changes, faults).scenario;
  const Goal goal = goal_named(a.goal);
  if (goal == Goal::kAttainment && !scenario.slo.has_limits())
    faults.add("", "--for", "attainment, without a service level", "a scenario whose slo limits something");
  faults.throw_if_any();
  const AnswerFolder folder(a.out);

  ProgressLine progress(surroundings.err, !a.quiet);
  const WhatIfOptions options{factor, a.repetitions, goal, [&](std::size_t done, std::size_t all) {
                                progress.show([&] { return fmt::format("{} of {} simulations", done, all); });
                              }};
  surroundings.end_on_interrupt("Interrupted: nothing was kept.");
  const WhatIf study = in_scenario(a.scenario, [&] { return what_if(scenario, options); });
  progress.wipe();
  const sim::Json json = to_json(study);
  folder.write("bottleneck.json", sim::to_text(json, 2) + '\n');
  folder.write("bottleneck.html", bottleneck_page(study, surroundings.command_line));
  if (a.json) {
    fmt::print(surroundings.out, "{}\n", sim::to_text(json, 2));
  } else if (!a.quiet) {
    const std::vector<Figure> figures = shown_figures(scenario.slo, goal);
    fmt::print(surroundings.out, "\n{}\n{}\n{}{}\n{}\n{}\n{}", wrapped(study.verdict, "  "),
               ranking_table(study, figures), choices_table(study, figures), bands_table(json), steps_table(json),
               pools_table(json), prefix_table(study));
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
  sub->add_option("--for", a->goal,
                  "what to rank by: " + fmt::format("{}", fmt::join(kGoalNames, ", ")) + " (default: task)")
      ->option_text("GOAL")
      ->check(one_of("--for", kGoalNames));
  sub->add_option("--repetitions", a->repetitions,
                  "seeds for each, from the scenario's on (default: 3; a trace is played once)")
      ->option_text("N")
      ->check(whole_number("--repetitions", 1, 1000));
  a->changes.add_to(*sub);
  add_catalog_option(*sub, a->catalogs);
  sub->add_option("--out", a->out, "also writes DIR/bottleneck.html and bottleneck.json")->option_text("DIR");
  sub->add_flag("--json", a->json, "prints the result as JSON");
  sub->add_flag("--quiet", a->quiet, "prints nothing");
  sub->footer(
      "  tokenyard bottleneck analysis/scenarios/demo.json\n"
      "  tokenyard bottleneck scenario.json --by 20% --repetitions 5 --out results/why\n"
      "  tokenyard bottleneck scenario.json --for attainment      # what brings more work within the service level");
  sub->callback([a, &chosen] { chosen = [a](const Surroundings& s) { return find_bottleneck(*a, s); }; });
}

}  // namespace tokenyard::analysis
