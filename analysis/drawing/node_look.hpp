#pragma once
/// How a kind of node looks in drawings of a task graph, whatever draws it: one colour means one thing. Calls to models
/// are blue, what runs elsewhere green, people orange, checks red, ways to choose violet, media yellow, bars grey.
///
///   fmt::format("fill=\"{}\"", look_of(node.kind).fill);

#include "agents/graph/agent.hpp"

namespace tokenyard::analysis {

struct NodeLook {
  std::string_view fill, stroke;
  std::string_view text;       ///< the colour that can be read on `fill`
  std::string_view dot_shape;  ///< Graphviz's
};

/// In the order of the enumeration.
inline constexpr std::array<NodeLook, agents::kNodeKindNames.size()> kNodeLooks = {{
    {"#e3ecfc", "#3b6fc4", "#1c2330", "box"},        // llm
    {"#e2f2e2", "#3b8a4a", "#1c2330", "component"},  // tool
    {"#e2f2e2", "#3b8a4a", "#1c2330", "cylinder"},   // retrieval
    {"#fadfe2", "#b83a4b", "#1c2330", "octagon"},    // guardrail
    {"#fdebd3", "#c07a1c", "#1c2330", "oval"},       // human
    {"#ece2f8", "#7a4db3", "#1c2330", "hexagon"},    // router
    {"#ece2f8", "#7a4db3", "#1c2330", "diamond"},    // choice
    {"#59616e", "#59616e", "#ffffff", "diamond"},    // fan-out
    {"#59616e", "#59616e", "#ffffff", "diamond"},    // join
    {"#e3ecfc", "#3b6fc4", "#1c2330", "box3d"},      // sub-agent
    {"#fbf6d9", "#a8901a", "#1c2330", "note"},       // media
    {"#ffffff", "#59616e", "#1c2330", "oval"},       // end
}};
constexpr const NodeLook& look_of(agents::NodeKind kind) { return kNodeLooks[static_cast<std::size_t>(kind)]; }

}  // namespace tokenyard::analysis
