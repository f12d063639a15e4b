#include "analysis/drawing/drawing.hpp"

#include <cmath>
#include <fmt/format.h>

#include "agents/graph/agent_catalog.hpp"
#include "analysis/drawing/layered_layout.hpp"
#include "analysis/drawing/node_look.hpp"
#include "sim/random/stream.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using namespace tokenyard::analysis;
using Catch::Matchers::Contains;

namespace {

std::shared_ptr<Agent> read(const std::string& text) {
  sim::Faults faults;
  auto agent = Agent::read(sim::JsonFile::parse(text, "agent", faults), faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  return agent;
}

const std::string kAgent =
    R"({"schema": "tokenyard.agent/1", "name": "a", "title": "An <agent> & more", "services": {"desk": {"capacity": 4}},
  "nodes": {"think": {"kind": "llm", "output_tokens": 120, "title": "Think \"hard\""}, "look": {"kind": "tool", "latency_s": 2, "service": "desk", "error": 0.1},
            "end": {"kind": "end"}, "lost": {"kind": "end", "status": "failed"}},
  "edges": [{"from": "think", "to": "look", "count": 3, "plus": 1}, {"from": "think", "to": "end"}, {"from": "look", "to": "think"},
            {"from": "look", "to": "lost", "on": "error"}], "start": "think"})";

bool overlap(Point a, Size sa, Point b, Size sb) {
  return std::fabs(a.x - b.x) < (sa.width + sb.width) / 2 && std::fabs(a.y - b.y) < (sa.height + sb.height) / 2;
}

}  // namespace

TEST_CASE("Drawing: text tells nodes, what they do, and how edges are chosen") {
  const std::string text = to_text(*read(kAgent));
  CHECK_THAT(text, Contains("▶ think [llm]  120 out\n    → look  (4 of the urn)\n    → end  (when empty)\n"));
  CHECK_THAT(text, Contains("look [tool]  2 s, 4 desk\n    → think\n    → lost  (on error)\n"));
}

TEST_CASE("Drawing: names are quoted for Graphviz and escaped for SVG") {
  CHECK_THAT(to_dot(*read(kAgent)),
             Contains("Think \\\"hard\\\"") && Contains("\"think\" -> \"look\" [label=\"4 of the urn\"]"));
  const std::string svg = to_svg(*read(kAgent));
  CHECK_THAT(svg, Contains("An &lt;agent&gt; &amp; more") && Contains("Think &quot;hard&quot;"));
}

TEST_CASE("Drawing: a kind of node has the same colours in Graphviz and in SVG") {
  const std::string dot = to_dot(*read(kAgent)), svg = to_svg(*read(kAgent));
  for (const NodeKind kind : {NodeKind::kLlm, NodeKind::kTool, NodeKind::kEnd}) {
    const NodeLook& look = look_of(kind);
    INFO(name_of(kind));
    CHECK_THAT(svg, Contains(fmt::format(".{} {{ fill: {}; stroke: {}; }}", name_of(kind), look.fill, look.stroke)));
    CHECK_THAT(dot, Contains(fmt::format("fillcolor=\"{}\", color=\"{}\"", look.fill, look.stroke)) &&
                        Contains(fmt::format("shape={}, ", look.dot_shape)));
  }
  CHECK_THAT(dot, Contains("style=\"rounded,filled\"") && Contains("peripheries=2"));
}

TEST_CASE("Drawing: of every built-in agent") {
  sim::Faults faults;
  const AgentCatalog catalog = AgentCatalog::load(faults);
  for (const std::string& name : catalog.names()) {
    INFO(name);
    CHECK(to_text(*catalog.find(name)).size() > 100);
    CHECK_THAT(to_svg(*catalog.find(name)), Catch::Matchers::EndsWith("</svg>\n"));
  }
}

TEST_CASE("Layout: of random graphs, nodes and labels overlap nowhere and edges end at their nodes") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    sim::Stream stream(seed, sim::StreamName("layout-test"), 0);
    const auto below = [&](double n) { return static_cast<std::uint32_t>(stream.uniform() * n); };
    std::vector<Size> nodes(3 + below(15));
    for (Size& size : nodes) size = {60 + 100 * stream.uniform(), 30 + 20 * stream.uniform()};
    std::vector<LayoutEdge> edges(nodes.size() + below(12));
    for (LayoutEdge& edge : edges) {
      const auto count = static_cast<double>(nodes.size());
      edge.from = below(count);
      edge.to = below(count);
      edge.label = {80 * stream.uniform(), 14};
    }
    const Layout layout = layered_layout(nodes, edges);
    INFO("seed " << seed);
    REQUIRE(layout.nodes.size() == nodes.size());
    REQUIRE(layout.edges.size() == edges.size());
    std::vector<std::pair<Point, Size>> boxes;
    for (std::size_t v = 0; v < nodes.size(); ++v) boxes.emplace_back(layout.nodes[v], nodes[v]);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      if (edges[e].from != edges[e].to) boxes.emplace_back(layout.edges[e].label, edges[e].label);
    }
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      CHECK(boxes[i].first.x >= boxes[i].second.width / 2);
      CHECK(boxes[i].first.x + boxes[i].second.width / 2 <= layout.size.width);
      for (std::size_t j = i + 1; j < boxes.size(); ++j)
        CHECK_FALSE(overlap(boxes[i].first, boxes[i].second, boxes[j].first, boxes[j].second));
    }
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const auto& points = layout.edges[e].points;
      if (edges[e].from == edges[e].to) continue;
      const Point from = layout.nodes[edges[e].from], to = layout.nodes[edges[e].to];
      CHECK(std::fabs(std::fabs(points.front().y - from.y) - nodes[edges[e].from].height / 2) < 1e-9);
      CHECK(std::fabs(std::fabs(points.back().y - to.y) - nodes[edges[e].to].height / 2) < 1e-9);
      CHECK(layout.edges[e].back == (points.front().y > points.back().y));
    }
  }
}
