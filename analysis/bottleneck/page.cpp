#include "analysis/bottleneck/page.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/bottleneck/shown.hpp"
#include "analysis/page/chart.hpp"
#include "analysis/page/html.hpp"
#include "analysis/page/human_number.hpp"
#include "analysis/page/roofline.hpp"
#include "analysis/result/value_at.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

constexpr std::size_t kBars = 8, kRows = 12, kSteps = 12, kStepsWithSlack = 8;

std::string share(std::optional<double> value) { return human_number(value, Unit::kShare); }

/// What the caption of gains says of chance.
std::string intervals_text(const WhatIf& study) {
  return study.of_one_run() ? "of one run each, not told from chance" : "with intervals at 95 %";
}

/// How much better a figure of the goal gets by so much more of a resource.
double gain_of(const Effect& effect, Figure figure, const WhatIf& study) {
  return share_gained(study.goal, effect.elasticity.of(figure) * sim::portable_log(study.factor));
}

/// The same of each: one share, or two of task time.
std::vector<double> gains_of(const Effect& effect, const WhatIf& study) {
  std::vector<double> gains;
  for (const Figure figure : ranking_figures(study.goal)) gains.push_back(gain_of(effect, figure, study));
  return gains;
}

/// "2.1 %"; of a share of the work "2.1 points".
std::string gain_shown(Goal goal, double gain) {
  return goal == Goal::kAttainment ? fmt::format("{:.1f}\u00a0points", gain * 100) : share(gain);
}

/// Of every figure, behind the cells of a row.
std::vector<std::string> row_of(std::vector<std::string> cells, const Gains& gains) {
  for (const Elasticity& of : gains.by_figure) cells.push_back(of.text());
  return cells;
}

std::vector<std::string> columns(std::string first) {
  std::vector<std::string> head = {std::move(first)};
  for (const std::string_view title : kFigureTitles) head.emplace_back(title);
  return head;
}

std::string title(const WhatIf& study) {
  return html_escaped(text_at(study.base.front(), {"name"})) + ": the bottleneck";
}

std::string answer(const WhatIf& study, const Json& json) {
  const Json& task = value_at(json, {"base", "latency", "task_s"});
  std::string tiles = html_tile("Median task", human_number(number_at(task, {"p50"}), Unit::kSeconds),
                                "p95 " + human_number(number_at(task, {"p95"}), Unit::kSeconds));
  for (const Json& band : value_at(json, {"time", "bands"})) {
    const Json& causes = band["causes_s"];
    const auto most =
        std::max_element(causes.begin(), causes.end(), [](const Json& a, const Json& b) { return a < b; });
    const bool median = band["tasks"] == kTaskBands[0].name;
    tiles += html_tile(
        median ? "Median task, mostly" : "Slowest tasks, mostly", html_escaped(words_of(most.key())),
        fmt::format("{} of {} time", share(most->get<double>() / std::max(1e-12, band["task_s"].get<double>())),
                    median ? "its" : "their"));
  }
  if (!study.effects.empty()) {
    const Effect& first = study.effects.front();
    double most = 0;  // of what is more than chance
    for (const Figure figure : ranking_figures(study.goal)) {
      if (first.elasticity[figure].sure()) most = std::max(most, gain_of(first, figure, study));
    }
    tiles +=
        first.elasticity.sure(study.goal)
            ? html_tile("First in the ranking", gain_shown(study.goal, most),
                        fmt::format("{} by {} more of the {}{}", better_word(study.goal), share(study.factor - 1),
                                    html_escaped(first.improvement.title), study.of_one_run() ? ", in one run" : ""))
            : html_tile("First in the ranking", "none",
                        study.of_one_run() ? "no effect is above 0" : "no effect is more than chance");
  }
  return html_answer(title(study), html_escaped(study.verdict), tiles);
}

/// What costs nothing to change.
std::string choices(const WhatIf& study) {
  HtmlTable table{
      "Other choices, which cost nothing: ln(before / after), " + intervals_text(study), columns("choice"), {}};
  for (const Alternative& alternative : study.alternatives)
    table.rows.push_back(row_of({html_escaped(alternative.choice.title)}, alternative.gain));
  return table.rows.empty() ? "" : table.html();
}

std::string ranking(const WhatIf& study) {
  std::string bars;
  double most = 0;
  for (const Effect& effect : study.effects) {
    for (const double gain : gains_of(effect, study)) most = std::max(most, gain);
  }
  std::vector<std::string> head = columns("more of the");
  head.insert(head.begin() + 1, "by");
  HtmlTable table{"Elasticities, " + intervals_text(study), std::move(head), {}};
  HtmlTable rest{"", table.head, {}};
  for (std::size_t i = 0; i < study.effects.size(); ++i) {
    const Effect& effect = study.effects[i];
    const std::string title = html_escaped(effect.improvement.title);
    if (i < kBars && most > 0) {
      std::string drawn, said;
      for (const double gain : gains_of(effect, study)) {
        drawn += fmt::format("<i class=\"{}\" style=\"width:{:.2f}%\"></i>", drawn.empty() ? "p50" : "p95",
                             std::max(0.0, gain / most * 72));
        said += (said.empty() ? "" : " and ") + gain_shown(study.goal, gain);
      }
      bars +=
          fmt::format("<div class=\"bar-name\">{}</div><div class=\"sized pair\"><div>{}</div><span>{}</span></div>\n",
                      title, drawn, said);
    }
    (i < kRows ? table : rest).rows.push_back(row_of({title, share(effect.factor - 1)}, effect.elasticity));
  }
  const std::string folded =
      rest.rows.empty() ? "" : html_details(fmt::format("{} more with less effect", rest.rows.size()), rest.html());
  return fmt::format(
      "<h2 id=\"ranking\">What fixing it buys</h2>\n<p class=\"say\">The scenario run again with one thing at a time "
      "improved by {}, on the same work, {} each. {}</p>\n<div class=\"bars two\">\n{}</div>\n<p "
      "class=\"say\">An elasticity of +0.50 means that 10 % more of it makes the figure about 5 % better; below 0 it "
      "makes it worse. What comes in wholes is rounded up. More prefix reuse: of the prompt tokens that a cache "
      "without "
      "limit would have found and HBM has lost, fewer are computed again.</p>\n{}{}{}",
      share(study.factor - 1), study.of_one_run() ? "once" : fmt::format("{} times", study.base.size()),
      study.goal == Goal::kTask
          ? "Bars: how much faster the median task (above) and the 95th-percentile task (below) get."
          : fmt::format("Bars: by how much {} gets better.", subject_of(study.goal)),
      bars, table.html(), folded, choices(study));
}

std::string bands(const Json& json) {
  std::vector<ShareBar> bars;
  for (const ShownBand& shown : shown_bands(json)) {
    ShareBar bar = share_bar(shown.name, shown.band["causes_s"], Unit::kSeconds);
    if (!(bar.total() > 0)) continue;
    bar.total_text = human_number(bar.total(), Unit::kSeconds);
    bars.push_back(std::move(bar));
  }
  if (bars.empty()) return "<p class=\"none\">No task has completed.</p>\n";
  return "<p class=\"say\">Median: the mean task between p45 and p55. Slowest: that beyond p98.</p>\n" +
         share_bars_html(bars) + share_bars_table("A task's time by cause", "cause", bars);
}

std::string steps(const Json& json) {
  HtmlTable table{"Steps, by their share of critical paths",
                  {"step", "agent", "kind", "visits per task", "a visit takes", "share of task time",
                   "on the critical path", "slack otherwise, p50", "p95"},
                  {},
                  3};
  const std::vector<Json> shown = shown_steps(json, kSteps, kStepsWithSlack);
  for (const Json& step : shown) {
    table.rows.push_back({html_escaped(text_at(step, {"step"})), html_escaped(text_at(step, {"agent"})),
                          text_at(step, {"kind"}), human_number(number_at(step, {"visits_per_task"}), Unit::kCount),
                          human_number(number_at(step, {"visit_s"}), Unit::kSeconds), share(number_at(step, {"share"})),
                          share(number_at(step, {"critical"})),
                          human_number(number_at(step, {"slack", "p50_s"}), Unit::kSeconds),
                          human_number(number_at(step, {"slack", "p95_s"}), Unit::kSeconds)});
  }
  const std::size_t all = json["time"]["steps"].size();
  return table.html() + (all > shown.size()
                             ? fmt::format("<p class=\"say\">{} more are in bottleneck.json.</p>\n", all - shown.size())
                             : "");
}

std::string prefixes(const WhatIf& study) {
  HtmlTable table{"Prompt tokens found in the prefix caches", {"pool", "got", "possible", "lost"}, {}};
  for (const PrefixReuse& of : study.prefix) {
    if (!of.got || !of.possible) continue;
    table.rows.push_back({html_escaped(of.pool), share(of.got), share(of.possible), share(*of.possible - *of.got)});
  }
  if (table.rows.empty()) return "<p class=\"none\">No pool has computed a prompt.</p>\n";
  const auto gain = [&](Figure figure) {
    const std::optional<double>& log = study.unlimited_prefix[figure].mean;
    return log ? share(share_gained(Goal::kTask, *log)) : "–";
  };
  return fmt::format(
             "<p class=\"say\">Possible: every replica finds what any replica of its pool has computed, for ever and "
             "at "
             "no cost. That would make the median task {} and the 95th-percentile task {} faster.</p>\n",
             gain(Figure::kTaskP50), gain(Figure::kTaskP95)) +
         table.html();
}

}  // namespace

std::string bottleneck_page(const WhatIf& study, const std::string& command) {
  const Json json = to_json(study);
  const std::string body =
      answer(study, json) + ranking(study) + "<h2 id=\"time\">Where the time goes</h2>\n" + bands(json) +
      "<h2 id=\"steps\">Steps and their slack</h2>\n<p class=\"say\">Slack: how much longer a visit could have taken "
      "without delaying its task, where it was not on the critical path.</p>\n" +
      steps(json) + "<h2 id=\"pools\">Prefill and decode under the roofline</h2>\n" +
      roofline_html(value_at(json, {"time", "pools"})) + "<h2 id=\"prefix\">Prefix reuse</h2>\n" + prefixes(study);
  return html_page({.title = title(study),
                    .brand = "Tokenyard",
                    .links = "<a href=\"#ranking\">Ranking</a><a href=\"#time\">Time</a><a href=\"#steps\">Steps</a><a "
                             "href=\"#pools\">Pools</a><a href=\"#prefix\">Prefixes</a>",
                    .body = body,
                    .command = command},
                   Json::object());
}

}  // namespace tokenyard::analysis
