#pragma once
/// An agent's task graph, drawn: as text to read, in Graphviz's language, or as an SVG that needs no other program.
///
/// Colour and shape say what a node is. Edges carry how they are chosen: a probability, "5.6 of the urn" for edges
/// drawn by count (the mean), "at most 3", "on error", "else". Numbers in nodes are means of their distributions.
///
///   write(folder / "sales.svg", to_svg(*catalog.find("sales")));

#include <string>

#include "agents/graph/agent.hpp"

namespace tokenyard::analysis {

std::string to_text(const agents::Agent& agent);
std::string to_dot(const agents::Agent& agent);
std::string to_svg(const agents::Agent& agent);

/// "0.35", "5.65 of the urn, one last", "at most 3", "on error", "else"; empty for the only way on.
std::string edge_label(const agents::Node& from, const agents::Edge& edge);
/// What the node does, in short: "129 tokens out", "2.1 s, 4 at once".
std::string node_detail(const agents::Agent& agent, const agents::Node& node);

}  // namespace tokenyard::analysis
