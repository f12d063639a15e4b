#include "analysis/page/chart.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "analysis/page/html.hpp"
#include "sim/random/portable_math.hpp"

namespace tokenyard::analysis {
namespace {

constexpr std::size_t kLineColors = 8;
constexpr double kGrid = 1000;

/// 1, 2 or 5 times a power of ten, at or above `value` > 0.
double round_above(double value) {
  double power = 1;
  while (power > value) power /= 10;
  while (power * 10 <= value) power *= 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value * (1 - 1e-12)) return factor * power;
  }
  return 10 * power;
}

/// The step between ticks for some four to six of them over `span`; times step by what clocks show.
double tick_step(double span, Unit unit) {
  constexpr std::array<double, 19> kClock = {1,   2,    5,    10,   15,     30,     60,     120,    300,    600,
                                             900, 1800, 3600, 7200, 14'400, 21'600, 43'200, 86'400, 172'800};
  constexpr double kTicks = 6;
  if (unit == Unit::kSeconds && span > kTicks && span <= kClock.back() * kTicks) {
    return *std::find_if(kClock.begin(), kClock.end(), [&](double step) { return step * kTicks >= span; });
  }
  return round_above(span / kTicks);
}

/// Five significant digits: enough to be read, and short.
double shortened(double value) {
  const std::string text = fmt::format("{:.5g}", value);
  double result = 0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

const char* unit_name(Unit unit) {
  constexpr std::array<const char*, 8> kNames = {"count", "share",  "seconds", "per_s",
                                                 "bytes", "joules", "watts",   "usd"};
  return kNames[static_cast<std::size_t>(unit)];
}

sim::Json axis_data(const Axis& axis) {
  return {{"from", axis.from}, {"to", axis.to}, {"unit", unit_name(axis.unit)}, {"log", axis.logarithmic}};
}

/// A tick is a round number: "1.2 kW", not "1.20 kW".
std::string tick_text(double tick, Unit unit) {
  std::string text = human_number(tick, unit);
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text;
  const std::size_t end = text.find_first_not_of("0123456789", point + 1);
  const std::size_t last = text.find_last_not_of('0', (end == std::string::npos ? text.size() : end) - 1);
  const std::size_t from = last == point ? point : last + 1;
  return text.erase(from, (end == std::string::npos ? text.size() : end) - from);
}

int grid_x(const Axis& axis, double value) { return static_cast<int>(std::lround(axis.position(value) * kGrid)); }
int grid_y(const Axis& axis, double value) { return static_cast<int>(std::lround((1 - axis.position(value)) * kGrid)); }

}  // namespace

double Axis::position(double value) const {
  if (!(to > from)) return 0;
  double share = (value - from) / (to - from);
  if (logarithmic) share = value > 0 ? sim::portable_log(value / from) / sim::portable_log(to / from) : 0;
  return std::clamp(share, 0.0, 1.0);
}

std::vector<double> Axis::ticks() const {
  std::vector<double> ticks;
  constexpr double kSlack = 1 + 1e-9;  // a tick at the very end survives rounding
  if (!logarithmic) {
    const double step = tick_step(to - from, unit);
    for (double n = std::max(0.0, std::ceil(from / step - 1e-9)); n * step <= to * kSlack && ticks.size() < 20; ++n)
      ticks.push_back(n * step);
    return ticks;
  }
  // Powers of ten first, then what lies between and leaves room for the labels; above ten seconds, what clocks show.
  constexpr double kRoom = 0.14;
  constexpr std::array<double, 13> kClock = {10,  60,   600,  3600,   86'400, 30,     120,
                                             300, 1800, 7200, 21'600, 43'200, 172'800};
  const auto offer = [&](double tick) {
    const bool near = std::any_of(ticks.begin(), ticks.end(),
                                  [&](double other) { return std::abs(position(other) - position(tick)) < kRoom; });
    if (tick * kSlack >= from && tick <= to * kSlack && !near) ticks.push_back(tick);
  };
  double first = 1;
  while (first > from) first /= 10;
  while (first * 10 <= from) first *= 10;
  const bool clock = unit == Unit::kSeconds;
  for (const double factor : {1.0, 2.0, 5.0}) {
    for (double power = first; power <= to * kSlack; power *= 10) {
      if (!clock || power < 10) offer(factor * power);
    }
  }
  if (clock) std::for_each(kClock.begin(), kClock.end(), offer);
  for (const double days : {1.0, 2.0, 5.0}) {
    for (double power = 864'000; clock && power <= to * kSlack; power *= 10) offer(days * power);
  }
  std::sort(ticks.begin(), ticks.end());
  return ticks;
}

Axis Axis::from_zero(double greatest, Unit unit) {
  if (!(greatest > 0) || !std::isfinite(greatest)) return {0, 1, unit, false};
  const double step = tick_step(greatest, unit);
  return {0, std::ceil(greatest / step - 1e-9) * step, unit, false};
}

Axis Axis::around(double least, double greatest, Unit unit) {
  if (!std::isfinite(greatest)) return from_zero(greatest, unit);
  if (greatest / least >= 4) return {least, greatest, unit, true};
  const double margin = std::max((greatest - least) * 0.04, greatest * 0.01);
  return {std::max(0.0, least - margin), greatest + margin, unit, false};
}

std::string LineChart::html() const {
  std::string grid, paths, labels, legend;
  for (const double tick : y.ticks()) {
    grid += fmt::format("M0 {}H1000", grid_y(y, tick));
    labels += fmt::format("<span class=\"y\" style=\"top:{:.1f}%\">{}</span>", (1 - y.position(tick)) * 100,
                          tick_text(tick, y.unit));
  }
  for (const double tick : x.ticks()) {
    grid += fmt::format("M{} 0V1000", grid_x(x, tick));
    labels += fmt::format("<span class=\"x\" style=\"left:{:.1f}%\">{}</span>", x.position(tick) * 100,
                          tick_text(tick, x.unit));
  }
  double before = -100;
  for (const Marker& marker : markers) {
    if (marker.x < x.from || marker.x > x.to) continue;
    const double left = x.position(marker.x) * 100;
    constexpr double kLabel = 25;  // of the width: the next one, if nearer, is written below
    const bool below = left - std::exchange(before, left) < kLabel;
    paths += fmt::format("<path class=\"marker\" d=\"M{} 0V1000\"/>", grid_x(x, marker.x));
    labels += fmt::format("<span class=\"mark{}{}\" style=\"left:{:.1f}%\">{}</span>", left > 60 ? " before" : "",
                          below ? " below" : "", left, html_escaped(marker.label));
  }
  for (const ChartLine& line : lines) {
    const std::size_t color = line.color % kLineColors;
    if (!line.band.empty()) {
      std::string there, back;
      for (std::size_t i = 0; i < line.band.size(); ++i) {
        there +=
            fmt::format("{}{} {}", i == 0 ? 'M' : 'L', grid_x(x, line.band[i].x), grid_y(y, line.band[i].greatest));
        const ChartLine::Band& last = line.band[line.band.size() - 1 - i];
        back += fmt::format("L{} {}", grid_x(x, last.x), grid_y(y, last.least));
      }
      paths += fmt::format("<path class=\"band l{}\" d=\"{}{}Z\"/>", color, there, back);
    }
    std::string path;
    for (const auto& [at, value] : line.points)
      path += fmt::format("{}{} {}", path.empty() ? 'M' : 'L', grid_x(x, at), grid_y(y, value));
    if (line.points.size() == 1) path += "h1";  // a lone sample is a dot
    paths += fmt::format("<path class=\"line l{}\" d=\"{}\"/>", color, path);
    legend += fmt::format("<li><i class=\"l{}\"></i>{}</li>", color, html_escaped(line.name));
  }
  if (lines.size() > 1) legend = fmt::format("<ul class=\"legend\">{}</ul>", legend);
  return fmt::format(
      "<figure class=\"chart\"><figcaption>{}</figcaption>{}<div class=\"plot\" data-chart=\"{}\" role=\"img\" "
      "tabindex=\"0\" aria-label=\"{}\">"
      "<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"grid\" "
      "d=\"{}\"/>{}</svg>{}</div></figure>\n",
      html_escaped(title), lines.size() > 1 ? legend : "", html_escaped(id), html_escaped(description), grid, paths,
      labels);
}

sim::Json LineChart::hover_data() const {
  sim::Json series = sim::Json::array();
  for (const ChartLine& line : lines) {
    sim::Json xs = sim::Json::array(), ys = sim::Json::array();
    for (const auto& [at, value] : line.points) {
      xs.push_back(shortened(at));
      ys.push_back(shortened(value));
    }
    series.push_back(
        {{"name", line.name}, {"color", line.color % kLineColors}, {"x", std::move(xs)}, {"y", std::move(ys)}});
  }
  return {{"x", axis_data(x)}, {"y", axis_data(y)}, {"lines", std::move(series)}};
}

double ShareBar::total() const {
  double total = 0;
  for (const Part& part : parts) total += part.value;
  return total;
}

std::string share_bars_html(const std::vector<ShareBar>& bars) {
  constexpr double kLabelled = 0.07;  // narrower parts have no room for their percentage
  std::string rows, legend;
  std::vector<std::string> named;
  for (const ShareBar& bar : bars) {
    const double total = bar.total();
    std::string parts, spoken;
    for (const ShareBar::Part& part : bar.parts) {
      if (!(part.value > 0) || !(total > 0)) continue;
      const double share = part.value / total;
      const std::string share_text = human_number(share, Unit::kShare);
      const std::string shown =
          part.name + ": " + share_text + (bar.unit == Unit::kShare ? "" : ", " + human_number(part.value, bar.unit));
      parts += fmt::format("<span class=\"part {}\" style=\"width:{:.3f}%\" title=\"{}\">{}</span>",
                           html_escaped(part.key), share * 100, html_escaped(shown),
                           share >= kLabelled ? fmt::format("{:.0f}\u00a0%", share * 100) : std::string());
      spoken += (spoken.empty() ? "" : "; ") + shown;
      if (std::find(named.begin(), named.end(), part.key) == named.end()) {
        named.push_back(part.key);
        legend += fmt::format("<li><i class=\"{}\"></i>{}</li>", html_escaped(part.key), html_escaped(part.name));
      }
    }
    rows += fmt::format(
        "<div class=\"bar-name\">{}</div><div class=\"bar\" role=\"img\" aria-label=\"{}\">{}</div><div "
        "class=\"bar-total\">{}</div>\n",
        html_escaped(bar.name), html_escaped(bar.name + ": " + (spoken.empty() ? "nothing" : spoken)), parts,
        html_escaped(bar.total_text));
  }
  return fmt::format("<ul class=\"legend\">{}</ul>\n<div class=\"bars\">\n{}</div>\n", legend, rows);
}

ShareBar share_bar(std::string name, const sim::Json& parts, Unit unit) {
  ShareBar bar{std::move(name), "", unit, {}};
  if (parts.is_object()) {
    for (const auto& [key, value] : parts.items())
      bar.parts.push_back({key, words_of(key), std::max(0.0, value.is_number() ? value.get<double>() : 0.0)});
  }
  return bar;
}

std::string share_bars_table(const char* caption, const char* parts_are, const std::vector<ShareBar>& bars) {
  HtmlTable table{caption, {parts_are}, {}};
  for (const ShareBar& bar : bars) table.head.push_back(html_escaped(bar.name));
  for (std::size_t i = 0; i < bars.front().parts.size(); ++i) {
    const std::string& key = bars.front().parts[i].key;
    std::vector<std::string> cells = {html_escaped(bars.front().parts[i].name)};
    for (const ShareBar& bar : bars) {
      const auto part =
          std::find_if(bar.parts.begin(), bar.parts.end(), [&](const ShareBar::Part& p) { return p.key == key; });
      cells.push_back(human_number(part == bar.parts.end() ? std::nullopt : std::optional(part->value), bar.unit));
    }
    table.rows.push_back(std::move(cells));
  }
  return html_details("The figures", table.html());
}

std::string sized_bar_html(std::string_view name, double percent, std::string_view value) {
  return fmt::format(
      "<div class=\"bar-name\">{}</div><div class=\"sized\"><i style=\"width:{:.2f}%\"></i><span>{}</span></div>\n",
      name, percent, value);
}

}  // namespace tokenyard::analysis
