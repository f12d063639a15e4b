#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <numeric>

#include "analysis/fit_agent/learn.hpp"
#include "analysis/fit_agent/learned_json.hpp"

namespace tokenyard::analysis {
namespace {

using agents::StepKind;
using sim::Json;

constexpr double kUsually = 0.9;  ///< of the tasks: a loop that is left the same way
constexpr double kNever = 0.01;   ///< of the departures: noise
constexpr std::size_t kEnoughOfAnEdge = 20, kEnoughRounds = 50;

struct EdgeData {
  std::uint32_t from = 0, to = 0;
  std::vector<double> outputs;
  double taken = 0, taken_last = 0;  ///< departures; those that were the last from the node in their task
  std::vector<double> of_task;       ///< how often, in each task that left the node for good by an exit
  bool exit = false;
};

class GraphLearner {
 public:
  explicit GraphLearner(const Observed& observed) : o_(observed), end_(static_cast<std::uint32_t>(o_.nodes.size())) {}

  Json learn(const std::string& name, const std::string& source) {
    gather();
    find_loops();
    Json agent = agent_head(o_, name, source, "as recorded", o_.tasks.size());
    add_contexts(agent);
    add_nodes(agent);
    agent["start"] = o_.tasks.empty() ? "" : start();
    add_edges(agent);
    return agent;
  }

 private:
  std::string name_of(std::uint32_t node) const {
    if (node == end_) return unique("end");
    for (std::uint32_t other = 0; other < node; ++other) {
      if (o_.nodes[other].name == o_.nodes[node].name)
        return o_.nodes[node].name + "-" +
               std::string(agents::kStepKindNames[static_cast<std::size_t>(o_.nodes[node].kind)]);
    }
    return o_.nodes[node].name;
  }
  std::string unique(std::string name) const {
    while (std::any_of(o_.nodes.begin(), o_.nodes.end(), [&](const ObservedNode& n) { return n.name == name; }))
      name += "-of-task";
    return name;
  }

  void gather() {
    added_.resize(o_.nodes.size());
    results_.resize(o_.nodes.size());
    seconds_.resize(o_.nodes.size());
    visits_.resize(o_.nodes.size());
    for (const ObservedTask& task : o_.tasks) {
      if (task.visits.empty()) continue;
      starts_[task.visits.front().node] += 1;
      std::map<std::uint32_t, std::uint32_t> last_departure;
      std::map<std::uint32_t, std::uint32_t> wait_of_context;  // since its last call: who brought what is new
      for (std::size_t i = 0; i < task.visits.size(); ++i) {
        const Visit& visit = task.visits[i];
        const std::uint32_t to = i + 1 < task.visits.size() ? task.visits[i + 1].node : end_;
        EdgeData& edge = edges_[{visit.node, to}];
        edge.from = visit.node;
        edge.to = to;
        edge.taken += 1;
        last_departure[visit.node] = to;
        visits_[visit.node] += 1;
        const ObservedNode& node = o_.nodes[visit.node];
        if (node.kind != StepKind::kCall) {
          seconds_[visit.node].push_back(visit.seconds);
          for (auto& [context, wait] : wait_of_context) wait = visit.node;
          continue;
        }
        edge.outputs.push_back(visit.output);
        if (node.context == 0) {
          added_[visit.node].push_back(visit.added);
          continue;
        }
        if (visit.opens || visit.restarts) {
          openings_[node.context].push_back(visit.added);
        } else {
          const std::uint32_t wait = wait_of_context[node.context];
          (wait != end_ ? results_[wait] : added_[visit.node]).push_back(visit.added);
          bringer_[wait != end_ ? wait : visit.node] = node.context;
        }
        wait_of_context[node.context] = end_;
      }
      for (const auto& [from, to] : last_departure) edges_[{from, to}].taken_last += 1;
    }
  }

  std::vector<EdgeData*> from(std::uint32_t node) {
    std::vector<EdgeData*> found;
    for (auto& [ends, edge] : edges_) {
      if (ends.first == node) found.push_back(&edge);
    }
    return found;
  }

  void find_loops() {
    loops_.resize(o_.nodes.size());
    rounds_.resize(o_.nodes.size());
    for (std::uint32_t node = 0; node < o_.nodes.size(); ++node) {
      double tasks = 0, left = 0, exits = 0, stays = 0;
      for (EdgeData* edge : from(node)) {
        edge->exit = edge->taken - edge->taken_last <= kNever * edge->taken;
        tasks += edge->taken_last;
        left += edge->exit ? edge->taken_last : 0;
        (edge->exit ? exits : stays) += 1;
      }
      loops_[node] = exits > 0 && stays > 0 && left >= kUsually * tasks;
    }
    for (std::uint32_t node = 0; node < o_.nodes.size(); ++node) {
      if (!loops_[node]) find_rounds(node);
    }
    for (const ObservedTask& task : o_.tasks) {
      std::map<std::uint32_t, std::uint32_t> last;
      std::map<std::pair<std::uint32_t, std::uint32_t>, double> taken;
      for (std::size_t i = 0; i < task.visits.size(); ++i) {
        const std::uint32_t to = i + 1 < task.visits.size() ? task.visits[i + 1].node : end_;
        taken[{task.visits[i].node, to}] += 1;
        last[task.visits[i].node] = to;
      }
      for (const auto& [node, to] : last) {
        if (!loops_[node] || rounds_[node] || !edges_[{node, to}].exit)
          continue;  // cut short elsewhere: its counts say less
        for (EdgeData* edge : from(node)) {
          if (!edge->exit) edge->of_task.push_back(taken[{node, edge->to}]);
        }
      }
    }
  }

  /// How often each other edge is taken between two departures by `closing`, of all tasks.
  std::map<std::uint32_t, std::vector<double>> rounds_of(std::uint32_t node, const EdgeData& closing) {
    std::map<std::uint32_t, std::vector<double>> counts;
    for (const ObservedTask& task : o_.tasks) {
      std::map<std::uint32_t, double> taken;
      for (std::size_t i = 0; i < task.visits.size(); ++i) {
        if (task.visits[i].node != node) continue;
        const std::uint32_t to = i + 1 < task.visits.size() ? task.visits[i + 1].node : end_;
        if (to != closing.to) {
          taken[to] += 1;
          continue;
        }
        for (const EdgeData* edge : from(node)) {
          if (edge->to != to) counts[edge->to].push_back(taken[edge->to]);
        }
        taken.clear();
      }
    }
    return counts;
  }

  /// A loop within the loop: the edge that closes rounds which are spread unlike draws without memory, most of all.
  void find_rounds(std::uint32_t node) {
    constexpr double kUnlike = 0.3;
    const std::vector<EdgeData*> all = from(node);
    if (all.size() < 2) return;
    EdgeData* closing = nullptr;
    double most = 0;
    for (EdgeData* edge : all) {
      std::vector<double> lengths;
      for (const auto& [to, counts] : rounds_of(node, *edge)) {
        lengths.resize(counts.size());
        for (std::size_t i = 0; i < counts.size(); ++i) lengths[i] += counts[i];
      }
      double in_rounds = 0, others = 0;  // what is in no whole round says how often it is not this edge that ends it
      for (const double x : lengths) in_rounds += x;
      for (const EdgeData* other : all) others += other == edge ? 0 : other->taken;
      if (lengths.size() < kEnoughRounds || in_rounds < kUsually * others) continue;
      double mean = 0, variance = 0;
      for (const double x : lengths) mean += x / static_cast<double>(lengths.size());
      for (const double x : lengths) variance += (x - mean) * (x - mean) / static_cast<double>(lengths.size());
      if (mean < kUnlike) continue;
      const double unlike = std::abs(variance / (mean * (1 + mean)) - 1);
      if (unlike <= std::max(kUnlike, most)) continue;
      most = unlike;
      closing = edge;
    }
    if (closing == nullptr) return;
    loops_[node] = rounds_[node] = true;
    const auto counts = rounds_of(node, *closing);
    for (EdgeData* edge : all) {
      edge->exit = edge == closing;
      if (!edge->exit) edge->of_task = counts.at(edge->to);
    }
  }

  void add_contexts(Json& agent) {
    for (const ObservedNode& node : o_.nodes) {
      if (node.kind != StepKind::kCall || node.context == 0) continue;
      const std::string name = context_name(node.context);
      if (agent.contains("contexts") && agent["contexts"].contains(name)) continue;
      const FittedDistribution opening = fit_sizes(openings_[node.context]);
      agent["contexts"][name] = {{"role_prefix_tokens", static_cast<std::int64_t>(node.role_prefix_tokens)},
                                 {"opening_tokens", opening.dist},
                                 {"evidence", measured(opening)}};
    }
  }
  static std::string context_name(std::uint32_t context) { return fmt::format("context-{}", context); }

  void add_nodes(Json& agent) {
    for (std::uint32_t n = 0; n < o_.nodes.size(); ++n) {
      if (visits_[n] == 0) continue;
      const ObservedNode& node = o_.nodes[n];
      Json json;
      if (node.kind == StepKind::kCall) {
        json["kind"] = "llm";
        const FittedDistribution added = fit_sizes(added_[n]);
        if (node.context == 0) {
          json["fresh"] = true;
          json["role_prefix_tokens"] = static_cast<std::int64_t>(node.role_prefix_tokens);
          json["prompt_tokens"] = added.dist;
          json["evidence"] = measured(added);
        } else {
          json["context"] = context_name(node.context);
          if (added.mean > 0) {
            // Only some calls come without a tool or person before them.
            std::vector<double> all = added_[n];
            all.resize(std::max(all.size(), static_cast<std::size_t>(visits_[n] - openings_of(n))), 0);
            const FittedDistribution own = fit_sizes(all);
            json["prompt_tokens"] = own.dist;
            json["evidence"] = measured(own);
          }
        }
      } else {
        json["kind"] = node.kind == StepKind::kHuman ? "human" : "tool";
        const FittedDistribution seconds = fit_sizes(seconds_[n]);
        json["latency_s"] = seconds.dist;
        json["evidence"] = measured(seconds);
        const FittedDistribution results = fit_sizes(results_[n]);
        if (results.mean > 0) {
          json["context"] = context_name(bringer_[n]);
          json["result_tokens"] = results.dist;
          json["note"] = "result_tokens " + measured(results);
        }
      }
      agent["nodes"][name_of(n)] = std::move(json);
    }
    agent["nodes"][name_of(end_)] = {{"kind", "end"}};
    if (starts_.size() > 1) agent["nodes"][unique("begin")] = {{"kind", "choice"}};
  }
  /// Calls of a node that opened their context: they add nothing beyond it.
  double openings_of(std::uint32_t n) const {
    double opened = 0;
    for (const ObservedTask& task : o_.tasks) {
      for (const Visit& visit : task.visits) opened += visit.node == n && (visit.opens || visit.restarts) ? 1 : 0;
    }
    return opened;
  }

  std::string start() const { return starts_.size() > 1 ? unique("begin") : name_of(starts_.begin()->first); }

  void add_edges(Json& agent) {
    Json& edges = agent["edges"] = Json::array();
    if (starts_.size() > 1) {
      std::vector<std::string> to;
      std::vector<double> counts;
      for (const auto& [node, tasks] : starts_) {
        to.push_back(name_of(node));
        counts.push_back(tasks);
      }
      add_shares(edges, unique("begin"), to, counts);
    }
    for (std::uint32_t n = 0; n < o_.nodes.size(); ++n) {
      std::vector<EdgeData*> all = from(n);
      if (all.empty()) continue;
      std::vector<double> outputs;
      for (const EdgeData* edge : all) outputs.insert(outputs.end(), edge->outputs.begin(), edge->outputs.end());
      const bool call = o_.nodes[n].kind == StepKind::kCall;
      const bool by_edge = call && all.size() > 1 && std::all_of(all.begin(), all.end(), [](const EdgeData* e) {
                             return e->outputs.size() >= kEnoughOfAnEdge;
                           });
      if (call) {
        const FittedDistribution answer = fit_sizes(outputs);
        if (!by_edge) agent["nodes"][name_of(n)]["output_tokens"] = answer.dist;
      }
      std::vector<std::string> to;
      std::vector<double> taken;
      std::vector<const EdgeData*> chances;
      for (const EdgeData* edge : all) {
        if (loops_[n] && !edge->exit) {
          const FittedDistribution count = fit_counts(edge->of_task);
          Json json = {
              {"from", name_of(n)}, {"to", name_of(edge->to)}, {"count", count.dist}, {"evidence", measured(count)}};
          add_output(json, *edge, by_edge);
          edges.push_back(std::move(json));
          continue;
        }
        to.push_back(name_of(edge->to));
        taken.push_back(loops_[n] && !rounds_[n] ? edge->taken_last : edge->taken);
        chances.push_back(edge);
      }
      const std::size_t first = edges.size();
      add_shares(edges, name_of(n), to, taken);
      for (std::size_t i = 0; i < chances.size(); ++i) add_output(edges[first + i], *chances[i], by_edge);
    }
    bound_loops(edges);
  }

  static void add_output(Json& json, const EdgeData& edge, bool by_edge) {
    if (!by_edge) return;
    const FittedDistribution answer = fit_sizes(edge.outputs);
    json["output_tokens"] = answer.dist;
    json["note"] = "output_tokens " + measured(answer);
  }

  static void add_shares(Json& edges, const std::string& from, const std::vector<std::string>& to,
                         const std::vector<double>& taken) {
    const double sum = std::accumulate(taken.begin(), taken.end(), 0.0);
    const std::vector<double> shares = probabilities_of(taken);
    for (std::size_t i = 0; i < to.size(); ++i) {
      Json json = {{"from", from}, {"to", to[i]}};
      if (to.size() > 1) {
        json["p"] = shares[i];
        json["evidence"] =
            fmt::format("M: {:.0f} of {:.0f}, ± {:.2g}", taken[i], sum, probability_half_width(taken[i] / sum, sum));
      }
      edges.push_back(std::move(json));
    }
  }

  /// Bounds the likeliest-to-be-rare edge of every loop that goes by probability alone.
  void bound_loops(Json& edges) const {
    const auto unbounded = [](const Json& e) { return !e.contains("count") && !e.contains("max"); };
    for (;;) {
      const std::vector<std::size_t> loop = find_loop(edges, unbounded);
      if (loop.empty()) return;
      std::size_t chosen = loop.front();
      double least = 2;
      for (const std::size_t e : loop) {
        const auto open = std::count_if(edges.begin(), edges.end(), [&](const Json& other) {
          return other["from"] == edges[e]["from"] && unbounded(other);
        });
        const double p = edges[e].value("p", 1.0);
        if (open < 2 || p >= least) continue;
        least = p;
        chosen = e;
      }
      edges[chosen]["max"] = std::max<std::int64_t>(1000, 10 * most_in_a_task());
    }
  }
  std::int64_t most_in_a_task() const {
    std::size_t most = 0;
    for (const ObservedTask& task : o_.tasks) most = std::max(most, task.visits.size());
    return static_cast<std::int64_t>(most);
  }
  template <class Keep>
  static std::vector<std::size_t> find_loop(const Json& edges, Keep keep) {
    std::map<std::string, std::vector<std::size_t>> out;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      if (keep(edges[e])) out[edges[e]["from"].get<std::string>()].push_back(e);
    }
    std::map<std::string, int> state;  // 1: on the path, 2: done
    std::vector<std::size_t> path;
    std::vector<std::size_t> found;
    const std::function<bool(const std::string&)> visit = [&](const std::string& node) {
      state[node] = 1;
      for (const std::size_t e : out[node]) {
        const std::string to = edges[e]["to"].get<std::string>();
        path.push_back(e);
        if (state[to] == 1) {
          auto begin = std::find_if(path.begin(), path.end(), [&](std::size_t p) { return edges[p]["from"] == to; });
          found.assign(begin, path.end());
          return true;
        }
        if (state[to] == 0 && visit(to)) return true;
        path.pop_back();
      }
      state[node] = 2;
      return false;
    };
    for (const auto& [node, list] : std::map(out)) {
      if (state[node] == 0 && visit(node)) return found;
    }
    return {};
  }

  const Observed& o_;
  const std::uint32_t end_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, EdgeData> edges_;
  std::map<std::uint32_t, double> starts_;
  std::map<std::uint32_t, std::vector<double>> openings_;  ///< by context
  std::map<std::uint32_t, std::uint32_t> bringer_;         ///< node → the context that it adds to
  std::vector<std::vector<double>> added_, results_, seconds_;
  std::vector<double> visits_;
  std::vector<bool> loops_, rounds_;  ///< rounds: the loop begins anew whenever its node is come to
};

}  // namespace

Json learn_graph(const Observed& observed, const std::string& name, const std::string& source) {
  return GraphLearner(observed).learn(name, source);
}

}  // namespace tokenyard::analysis
