#include "analysis/studies/page.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "analysis/page/chart.hpp"
#include "analysis/page/html.hpp"
#include "analysis/studies/findings.hpp"
#include "analysis/studies/study_unit.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

const char* colour(const Findings& findings) { return findings.open() ? "warn" : findings.holds() ? "good" : "bad"; }

/// One study of a page. Ids begin with the study's name, so that several stand in one page.
class Article {
 public:
  Article(const Findings& findings, Json& charts) : f_(findings), study_(findings.study), charts_(charts) {}

  std::string html() {
    return fmt::format("<article id=\"{}\">\n", study_.name) + answer() + result() + changes() + inputs() + origin() +
           "</article>\n";
  }

 private:
  std::string shown(const std::string& name) const {
    return html_escaped(shown_with_unit(f_.base.value(name), study_.title_and_unit(name).second));
  }
  const std::string& unit() const { return unit_; }

  std::string answer() {
    std::string text = fmt::format(
        "<h1>{}</h1>\n<blockquote class=\"claim\"><p>{}</p><footer>{}, {}</footer></blockquote>\n"
        "<section id=\"{}-answer\" class=\"answer\" aria-label=\"Answer\">\n<ul class=\"badges\"><li class=\"badge "
        "{}\">{}</li></ul>\n",
        html_escaped(study_.title), html_escaped(study_.claim), html_escaped(study_.claim_source),
        html_escaped(study_.claim_date), study_.name, colour(f_), html_escaped(f_.badge()));
    const std::vector<std::string> sentences = answer_of(f_);
    for (std::size_t i = 0; i < sentences.size(); ++i)
      text += fmt::format("<p{}>{}</p>\n", i == 0 ? " class=\"lead\"" : "", html_escaped(sentences[i]));
    if (!study_.tiles.empty()) {
      text += "<dl class=\"tiles\">\n";
      for (const std::string& name : study_.tiles) {
        std::string band;
        if (name == study_.outcome && f_.least && f_.most)
          band = fmt::format("{} to {}", html_escaped(shown_with_unit(*f_.least, unit())),
                             html_escaped(shown_with_unit(*f_.most, unit())));
        text += html_tile(html_escaped(study_.title_and_unit(name).first), shown(name), band);
      }
      text += "</dl>\n";
    }
    return text + "</section>\n";
  }

  std::string result() {
    std::string text = "<h2>Result</h2>\n";
    for (const StudyBars& bars : study_.bars) text += bars_html(bars);
    for (const StudyTable& table : study_.tables) text += table_html(table);
    std::string curves;
    for (std::size_t i = 0; i < study_.curves.size(); ++i) curves += curves_html(i);
    if (!curves.empty()) text += "<div class=\"grid\">\n" + curves + "</div>\n";
    for (const std::string& failure : failures_of(f_))
      text += fmt::format("<p class=\"none\">{}</p>\n", html_escaped(failure));
    if (!study_.quantities.empty()) {
      HtmlTable quantities{"Worked out", {"quantity", "from", "value"}, {}, 2};
      for (const StudyFormula& of : study_.quantities)
        quantities.rows.push_back(
            {html_escaped(of.title),
             fmt::format("<code class=\"long\">{} = {}</code>", html_escaped(of.name), html_escaped(of.formula.text())),
             shown(of.name)});
      text += quantities.html();
    }
    return text;
  }

  std::string table_html(const StudyTable& table) {
    HtmlTable html{table.title, {""}, {}};
    for (const std::string& name : table.measures)
      html.head.push_back(fmt::format("<span title=\"{}\">{}</span>",
                                      html_escaped(study_.measure(name)->formula.text()),
                                      html_escaped(study_.measure(name)->title)));
    for (const std::string& of : table.cases) {
      std::vector<std::string> row = {html_escaped(study_.find_case(of)->title)};
      for (const std::string& name : table.measures)
        row.push_back(html_escaped(cell_of(f_, of, *study_.measure(name))));
      html.rows.push_back(std::move(row));
    }
    return html.html();
  }

  std::string bars_html(const StudyBars& bars) {
    const StudyFormula& measure = *study_.measure(bars.measure);
    double most = 0;
    const auto value = [&](const std::string& of) { return f_.base.number(of + '.' + measure.name); };
    for (const std::string& of : bars.cases) most = std::max(most, value(of).value_or(0));
    std::string rows;
    for (const std::string& of : bars.cases) {
      rows += sized_bar_html(html_escaped(study_.find_case(of)->title),
                             most > 0 ? value(of).value_or(0) / most * 84 : 0, html_escaped(cell_of(f_, of, measure)));
    }
    return fmt::format(
        "<figure class=\"chart\"><figcaption>{}</figcaption><div class=\"bars two\">\n{}</div></figure>\n",
        html_escaped(bars.title), rows);
  }

  std::string curves_html(std::size_t index) {
    const StudyCurves& of = study_.curves[index];
    LineChart chart{
        study_.name + "-curve-" + std::to_string(index), of.title, of.title + ", by " + of.x_title, {}, {}, {}, {}};
    chart.x = {of.from, of.to, unit_for(of.x_unit), of.to / of.from >= 4};
    double least = 0, most = 0;
    for (std::size_t i = 0; i < of.lines.size(); ++i) {
      const auto& points = f_.curves[index].lines[i];
      for (const auto& [x, y] : points) {
        least = least == 0 ? y : std::min(least, y);
        most = std::max(most, y);
      }
      chart.lines.push_back({of.lines[i].first, i, points, {}});
    }
    if (!(least > 0)) {
      chart.y = Axis::from_zero(most, unit_for(of.unit));
    } else {
      chart.y = Axis::around(least, most, unit_for(of.unit));
    }
    charts_[chart.id] = chart.hover_data();
    return chart.html();
  }

  /// Bars from the outcome at one end of an input's range to that at the other, around the outcome itself.
  std::string tornado() {
    const auto base = f_.base.number(study_.outcome);
    if (!base) return {};
    double least = *base, most = *base;
    for (const Swing& swing : f_.swings) {
      for (const Evaluation* end : {&swing.low, &swing.high}) {
        const double value = end->number(study_.outcome).value_or(*base);
        least = std::min(least, value);
        most = std::max(most, value);
      }
    }
    const Axis axis = least > 0 && most / least >= 8 ? Axis{least, most, unit_for(unit()), true}
                                                     : Axis{least, most, unit_for(unit()), false};
    std::string rows;
    for (const Swing& swing : f_.swings) {
      std::string parts;
      for (const auto& [end, text, key] :
           {std::tuple{&swing.low, &swing.low_text, "low"}, std::tuple{&swing.high, &swing.high_text, "high"}}) {
        const double value = end->number(study_.outcome).value_or(*base);
        const double from = axis.position(std::min(value, *base)), to = axis.position(std::max(value, *base));
        parts += fmt::format("<i class=\"{}\" style=\"left:{:.2f}%;width:{:.2f}%\" title=\"{}\"></i>", key, from * 100,
                             (to - from) * 100, html_escaped(*text + ": " + shown_with_unit(value, unit())));
      }
      rows += fmt::format(
          "<div class=\"bar-name\">{}{}<small>{} … {}</small></div><div class=\"tornado\"><b "
          "style=\"left:{:.2f}%\"></b>{}</div>"
          "<div class=\"bar-total\">{} … {}</div>\n",
          html_escaped(swing.title), swing.assumed ? " <em>assumed</em>" : "", html_escaped(swing.low_text),
          html_escaped(swing.high_text), axis.position(*base) * 100, parts, outcome(swing.low), outcome(swing.high));
    }
    return fmt::format(
        "<figure class=\"chart\"><figcaption>{}, with each input at either end of its range{}</figcaption><ul "
        "class=\"legend\"><li><i style=\"--c:var(--l1)\"></i>at its low end</li><li><i style=\"--c:var(--l0)\"></i>at "
        "its high end</li></ul>\n<div class=\"bars\">\n{}</div></figure>\n",
        html_escaped(study_.title_and_unit(study_.outcome).first), axis.logarithmic ? " (logarithmic)" : "", rows);
  }

  std::string outcome(const Evaluation& end) const {
    return html_escaped(shown_with_unit(sim::or_null(end.number(study_.outcome)), unit()));
  }

  std::string changes() {
    if (f_.swings.empty()) return {};
    std::string items;
    for (const std::string& change : changes_of(f_)) items += fmt::format("<li>{}</li>\n", html_escaped(change));
    return "<h2>What would change it</h2>\n" + tornado() +
           fmt::format(
               "<h3>Another verdict</h3>\n<ul>{}</ul>\n<p class=\"say\">The band takes the ranges as independent: the "
               "factors by which each moves the outcome are combined as the root of the sum of the squares of their "
               "logarithms.</p>\n",
               items);
  }

  std::string inputs() {
    HtmlTable table{"Inputs of this study", {"input", "source", "date", "value", "range"}, {}, 3};
    for (const StudyInput& input : study_.inputs) {
      table.rows.push_back({html_escaped(input.title) + (input.assumed ? " <em>assumed</em>" : ""),
                            "<span class=\"long\">" + html_escaped(input.source) + "</span>", html_escaped(input.date),
                            html_escaped(shown_with_unit(input.value, input.unit)),
                            input.low ? html_escaped(shown_with_unit(*input.low, input.unit) + " … " +
                                                     shown_with_unit(*input.high, input.unit))
                                      : ""});
    }
    std::string limits;
    for (const std::string& limit : study_.limits) limits += fmt::format("<li>{}</li>", html_escaped(limit));
    return "<h2>What it rests on</h2>\n<div class=\"sources\">" + table.html() +
           "</div>\n<p class=\"say\">Figures of chips, models and agents are the catalogue's, with their sources: "
           "<code>tokenyard "
           "catalog chips NAME</code>.</p>\n" +
           (limits.empty() ? "" : fmt::format("<h3>What it does not see</h3>\n<ul>{}</ul>\n", limits));
  }

  std::string origin() {
    std::string scenarios;
    for (const StudyCase& of : study_.cases) {
      const Json& scenario = f_.scenarios.at(of.name);
      scenarios += html_details(of.title, "<pre>" + html_escaped(sim::to_text(scenario, 2)) + "</pre>");
    }
    return fmt::format(
        "<h2>The same again</h2>\n<pre>tokenyard study {}</pre>\n<p class=\"say\">{} simulated cases in {:.0f} s. The "
        "cases, as simulated:</p>\n{}",
        html_escaped(study_.file.empty() ? study_.name : study_.file), f_.simulated, f_.wall_s, scenarios);
  }

  const Findings& f_;
  const Study& study_;
  Json& charts_;
  const std::string unit_ = study_.title_and_unit(study_.outcome).second;
};

std::string contents(const std::vector<Findings>& book) {
  HtmlTable table{"", {"study", "verdict", "outcome", "band"}, {}, 2};
  for (const Findings& findings : book) {
    const Study& study = findings.study;
    const auto outcome = study.title_and_unit(study.outcome);  // title, unit
    const auto shown = [&](const std::optional<double>& value) {
      return html_escaped(shown_with_unit(sim::or_null(value), outcome.second));
    };
    table.rows.push_back(
        {fmt::format("<a href=\"#{}\">{}</a>", study.name, html_escaped(study.title)),
         fmt::format("<span class=\"badge {}\">{}</span>", colour(findings), html_escaped(findings.badge())),
         fmt::format("<span title=\"{}\">{}</span>", html_escaped(outcome.first),
                     shown(findings.base.number(study.outcome))),
         findings.least ? shown(findings.least) + " … " + shown(findings.most) : "–"});
  }
  return "<h1>Studies</h1>\n<p class=\"say\">Each examines one claim by simulation, from cited inputs; whatever is "
         "assumed is varied.</p>\n" +
         table.html();
}

}  // namespace

std::string studies_page(const std::vector<Findings>& book, const std::string& command) {
  Json charts = Json::object();
  std::string body, links;
  if (book.size() > 1) body = contents(book);
  for (const Findings& findings : book) {
    body += Article(findings, charts).html();
    if (book.size() > 1)
      links += fmt::format("<a href=\"#{}\">{}</a>", findings.study.name, html_escaped(findings.study.name));
  }
  return html_page({.title = book.size() == 1 ? html_escaped(book[0].study.title) : "Studies",
                    .brand = "Tokenyard studies",
                    .links = links,
                    .body = body,
                    .command = command},
                   charts);
}

}  // namespace tokenyard::analysis
