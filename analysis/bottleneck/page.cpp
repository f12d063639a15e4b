#include "analysis/bottleneck/page.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/bottleneck/goal.hpp"
#include "analysis/bottleneck/time_account.hpp"
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

std::string elasticity_cell(const Json& e) {
  if (!e.is_object()) return "–";
  const auto half_width = number_at(e, {"half_width"});
  return fmt::format("{:+.2f}", e["mean"].get<double>()) +
         (half_width ? fmt::format("\u00a0±\u00a0{:.2f}", *half_width) : "");
}

bool of_one_run(const Json& study) { return study["repetitions"] == 1; }

/// What the caption of gains says of chance.
std::string intervals_text(const Json& study) {
  return of_one_run(study) ? "of one run each, not told from chance" : "with intervals at 95 %";
}

Goal goal_of(const Json& study) { return goal_named(text_at(study, {"ranked_by"})); }

/// How much better the figures of the goal get by so much more of a resource: one share, or two of task time.
std::vector<double> gains_of(const Json& effect, Goal goal, double factor) {
  std::vector<double> gains;
  for (const Figure figure : figures_of(goal)) {
    const std::string name(kFigureNames[static_cast<std::size_t>(figure)]);
    const double log = number_at(effect, {"elasticity", name, "mean"}).value_or(0) * sim::portable_log(factor);
    gains.push_back(share_gained(goal, log));
  }
  return gains;
}

/// "2.1 %"; of a share of the work "2.1 points".
std::string gain_shown(Goal goal, double gain) {
  return goal == Goal::kAttainment ? fmt::format("{:.1f}\u00a0points", gain * 100) : share(gain);
}

/// One of the goal's figures gets better by more than chance; of one run, better in that run.
bool sure(const Json& effect, Goal goal) {
  for (const Figure figure : figures_of(goal)) {
    const Json& e = effect["elasticity"][std::string(kFigureNames[static_cast<std::size_t>(figure)])];
    if (e.is_object() && e["mean"].get<double>() > number_at(e, {"half_width"}).value_or(0)) return true;
  }
  return false;
}

std::vector<std::string> columns(std::string first) {
  std::vector<std::string> head = {std::move(first)};
  for (const std::string_view title : kFigureTitles) head.emplace_back(title);
  return head;
}

std::string title(const Json& study) { return html_escaped(text_at(study, {"base", "name"})) + ": the bottleneck"; }

std::string answer(const Json& study, double factor) {
  const Json& task = value_at(study, {"base", "latency", "task_s"});
  std::string tiles = html_tile("Median task", human_number(number_at(task, {"p50"}), Unit::kSeconds),
                                "p95 " + human_number(number_at(task, {"p95"}), Unit::kSeconds));
  const Json& bands = value_at(study, {"time", "bands"});
  for (const Json& band : bands) {
    const Json& causes = band["causes_s"];
    const auto most =
        std::max_element(causes.begin(), causes.end(), [](const Json& a, const Json& b) { return a < b; });
    const bool median = band["tasks"] == kTaskBands[0].name;
    tiles += html_tile(
        median ? "Median task, mostly" : "Slowest tasks, mostly", html_escaped(words_of(most.key())),
        fmt::format("{} of {} time", share(most->get<double>() / std::max(1e-12, band["task_s"].get<double>())),
                    median ? "its" : "their"));
  }
  const Json& effects = value_at(study, {"effects"});
  if (!effects.empty()) {
    const Goal goal = goal_of(study);
    const std::vector<double> gains = gains_of(effects[0], goal, factor);
    tiles += sure(effects[0], goal)
                 ? html_tile("First in the ranking",
                             gain_shown(goal, std::max(0.0, *std::max_element(gains.begin(), gains.end()))),
                             fmt::format("{} by {} more of the {}{}", better_word(goal), share(factor - 1),
                                         html_escaped(text_at(effects[0], {"title"})),
                                         of_one_run(study) ? ", in one run" : ""))
                 : html_tile("First in the ranking", "none",
                             of_one_run(study) ? "no effect is above 0" : "no effect is more than chance");
  }
  return html_answer(title(study), html_escaped(text_at(study, {"verdict"})), tiles);
}

/// What costs nothing to change.
std::string choices(const Json& study) {
  HtmlTable table{
      "Other choices, which cost nothing: ln(before / after), " + intervals_text(study), columns("choice"), {}};
  for (const Json& choice : value_at(study, {"choices"})) {
    std::vector<std::string> row = {html_escaped(text_at(choice, {"title"}))};
    for (const std::string_view figure : kFigureNames)
      row.push_back(elasticity_cell(choice["log_gain"][std::string(figure)]));
    table.rows.push_back(std::move(row));
  }
  return table.rows.empty() ? "" : table.html();
}

std::string ranking(const Json& study, double factor) {
  const Json& effects = value_at(study, {"effects"});
  const Goal goal = goal_of(study);
  std::string bars;
  double most = 0;
  for (const Json& effect : effects) {
    for (const double gain : gains_of(effect, goal, factor)) most = std::max(most, gain);
  }
  std::vector<std::string> head = columns("more of the");
  head.insert(head.begin() + 1, "by");
  HtmlTable table{"Elasticities, " + intervals_text(study), std::move(head), {}};
  HtmlTable rest{"", table.head, {}};
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const Json& effect = effects[i];
    const std::string title = html_escaped(text_at(effect, {"title"}));
    if (i < kBars && most > 0) {
      std::string drawn, said;
      for (const double gain : gains_of(effect, goal, factor)) {
        drawn += fmt::format("<i class=\"{}\" style=\"width:{:.2f}%\"></i>", drawn.empty() ? "p50" : "p95",
                             std::max(0.0, gain / most * 72));
        said += (said.empty() ? "" : " and ") + gain_shown(goal, gain);
      }
      bars +=
          fmt::format("<div class=\"bar-name\">{}</div><div class=\"sized pair\"><div>{}</div><span>{}</span></div>\n",
                      title, drawn, said);
    }
    std::vector<std::string> row = {title, share(effect["factor"].get<double>() - 1)};
    for (const std::string_view figure : kFigureNames)
      row.push_back(elasticity_cell(effect["elasticity"][std::string(figure)]));
    (i < kRows ? table : rest).rows.push_back(std::move(row));
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
      share(factor - 1), of_one_run(study) ? "once" : fmt::format("{} times", study["repetitions"].get<std::size_t>()),
      goal == Goal::kTask ? "Bars: how much faster the median task (above) and the 95th-percentile task (below) get."
                          : fmt::format("Bars: by how much {} gets better.", subject_of(goal)),
      bars, table.html(), folded, choices(study));
}

std::string bands(const Json& study) {
  std::vector<ShareBar> bars;
  for (const ShownBand& shown : shown_bands(study)) {
    ShareBar bar = share_bar(shown.name, shown.band["causes_s"], Unit::kSeconds);
    if (!(bar.total() > 0)) continue;
    bar.total_text = human_number(bar.total(), Unit::kSeconds);
    bars.push_back(std::move(bar));
  }
  if (bars.empty()) return "<p class=\"none\">No task has completed.</p>\n";
  return "<p class=\"say\">Median: the mean task between p45 and p55. Slowest: that beyond p98.</p>\n" +
         share_bars_html(bars) + share_bars_table("A task's time by cause", "cause", bars);
}

std::string steps(const Json& study) {
  HtmlTable table{"Steps, by their share of critical paths",
                  {"step", "agent", "kind", "visits per task", "a visit takes", "share of task time",
                   "on the critical path", "slack otherwise, p50", "p95"},
                  {},
                  3};
  const std::vector<Json> shown = shown_steps(study, kSteps, kStepsWithSlack);
  for (const Json& step : shown) {
    table.rows.push_back({html_escaped(text_at(step, {"step"})), html_escaped(text_at(step, {"agent"})),
                          text_at(step, {"kind"}), human_number(number_at(step, {"visits_per_task"}), Unit::kCount),
                          human_number(number_at(step, {"visit_s"}), Unit::kSeconds), share(number_at(step, {"share"})),
                          share(number_at(step, {"critical"})),
                          human_number(number_at(step, {"slack", "p50_s"}), Unit::kSeconds),
                          human_number(number_at(step, {"slack", "p95_s"}), Unit::kSeconds)});
  }
  const std::size_t all = study["time"]["steps"].size();
  return table.html() + (all > shown.size()
                             ? fmt::format("<p class=\"say\">{} more are in bottleneck.json.</p>\n", all - shown.size())
                             : "");
}

std::string prefixes(const Json& study) {
  HtmlTable table{"Prompt tokens found in the prefix caches", {"pool", "got", "possible", "lost"}, {}};
  for (const auto& [name, pool] : study["time"]["pools"].items()) {
    const auto got = number_at(pool, {"prefix_hit_rate", "got"});
    const auto possible = number_at(pool, {"prefix_hit_rate", "possible"});
    if (!got || !possible) continue;
    table.rows.push_back({html_escaped(name), share(got), share(possible), share(std::max(0.0, *possible - *got))});
  }
  if (table.rows.empty()) return "<p class=\"none\">No pool has computed a prompt.</p>\n";
  const auto gain = [&](const char* figure) {
    const auto log = number_at(study, {"unlimited_prefix_log_gain", figure, "mean"});
    return log ? share(share_gained(Goal::kTask, *log)) : "–";
  };
  return fmt::format(
             "<p class=\"say\">Possible: every replica finds what any replica of its pool has computed, for ever and "
             "at "
             "no cost. That would make the median task {} and the 95th-percentile task {} faster.</p>\n",
             gain("task_p50"), gain("task_p95")) +
         table.html();
}

}  // namespace

std::vector<Json> shown_steps(const Json& study, std::size_t by_share, std::size_t with_slack) {
  std::vector<Json> shown;
  for (const Json& step : study["time"]["steps"]) {
    const bool slack = step["slack"]["visits"].get<double>() > 0;
    if (shown.size() < by_share || (slack && shown.size() < by_share + with_slack)) shown.push_back(step);
  }
  return shown;
}

std::vector<ShownBand> shown_bands(const Json& study) {
  std::vector<ShownBand> shown;
  for (const Json& band : study["time"]["bands"])
    shown.push_back({fmt::format("all tasks, {}", band["tasks"].get<std::string>()), band});
  const Json& agents = study["time"]["agents"];
  if (agents.size() < 2) return shown;
  for (const auto& [name, agent] : agents.items()) {
    for (const Json& band : agent["bands"])
      shown.push_back({fmt::format("{}, {}", name, band["tasks"].get<std::string>()), band});
  }
  return shown;
}

std::string bottleneck_page(const Json& study, const std::string& command) {
  const double factor = study["factor"].get<double>();
  const std::string body =
      answer(study, factor) + ranking(study, factor) + "<h2 id=\"time\">Where the time goes</h2>\n" + bands(study) +
      "<h2 id=\"steps\">Steps and their slack</h2>\n<p class=\"say\">Slack: how much longer a visit could have taken "
      "without delaying its task, where it was not on the critical path.</p>\n" +
      steps(study) + "<h2 id=\"pools\">Prefill and decode under the roofline</h2>\n" +
      roofline_html(value_at(study, {"time", "pools"})) + "<h2 id=\"prefix\">Prefix reuse</h2>\n" + prefixes(study);
  return html_page({.title = title(study),
                    .brand = "Tokenyard",
                    .links = "<a href=\"#ranking\">Ranking</a><a href=\"#time\">Time</a><a href=\"#steps\">Steps</a><a "
                             "href=\"#pools\">Pools</a><a href=\"#prefix\">Prefixes</a>",
                    .body = body,
                    .command = command},
                   Json::object());
}

}  // namespace tokenyard::analysis
