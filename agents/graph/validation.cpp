#include "agents/graph/validation.hpp"

#include <boost/graph/depth_first_search.hpp>
#include <boost/graph/filtered_graph.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <cmath>
#include <fmt/format.h>
#include <functional>

#include "agents/graph/task_graph.hpp"

namespace tokenyard::agents {
namespace {

struct EdgeFilter {
  std::function<bool(const TaskGraph::edge_descriptor&)> keep;
  bool operator()(const TaskGraph::edge_descriptor& e) const { return keep(e); }
};

/// Notes the source of every edge that closes a cycle.
struct BackEdges : boost::dfs_visitor<> {
  std::vector<std::size_t>* found;
  template <class Descriptor, class Graph>
  void back_edge(Descriptor e, const Graph& graph) const {
    found->push_back(boost::source(e, graph));
  }
};

/// The vertices that a depth-first search came to; it may go on from another.
class Reached {
 public:
  explicit Reached(std::size_t vertices) : colors_(vertices, boost::white_color) {}
  template <class Graph>
  void from(std::size_t v, const Graph& graph) {
    if (!has(v)) boost::depth_first_visit(graph, v, boost::default_dfs_visitor(), colors_.data());
  }
  bool has(std::size_t v) const { return colors_[v] != boost::white_color; }

 private:
  std::vector<boost::default_color_type> colors_;
};

class Validation {
 public:
  Validation(const Agent& agent, sim::Faults& faults) : agent_(agent), graph_(task_graph(agent)), faults_(faults) {}

  void run() {
    const std::size_t before = faults_.size();
    for (std::uint32_t v = 0; v < agent_.nodes.size(); ++v) check_edges_of(v);
    check_reachable();
    check_ends();
    check_loops();
    if (faults_.size() == before) check_branches();
  }

 private:
  void fault(std::size_t node, std::string_view key, std::string found, std::string allowed) {
    const std::string place = sim::pointer_to("/nodes", agent_.nodes[node].name);
    faults_.add(agent_.file, key.empty() ? place : sim::pointer_to(place, key), std::move(found), std::move(allowed));
  }

  void check_edges_of(std::uint32_t v) {
    const Node& n = agent_.nodes[v];
    const std::vector<Edge>& edges = n.edges;
    if (n.kind == NodeKind::kEnd) {
      if (!edges.empty()) fault(v, "", "an end with outgoing edges", "no edges from an end");
      return;
    }
    if (edges.empty()) {
      fault(v, "", "no outgoing edge", "an edge to another node, or kind end");
      return;
    }
    double sum = 0;
    std::size_t counts = 0, lasts = 0, errors = 0, elses = 0, unbounded = 0;
    bool outputs = true;
    for (const Edge& edge : edges) {
      counts += edge.count.given ? 1 : 0;
      lasts += edge.last ? 1 : 0;
      errors += edge.on_error ? 1 : 0;
      elses += edge.otherwise ? 1 : 0;
      if (edge.chance()) sum += edge.p;
      unbounded += edge.otherwise || (edge.chance() && edge.max == kNone) ? 1 : 0;
      outputs = outputs && edge.output_tokens.given;
    }
    if (n.calls_model() && !n.output_tokens.given && !outputs) {
      fault(v, "output_tokens", "nothing", "a distribution here or on every edge from this node");
    }
    if (n.calls_model() && n.fresh && n.shared_prefix.tokens == 0 && !n.prompt_tokens.given) {
      fault(v, "prompt_tokens", "nothing", "prompt_tokens or role_prefix_tokens: a fresh prompt must hold something");
    }
    if (n.kind == NodeKind::kFanOut) {
      for (const Edge& edge : edges) {
        if (!edge.chance() || edge.p != 1 || edge.max != kNone) {
          fault(v, "", "an edge with a condition from a fan-out", "plain edges: a fan-out takes all of them");
        }
      }
      return;
    }
    if (n.chances > 0 && std::fabs(sum - 1) > 1e-9) {
      fault(v, "", fmt::format("outgoing probabilities that sum to {}", sum), "edges with p whose sum is 1");
    }
    if (n.chances > 0 && unbounded == 0) {
      fault(v, "", "only edges with max", "one edge without max, or one marked else: the way on when all are used up");
    }
    if (n.chances == 0 && counts == 0) fault(v, "", "no edge to take ordinarily", "edges with p or count");
    if (n.chances == 0 && counts > 0 && lasts == 0) {
      fault(v, "", "only edges with count",
            "one of them marked last, or an edge with p: the way on when all are used up");
    }
    if (lasts > 1) fault(v, "", fmt::format("{} edges marked last", lasts), "at most one");
    if (errors > 1) fault(v, "", fmt::format("{} edges on error", errors), "at most one");
    if (elses > 1) fault(v, "", fmt::format("{} edges marked else", elses), "at most one");
  }

  void check_reachable() {
    Reached reached(agent_.nodes.size());
    reached.from(agent_.start, graph_);
    for (std::uint32_t v = 0; v < agent_.nodes.size(); ++v) {
      if (!reached.has(v)) fault(v, "", "a node that no walk reaches", "a node that can be reached from \"start\"");
    }
  }

  void check_ends() {
    Reached backwards(agent_.nodes.size());
    for (std::uint32_t v = 0; v < agent_.nodes.size(); ++v) {
      if (agent_.nodes[v].kind == NodeKind::kEnd) backwards.from(v, boost::make_reverse_graph(graph_));
    }
    for (std::uint32_t v = 0; v < agent_.nodes.size(); ++v) {
      if (!backwards.has(v)) fault(v, "", "no way to an end", "a path to a node of kind end");
    }
  }

  /// An infinite walk would take some edges for ever. Edges with max are not among them; nor are those of an urn,
  /// unless it is opened for ever, which takes an edge that leaves it: one by probability, or the last. So without a
  /// cycle among *those* edges every walk ends.
  void check_loops() {
    const auto leaves = [this](const TaskGraph::edge_descriptor& e) {
      const Edge& edge = *graph_[e];
      if (edge.count.given) return edge.last && agent_.nodes[boost::source(e, graph_)].chances == 0;
      return edge.max == kNone;
    };
    std::vector<std::size_t> found;
    const boost::filtered_graph<TaskGraph, EdgeFilter> unbounded(graph_, EdgeFilter{leaves});
    boost::depth_first_search(unbounded, boost::visitor(BackEdges{{}, &found}));
    for (const std::size_t v : found) {
      fault(v, "", "an edge that closes a loop without bound", "max or count on an edge of every loop");
    }
  }

  /// Walks a region: the main walk (no join), or the branches of a fan-out up to its join. A fan-out inside is passed
  /// over to its join; its own region is checked by itself.
  void check_region(std::vector<std::uint32_t> open, std::uint32_t fan_out) {
    const std::uint32_t stop = fan_out == kNone ? kNone : agent_.nodes[fan_out].join;
    std::vector<bool> seen(agent_.nodes.size());
    while (!open.empty()) {
      std::uint32_t v = open.back();
      open.pop_back();
      if (seen[v]) continue;
      seen[v] = true;
      const Node& n = agent_.nodes[v];
      if (v == stop) continue;
      if (n.kind == NodeKind::kJoin) {
        fault(v, "",
              fan_out == kNone ? "a join reached outside its fan-out"
                               : "a join reached by branches of the fan-out \"" + agent_.nodes[fan_out].name + '"',
              "a join where the branches of its own fan-out meet");
        continue;
      }
      if (n.kind == NodeKind::kEnd && fan_out != kNone) {
        fault(v, "", "an end reached by a branch of the fan-out \"" + agent_.nodes[fan_out].name + '"',
              "branches that end at their join");
      }
      if (n.kind == NodeKind::kFanOut) {
        if (v == fan_out || n.join == stop) {
          fault(v, "join",
                v == fan_out ? "a branch that comes back to its fan-out" : "a join shared by nested fan-outs",
                "a join of its own for each fan-out");
          continue;
        }
        v = n.join;
      }
      for (const Edge& edge : agent_.nodes[v].edges) open.push_back(edge.target);
    }
  }

  void check_branches() {
    check_region({agent_.start}, kNone);
    std::vector<bool> used(agent_.nodes.size());
    for (std::uint32_t v = 0; v < agent_.nodes.size(); ++v) {
      if (agent_.nodes[v].kind != NodeKind::kFanOut) continue;
      used[agent_.nodes[v].join] = true;
      std::vector<std::uint32_t> branches;
      for (const Edge& edge : agent_.nodes[v].edges) branches.push_back(edge.target);
      check_region(std::move(branches), v);
    }
    for (std::uint32_t v = 0; v < agent_.nodes.size(); ++v) {
      if (agent_.nodes[v].kind == NodeKind::kJoin && !used[v])
        fault(v, "", "a join without a fan-out", "a fan-out whose \"join\" is this node");
    }
  }

  const Agent& agent_;
  const TaskGraph graph_;
  sim::Faults& faults_;
};

}  // namespace

void validate(const Agent& agent, sim::Faults& faults) { Validation(agent, faults).run(); }

}  // namespace tokenyard::agents
