/// The SVG of a task graph: layered_layout.hpp decides where things go, this what they look like.

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "analysis/drawing/drawing.hpp"
#include "analysis/drawing/layered_layout.hpp"
#include "analysis/drawing/node_look.hpp"
#include "sim/input/text.hpp"

namespace tokenyard::analysis {

using agents::Agent;
using agents::Edge;
using agents::Node;
using agents::NodeKind;

namespace {

// Widths of sans-serif text, on average, at the sizes of the style sheet below.
constexpr double kTitleWidth = 8.0, kDetailWidth = 6.0, kLabelWidth = 5.9, kTop = 44;

/// Then come the kinds' colours, then what a node's class may be joined by.
constexpr const char* kStyle = R"(
  text { font-family: system-ui, "DejaVu Sans", sans-serif; fill: #1c2330; text-anchor: middle; dominant-baseline: central; }
  .heading { font-size: 17px; font-weight: 600; text-anchor: start; }
  .legend { font-size: 11px; text-anchor: start; fill: #5a6372; }
  .title { font-size: 13px; font-weight: 600; }
  .detail { font-size: 11px; fill: #4a5362; }
  .label { font-size: 11px; fill: #3a4352; }
  .plate { fill: #ffffff; fill-opacity: 0.85; }
  .node { stroke-width: 1.5; }
)";
constexpr const char* kStyleOfParts = R"(  .inner { fill: none; }
  .edge { fill: none; stroke: #6b7484; stroke-width: 1.4; }
  .back { stroke: #a0632a; }
  .error { stroke: #b83a4b; stroke-dasharray: 5 3; }
)";

std::string style() {
  std::string style = kStyle;
  for (std::size_t kind = 0; kind < kNodeLooks.size(); ++kind) {
    style += fmt::format("  .{} {{ fill: {}; stroke: {}; }}\n", agents::kNodeKindNames[kind], kNodeLooks[kind].fill,
                         kNodeLooks[kind].stroke);
  }
  return style + kStyleOfParts;
}

/// For XML, which holds no control characters, unlike HTML.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

/// The text of a cylinder stands below its lid.
double lowered(const Node& node) { return node.kind == NodeKind::kRetrieval ? 5 : 0; }

bool is_bar(const Node& node) { return node.kind == NodeKind::kFanOut || node.kind == NodeKind::kJoin; }

/// A polygon around a box whose corners are cut by `x` and `y`.
std::string cut_box(Point c, Size s, double x, double y, std::string_view classes) {
  const double l = c.x - s.width / 2, r = c.x + s.width / 2, t = c.y - s.height / 2, b = c.y + s.height / 2;
  return fmt::format(
      "<polygon class=\"{}\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} "
      "{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\"/>",
      classes, l + x, t, r - x, t, r, t + y, r, b - y, r - x, b, l + x, b, l, b - y, l, t + y);
}

std::string box(Point c, Size s, double radius, std::string_view classes) {
  return fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{:.1f}\"/>",
                     classes, c.x - s.width / 2, c.y - s.height / 2, s.width, s.height, radius);
}

/// A box with a lid above and a curve below.
std::string cylinder(Point c, Size s, std::string_view classes) {
  const double l = c.x - s.width / 2, t = c.y - s.height / 2 + 5, b = c.y + s.height / 2 - 5, half = s.width / 2;
  return fmt::format(
      "<path class=\"{0}\" d=\"M{1:.1f} {2:.1f} a{3:.1f} 5 0 0 1 {4:.1f} 0 V{5:.1f} a{3:.1f} 5 0 0 1 {6:.1f} 0 Z\"/>"
      "<path class=\"{0} inner\" d=\"M{1:.1f} {2:.1f} a{3:.1f} 5 0 0 0 {4:.1f} 0\"/>",
      classes, l, t, half, s.width, b, -s.width);
}

std::string shape(NodeKind kind, Point c, Size s) {
  const std::string classes = "node " + std::string(name_of(kind));
  switch (kind) {
    case NodeKind::kLlm:
      return box(c, s, 10, classes);
    case NodeKind::kHuman:
      return box(c, s, s.height / 2, classes);
    case NodeKind::kGuardrail:
      return cut_box(c, s, std::min(10.0, s.height / 3), std::min(10.0, s.height / 3), classes);
    case NodeKind::kRouter:
    case NodeKind::kChoice:
      return cut_box(c, s, std::min(16.0, s.height / 2), s.height / 2, classes);
    case NodeKind::kRetrieval:
      return cylinder(c, s, classes);
    case NodeKind::kSubAgent:
      return box(c, s, 3, classes) + box(c, {s.width - 12, s.height}, 0, classes + " inner");
    case NodeKind::kEnd:
      return box(c, s, s.height / 2, classes) +
             box(c, {s.width - 7, s.height - 7}, (s.height - 7) / 2, classes + " inner");
    case NodeKind::kTool:
      return box(c, s, 2, classes);
    case NodeKind::kFanOut:
    case NodeKind::kJoin:
    case NodeKind::kMedia:
      return box(c, s, 3, classes);
  }
  return {};
}

/// A smooth curve through the points, vertical at both ends. Between bends it turns no more often than they do: slopes
/// are the harmonic means of Fritsch and Carlson ("Monotone piecewise cubic interpolation", 1980).
std::string curve(const std::vector<Point>& points) {
  std::vector<double> slope(points.size());
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const double before = (points[i].x - points[i - 1].x) / (points[i].y - points[i - 1].y);
    const double after = (points[i + 1].x - points[i].x) / (points[i + 1].y - points[i].y);
    slope[i] = before * after > 0 ? 2 * before * after / (before + after) : 0;
  }
  std::string path = fmt::format("M{:.1f} {:.1f}", points[0].x, points[0].y);
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point& a = points[i - 1];
    const Point& b = points[i];
    // At an end, where the curve is vertical, a longer lever makes a rounder turn.
    const double third = (b.y - a.y) / 3, leave = i == 1 ? 1.5 * third : third,
                 arrive = i + 1 == points.size() ? 1.5 * third : third;
    path += fmt::format(" C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", a.x + slope[i - 1] * leave, a.y + leave,
                        b.x - slope[i] * arrive, b.y - arrive, b.x, b.y);
  }
  return path;
}

class Svg {
 public:
  explicit Svg(const Agent& agent) : agent_(agent) {
    // The start first: the layout begins there.
    order_.push_back(agent.start);
    for (std::uint32_t v = 0; v < agent.nodes.size(); ++v) {
      if (v != agent.start) order_.push_back(v);
    }
    place_.resize(order_.size());
    for (std::uint32_t i = 0; i < order_.size(); ++i) place_[order_[i]] = i;
  }

  std::string make() {
    for (const std::uint32_t v : order_) sizes_.push_back(size_of(agent_.nodes[v]));
    for (std::uint32_t v = 0; v < agent_.nodes.size(); ++v) {
      for (const Edge& edge : agent_.nodes[v].edges) {
        labels_.push_back(edge_label(agent_.nodes[v], edge));
        errors_.push_back(edge.on_error);
        const double width =
            labels_.back().empty() ? 0 : static_cast<double>(sim::characters(labels_.back())) * kLabelWidth + 10;
        edges_.push_back({place_[v], place_[edge.target], {width, labels_.back().empty() ? 0.0 : 16.0}});
      }
    }
    layout_ = layered_layout(sizes_, edges_);
    const double width = std::max(layout_.size.width, 40 + 10 * static_cast<double>(sim::characters(agent_.title)));
    const double legend = draw_legend(std::max(width, 480.0), layout_.size.height + kTop);
    const double whole_width = std::max(width, 480.0), height = layout_.size.height + kTop + legend;
    for (std::size_t e = 0; e < edges_.size(); ++e) draw_edge(e);
    for (std::uint32_t i = 0; i < order_.size(); ++i) draw_node(i);
    for (std::size_t e = 0; e < edges_.size(); ++e) draw_label(e);
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\">\n"
        "<title>{2}</title>\n<style>{3}</style>\n"
        "<defs>{4}</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        "<text class=\"heading\" x=\"20\" y=\"26\">{2}</text>\n{5}<g transform=\"translate({6:.1f} "
        "{7:.0f})\">\n{8}</g>\n</svg>\n",
        whole_width, height, escaped(agent_.title), style(), markers(), legend_, (whole_width - layout_.size.width) / 2,
        kTop, body_);
  }

 private:
  Size size_of(const Node& node) const {
    if (is_bar(node)) return {std::max(70.0, static_cast<double>(sim::characters(node.title)) * kDetailWidth + 16), 18};
    const auto title = static_cast<double>(sim::characters(node.title)) * kTitleWidth;
    const std::string detail = node_detail(agent_, node);
    const auto below = static_cast<double>(sim::characters(detail)) * kDetailWidth;
    return {std::max({64.0, title, below}) + 34, (detail.empty() ? 32.0 : 46.0) + 2 * lowered(node)};
  }

  static std::string markers() {
    std::string all;
    for (const auto& [id, colour] : {std::pair{"ahead", "#6b7484"}, {"back", "#a0632a"}, {"error", "#b83a4b"}}) {
      all += fmt::format(
          "<marker id=\"{}\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
          "orient=\"auto\" markerUnits=\"userSpaceOnUse\">"
          "<path d=\"M0 0.5 L8 4 L0 7.5 Z\" fill=\"{}\"/></marker>",
          id, colour);
    }
    return all;
  }

  void draw_edge(std::size_t e) {
    const Layout::Edge& edge = layout_.edges[e];
    const bool loop = edge.points.empty();
    const std::string_view style = errors_[e] ? "error" : edge.back || loop ? "back" : "ahead";
    std::string path;
    if (loop) {
      const std::uint32_t v = edges_[e].from;
      const double x = layout_.nodes[v].x + sizes_[v].width / 2, y = layout_.nodes[v].y, out = x + 26;
      path = fmt::format("M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", x, y - 9, out, y - 18, out,
                         y + 18, x, y + 9);
    } else {
      path = curve(edge.points);
    }
    body_ += fmt::format("<path class=\"edge {0}\" marker-end=\"url(#{0})\" d=\"{1}\"/>\n", style, path);
  }

  void draw_label(std::size_t e) {
    if (labels_[e].empty()) return;
    const Point& at = layout_.edges[e].label;
    body_ +=
        box(at, {edges_[e].label.width - 4, 15}, 3, "plate") +
        fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", at.x, at.y, escaped(labels_[e]));
  }

  void draw_node(std::uint32_t i) {
    const Node& node = agent_.nodes[order_[i]];
    const Point& at = layout_.nodes[i];
    body_ += "<g>";
    if (!node.note.empty()) body_ += "<title>" + escaped(node.note) + "</title>";
    if (is_bar(node)) {
      body_ += shape(node.kind, at, sizes_[i]);
      body_ += fmt::format("<text class=\"detail\" style=\"fill:{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>\n",
                           look_of(node.kind).text, at.x, at.y, escaped(node.title));
      return;
    }
    body_ += shape(node.kind, at, sizes_[i]);
    const std::string detail = node_detail(agent_, node);
    body_ += fmt::format("<text class=\"title\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", at.x,
                         at.y + lowered(node) - (detail.empty() ? 0 : 8), escaped(node.title));
    if (!detail.empty())
      body_ += fmt::format("<text class=\"detail\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", at.x,
                           at.y + lowered(node) + 10, escaped(detail));
    body_ += "</g>\n";
  }

  /// The kinds that occur, in rows; returns the height.
  double draw_legend(double width, double top) {
    std::set<NodeKind> kinds;
    for (const Node& node : agent_.nodes) kinds.insert(node.kind);
    double x = 20, y = top + 10;
    for (const NodeKind kind : kinds) {
      const double item = 34 + static_cast<double>(name_of(kind).size()) * kLabelWidth + 18;
      if (x + item > width) x = 20, y += 22;
      legend_ += shape(kind, {x + 14, y}, {28, 14}) +
                 fmt::format("<text class=\"legend\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 34, y, name_of(kind));
      x += item;
    }
    return y - top + 22;
  }

  const Agent& agent_;
  std::vector<std::uint32_t> order_, place_;
  std::vector<Size> sizes_;
  std::vector<LayoutEdge> edges_;
  std::vector<std::string> labels_;
  std::vector<bool> errors_;
  Layout layout_;
  std::string body_, legend_;
};

}  // namespace

std::string to_svg(const Agent& agent) { return Svg(agent).make(); }

}  // namespace tokenyard::analysis
