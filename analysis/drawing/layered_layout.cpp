#include "analysis/drawing/layered_layout.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/depth_first_search.hpp>
#include <limits>
#include <utility>

namespace tokenyard::analysis {
namespace {

constexpr double kNodeGap = 28, kLaneGap = 14, kLayerGap = 20, kLoopWidth = 26, kMargin = 20;
constexpr int kOrderSweeps = 24, kPlaceSweeps = 40;

/// What stands on a layer: a node, or a bend of an edge with, on one of them, the edge's label.
struct Item {
  Size size;
  std::uint32_t layer = 0;
  bool bend = false;
  double x = 0;
  std::vector<std::uint32_t> up, down;  ///< neighbours on the layers above and below
};

class LayeredLayout {
 public:
  LayeredLayout(const std::vector<Size>& nodes, const std::vector<LayoutEdge>& edges) : nodes_(nodes), edges_(edges) {}

  Layout make() {
    find_back_edges();
    assign_layers();
    add_items();
    order_layers();
    place();
    return result();
  }

 private:
  bool is_loop(std::size_t e) const { return edges_[e].from == edges_[e].to; }
  /// The edge without cycles: a back edge turned round.
  std::pair<std::uint32_t, std::uint32_t> downwards(std::size_t e) const {
    return back_[e] ? std::pair(edges_[e].to, edges_[e].from) : std::pair(edges_[e].from, edges_[e].to);
  }

  /// Those that close a cycle, as a depth-first search in the order of nodes and edges finds them.
  void find_back_edges() {
    using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, std::size_t>;
    Graph graph(nodes_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      if (!is_loop(e)) boost::add_edge(edges_[e].from, edges_[e].to, e, graph);
    }
    struct Finder : boost::dfs_visitor<> {
      std::vector<bool>* back;
      void back_edge(Graph::edge_descriptor e, const Graph& of) const { (*back)[of[e]] = true; }
    };
    back_.assign(edges_.size(), false);
    boost::depth_first_search(graph, boost::visitor(Finder{{}, &back_}));
  }

  /// Longest paths; as many rounds as layers settle them.
  void assign_layers() {
    layer_.assign(nodes_.size(), 0);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t e = 0; e < edges_.size(); ++e) {
        if (is_loop(e)) continue;
        const auto [a, b] = downwards(e);
        if (layer_[b] < layer_[a] + 2) layer_[b] = layer_[a] + 2, changed = true;
      }
    }
  }

  void add_items() {
    std::vector<double> loop_width(nodes_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      if (is_loop(e))
        loop_width[edges_[e].from] = std::max(loop_width[edges_[e].from], kLoopWidth + edges_[e].label.width);
    }
    for (std::uint32_t v = 0; v < nodes_.size(); ++v) {
      // Room for a loop on both sides keeps the node's centre in the middle.
      items_.push_back({{nodes_[v].width + 2 * loop_width[v], nodes_[v].height}, layer_[v], false, 0, {}, {}});
    }
    bends_.resize(edges_.size());
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      if (is_loop(e)) continue;
      const auto [a, b] = downwards(e);
      const std::uint32_t label_layer = edges_[e].to == b ? layer_[a] + 1 : layer_[b] - 1;
      std::uint32_t before = a;
      for (std::uint32_t layer = layer_[a] + 1; layer < layer_[b]; ++layer) {
        const auto item = static_cast<std::uint32_t>(items_.size());
        items_.push_back({layer == label_layer ? edges_[e].label : Size{}, layer, true, 0, {}, {}});
        connect(before, item);
        bends_[e].push_back(item);
        before = item;
      }
      connect(before, b);
    }
    layers_.resize(1 + *std::max_element(layer_.begin(), layer_.end()));
    // Depth first from the start: neighbours begin near each other.
    std::vector<bool> seen(items_.size());
    for (std::uint32_t root = 0; root < items_.size(); ++root) {
      std::vector<std::uint32_t> open = {root};
      while (!open.empty()) {
        const std::uint32_t i = open.back();
        open.pop_back();
        if (seen[i]) continue;
        seen[i] = true;
        layers_[items_[i].layer].push_back(i);
        open.insert(open.end(), items_[i].down.rbegin(), items_[i].down.rend());
      }
    }
  }
  void connect(std::uint32_t above, std::uint32_t below) {
    items_[above].down.push_back(below);
    items_[below].up.push_back(above);
  }

  std::vector<std::uint32_t> ranks() const {
    std::vector<std::uint32_t> rank(items_.size());
    for (const auto& layer : layers_) {
      for (std::uint32_t i = 0; i < layer.size(); ++i) rank[layer[i]] = i;
    }
    return rank;
  }

  std::size_t crossings() const {
    const std::vector<std::uint32_t> rank = ranks();
    std::size_t count = 0;
    for (const auto& layer : layers_) {
      std::vector<std::pair<std::uint32_t, std::uint32_t>> lines;
      for (const std::uint32_t i : layer) {
        for (const std::uint32_t below : items_[i].down) lines.emplace_back(rank[i], rank[below]);
      }
      for (std::size_t a = 0; a < lines.size(); ++a) {
        for (std::size_t b = a + 1; b < lines.size(); ++b) {
          count += (lines[a].first < lines[b].first && lines[a].second > lines[b].second) ||
                           (lines[a].first > lines[b].first && lines[a].second < lines[b].second)
                       ? 1
                       : 0;
        }
      }
    }
    return count;
  }

  void order_layers() {
    auto best = layers_;
    std::size_t fewest = crossings();
    for (int sweep = 0; sweep < kOrderSweeps && fewest > 0; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t k = 1; k < layers_.size(); ++k) {
        auto& layer = layers_[down ? k : layers_.size() - 1 - k];
        const std::vector<std::uint32_t> rank = ranks();
        const auto centre = [&](std::uint32_t i) {
          const auto& around = down ? items_[i].up : items_[i].down;
          if (around.empty()) return static_cast<double>(rank[i]);
          double sum = 0;
          for (const std::uint32_t other : around) sum += rank[other];
          return sum / static_cast<double>(around.size());
        };
        std::stable_sort(layer.begin(), layer.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return centre(a) < centre(b); });
      }
      const std::size_t count = crossings();
      if (count < fewest) fewest = count, best = layers_;
    }
    layers_ = std::move(best);
  }

  static double gap(const Item& a, const Item& b) {
    return (a.size.width + b.size.width) / 2 + (a.bend || b.bend ? kLaneGap : kNodeGap);
  }

  /// The places nearest to `wanted` in the sense of least squares that keep order and gaps: pool adjacent violators.
  void settle(const std::vector<std::uint32_t>& layer, const std::vector<double>& wanted) {
    struct Block {
      double sum = 0;
      std::size_t count = 0;
      double mean() const { return sum / static_cast<double>(count); }
    };
    std::vector<Block> blocks;
    std::vector<double> offset(layer.size());
    for (std::size_t i = 0; i < layer.size(); ++i) {
      if (i > 0) offset[i] = offset[i - 1] + gap(items_[layer[i - 1]], items_[layer[i]]);
      blocks.push_back({wanted[i] - offset[i], 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        const Block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().count += last.count;
      }
    }
    std::size_t i = 0;
    for (const Block& block : blocks) {
      for (std::size_t n = 0; n < block.count; ++n, ++i) items_[layer[i]].x = block.mean() + offset[i];
    }
  }

  void place() {
    for (const auto& layer : layers_) settle(layer, std::vector<double>(layer.size(), 0));
    for (int sweep = 0; sweep < kPlaceSweeps; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t k = 0; k < layers_.size(); ++k) {
        const auto& layer = layers_[down ? k : layers_.size() - 1 - k];
        std::vector<double> wanted;
        for (const std::uint32_t i : layer) {
          // A bend straightens its edge more than a node follows its neighbours.
          double sum = 0, weight = 0;
          for (const auto* around : {&items_[i].up, &items_[i].down}) {
            for (const std::uint32_t other : *around) {
              const double w = items_[other].bend && items_[i].bend ? 4 : 1;
              sum += w * items_[other].x;
              weight += w;
            }
          }
          wanted.push_back(weight > 0 ? sum / weight : items_[i].x);
        }
        settle(layer, wanted);
      }
    }
  }

  /// Where edges meet a node's border: side by side, in the order of where they come from.
  double port(std::uint32_t node, bool below, std::uint32_t other) const {
    std::vector<std::uint32_t> around = below ? items_[node].down : items_[node].up;
    std::stable_sort(around.begin(), around.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return items_[a].x < items_[b].x; });
    const auto at = static_cast<double>(std::find(around.begin(), around.end(), other) - around.begin());
    const double count = static_cast<double>(around.size());
    const double spread = std::min(18.0, nodes_[node].width * 0.8 / count);
    return items_[node].x + (at - (count - 1) / 2) * spread;
  }

  /// Of the tallest node of a layer; 0 for a layer of labels.
  double node_height(std::uint32_t layer) const {
    double height = 0;
    for (const std::uint32_t i : layers_[layer]) height = std::max(height, items_[i].bend ? 0 : items_[i].size.height);
    return height;
  }

  Layout result() const {
    Layout layout;
    std::vector<double> middle(layers_.size());
    double y = kMargin, left = std::numeric_limits<double>::max(), right = std::numeric_limits<double>::lowest();
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      double height = 0;
      for (const std::uint32_t i : layers_[k]) {
        height = std::max(height, items_[i].size.height);
        left = std::min(left, items_[i].x - items_[i].size.width / 2);
        right = std::max(right, items_[i].x + items_[i].size.width / 2);
      }
      middle[k] = y + height / 2;
      y += height + kLayerGap;
    }
    const double shift = kMargin - left;
    layout.size = {right - left + 2 * kMargin, y - kLayerGap + kMargin};
    for (std::uint32_t v = 0; v < nodes_.size(); ++v) layout.nodes.push_back({items_[v].x + shift, middle[layer_[v]]});
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      Layout::Edge edge;
      if (is_loop(e)) {
        const std::uint32_t v = edges_[e].from;
        edge.label = {layout.nodes[v].x + nodes_[v].width / 2 + kLoopWidth + edges_[e].label.width / 2,
                      layout.nodes[v].y};
        layout.edges.push_back(std::move(edge));
        continue;
      }
      edge.back = back_[e];
      const auto [a, b] = downwards(e);
      edge.points.push_back({port(a, true, bends_[e].front()) + shift, middle[layer_[a]] + nodes_[a].height / 2});
      for (const std::uint32_t i : bends_[e]) {
        // Straight down between the nodes of a layer: a curve would cut their corners.
        const double x = items_[i].x + shift, at = middle[items_[i].layer], half = node_height(items_[i].layer) / 2;
        edge.points.push_back({x, at - half});
        if (half > 0) edge.points.push_back({x, at + half});
      }
      edge.points.push_back({port(b, false, bends_[e].back()) + shift, middle[layer_[b]] - nodes_[b].height / 2});
      edge.label = edge.points[back_[e] ? edge.points.size() - 2 : 1];
      if (back_[e]) std::reverse(edge.points.begin(), edge.points.end());
      layout.edges.push_back(std::move(edge));
    }
    return layout;
  }

  const std::vector<Size>& nodes_;
  const std::vector<LayoutEdge>& edges_;
  std::vector<bool> back_;
  std::vector<std::uint32_t> layer_;
  std::vector<Item> items_;  ///< the nodes first
  std::vector<std::vector<std::uint32_t>> bends_, layers_;
};

}  // namespace

Layout layered_layout(const std::vector<Size>& nodes, const std::vector<LayoutEdge>& edges) {
  if (nodes.empty()) return {};
  return LayeredLayout(nodes, edges).make();
}

}  // namespace tokenyard::analysis
