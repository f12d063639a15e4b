#pragma once
/// Where the nodes and edges of a small directed graph go in a drawing: layers from top to bottom, few crossings.
///
/// The method of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures",
/// 1981): edges that close a cycle are turned round, nodes are put on layers by their longest path, an edge that passes
/// layers gets a bend on each, layers are ordered by barycentres, and places on a layer are the least-squares solution
/// that keeps that order. Every edge has room for its label: labels are laid out like nodes, on layers of their own
/// between two of nodes.
///
/// Deterministic. Cost: a few dozen sweeps over nodes, bends and pairs of edges of neighbouring layers; meant for up to
/// some hundred nodes.
///
///   Layout layout = layered_layout({{120, 40}, {80, 40}}, {{0, 1, 30, 14}});
///   layout.nodes[0].x;              // the centre
///   layout.edges[0].points;         // from border to border, in the direction of the edge

#include <cstdint>
#include <vector>

namespace tokenyard::analysis {

struct Size {
  double width = 0, height = 0;
};
struct Point {
  double x = 0, y = 0;
};

struct LayoutEdge {
  std::uint32_t from = 0, to = 0;
  Size label;
};

struct Layout {
  struct Edge {
    std::vector<Point> points;  ///< a curve goes through them; empty for an edge from a node to itself
    Point label;                ///< its centre
    bool back = false;          ///< closes a cycle: drawn upwards
  };
  std::vector<Point> nodes;  ///< centres
  std::vector<Edge> edges;
  Size size;
};

/// Node 0 is the start where there is a choice. An edge from a node to itself has its label to the right of the node.
Layout layered_layout(const std::vector<Size>& nodes, const std::vector<LayoutEdge>& edges);

}  // namespace tokenyard::analysis
