#pragma once
/// Charts as plain HTML and SVG, drawn here so that they stand in the page without a script, in print too.
///
/// Lines are SVG paths on a grid of 1000 × 1000 that the browser stretches to any width; labels are HTML, so they keep
/// their size on a phone. Coordinates are whole numbers: a chart has the same bytes on every machine. Hovering reads
/// the values from `hover_data`, which goes into the page's data block under the chart's id.
///
///   LineChart chart{"cdf-ttft", "Time to first token", "Share of calls …", x_axis, y_axis, lines};
///   page += chart.html();  data[chart.id] = chart.hover_data();

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/page/human_number.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct Axis {
  double from = 0, to = 1;
  Unit unit = Unit::kCount;
  bool logarithmic = false;  ///< needs 0 < from

  /// 0 at `from`, 1 at `to`, clamped.
  double position(double value) const;
  /// Round numbers within the axis, some three to seven.
  std::vector<double> ticks() const;

  /// From 0 to a round number at or above `greatest`.
  static Axis from_zero(double greatest, Unit unit);
  /// Holds [least, greatest], 0 < least: logarithmic unless that spans less than a factor of four.
  static Axis around(double least, double greatest, Unit unit);
};

struct ChartLine {
  struct Band {
    double x, least, greatest;
  };
  std::string name;                               ///< plain text
  std::size_t color = 0;                          ///< the n-th of the page's eight line colours, round and round
  std::vector<std::pair<double, double>> points;  ///< x rising
  std::vector<Band> band;                         ///< shaded behind the line: the spread of what a point stands for
};

struct LineChart {
  struct Marker {
    double x;
    std::string label;  ///< plain text
  };
  std::string id;
  std::string title, description;  ///< plain text; the description is what a screen reader says
  Axis x, y;
  std::vector<ChartLine> lines;
  std::vector<Marker> markers;  ///< vertical lines: a limit, the end of the warm-up

  std::string html() const;
  sim::Json hover_data() const;
};

/// A bar of 100 %, cut by parts of a whole.
struct ShareBar {
  struct Part {
    std::string key;   ///< also the class that colours it in page.css: "decode"
    std::string name;  ///< plain text
    double value;      ///< at least 0, in one unit for all parts
  };
  std::string name;        ///< plain text
  std::string total_text;  ///< plain text, at the end of the bar
  Unit unit;               ///< of the parts' values, shown on hovering
  std::vector<Part> parts;

  double total() const;
};

/// A bar of an object's numbers, each a part under its key; what is no number, or below 0, is 0.
ShareBar share_bar(std::string name, const sim::Json& parts, Unit unit);

/// Bars below each other under one legend, which names the parts that some bar has.
std::string share_bars_html(const std::vector<ShareBar>& bars);
/// The figures behind bars, folded away: a row for each part of the first, a column for each bar.
std::string share_bars_table(const char* caption, const char* parts_are, const std::vector<ShareBar>& bars);

/// A row of a <div class="bars two">: a bar over so many percent of the room, and behind it the value that it stands
/// for; of HTML.
std::string sized_bar_html(std::string_view name, double percent, std::string_view value);

}  // namespace tokenyard::analysis
