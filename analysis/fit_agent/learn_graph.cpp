#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "analysis/fit_agent/bound_loops.hpp"
#include "analysis/fit_agent/departures.hpp"
#include "analysis/fit_agent/learn.hpp"
#include "analysis/fit_agent/learned_json.hpp"

namespace tokenyard::analysis {
namespace {

using agents::StepKind;
using sim::Json;

constexpr std::size_t kEnoughOfAnEdge = 20;

using Edge = Departures::Edge;

class GraphLearner {
 public:
  explicit GraphLearner(const Observed& observed)
      : o_(observed), d_(observed), end_(static_cast<std::uint32_t>(o_.nodes.size())) {}

  Json learn(const std::string& name, const std::string& source) {
    Json agent = agent_head(o_, name, source, "as recorded", o_.tasks.size());
    add_contexts(agent);
    add_nodes(agent);
    agent["start"] = o_.tasks.empty() ? "" : start();
    add_edges(agent);
    return agent;
  }

 private:
  std::string name_of(std::uint32_t node) const {
    if (node >= end_) return unique(node == end_ ? "end" : "failed");
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

  void add_contexts(Json& agent) {
    for (const ObservedNode& node : o_.nodes) {
      if (node.kind != StepKind::kCall || node.context == 0) continue;
      const std::string name = context_name(node.context);
      if (agent.contains("contexts") && agent["contexts"].contains(name)) continue;
      const FittedDistribution opening = fit_sizes(d_.openings[node.context]);
      agent["contexts"][name] = {{"role_prefix_tokens", static_cast<std::int64_t>(node.role_prefix_tokens)},
                                 {"opening_tokens", opening.dist},
                                 {"evidence", measured(opening)}};
    }
  }
  static std::string context_name(std::uint32_t context) { return fmt::format("context-{}", context); }

  void add_nodes(Json& agent) {
    for (std::uint32_t n = 0; n < o_.nodes.size(); ++n) {
      if (d_.visits[n] == 0) continue;
      const ObservedNode& node = o_.nodes[n];
      Json json;
      if (node.kind == StepKind::kCall) {
        json["kind"] = "llm";
        if (!node.pool_role.empty()) json["pool"] = node.pool_role;
        const FittedDistribution added = fit_sizes(d_.added[n]);
        if (node.context == 0) {
          json["fresh"] = true;
          json["role_prefix_tokens"] = static_cast<std::int64_t>(node.role_prefix_tokens);
          json["prompt_tokens"] = added.dist;
          json["evidence"] = measured(added);
        } else {
          json["context"] = context_name(node.context);
          if (added.mean > 0) {
            // Only some calls come without a tool or person before them.
            std::vector<double> all = d_.added[n];
            all.resize(std::max(all.size(), static_cast<std::size_t>(d_.visits[n] - openings_of(n))), 0);
            const FittedDistribution own = fit_sizes(all);
            json["prompt_tokens"] = own.dist;
            json["evidence"] = measured(own);
          }
        }
      } else {
        json["kind"] = node.kind == StepKind::kHuman ? "human" : "tool";
        const FittedDistribution seconds = fit_sizes(d_.seconds[n]);
        json["latency_s"] = seconds.dist;
        json["evidence"] = measured(seconds);
        const FittedDistribution results = fit_sizes(d_.results[n]);
        if (results.mean > 0) {
          json["context"] = context_name(d_.bringer[n]);
          json["result_tokens"] = results.dist;
          json["note"] = "result_tokens " + measured(results);
        }
      }
      agent["nodes"][name_of(n)] = std::move(json);
    }
    for (const std::uint32_t end : {end_, end_ + 1}) {
      if (std::none_of(d_.edges.begin(), d_.edges.end(), [&](const auto& edge) { return edge.first.second == end; }))
        continue;
      agent["nodes"][name_of(end)] = {{"kind", "end"}};
      if (end != end_) agent["nodes"][name_of(end)]["status"] = "failed";
    }
    if (d_.starts.size() > 1) agent["nodes"][unique("begin")] = {{"kind", "choice"}};
  }
  /// Calls of a node that opened their context: they add nothing beyond it.
  double openings_of(std::uint32_t n) const {
    double opened = 0;
    for (const ObservedTask& task : o_.tasks) {
      for (const Visit& visit : task.visits) opened += visit.node == n && (visit.opens || visit.restarts) ? 1 : 0;
    }
    return opened;
  }

  std::string start() const { return d_.starts.size() > 1 ? unique("begin") : name_of(d_.starts.begin()->first); }

  void add_edges(Json& agent) {
    Json& edges = agent["edges"] = Json::array();
    if (d_.starts.size() > 1) {
      std::vector<std::string> to;
      std::vector<double> counts;
      for (const auto& [node, tasks] : d_.starts) {
        to.push_back(name_of(node));
        counts.push_back(tasks);
      }
      add_shares(edges, unique("begin"), to, counts);
    }
    for (std::uint32_t n = 0; n < o_.nodes.size(); ++n) {
      std::vector<Edge*> all = d_.from(n);
      if (all.empty()) continue;
      std::vector<double> outputs;
      for (const Edge* edge : all) outputs.insert(outputs.end(), edge->outputs.begin(), edge->outputs.end());
      const bool call = o_.nodes[n].kind == StepKind::kCall;
      const bool by_edge = call && all.size() > 1 && std::all_of(all.begin(), all.end(), [](const Edge* e) {
                             return e->outputs.size() >= kEnoughOfAnEdge;
                           });
      if (call) {
        const FittedDistribution answer = fit_sizes(outputs);
        if (!by_edge) agent["nodes"][name_of(n)]["output_tokens"] = answer.dist;
      }
      std::vector<std::string> to;
      std::vector<double> taken;
      std::vector<const Edge*> chances;
      for (const Edge* edge : all) {
        if (d_.loops[n] && !edge->exit) {
          const FittedDistribution count = fit_counts(edge->of_task);
          Json json = {
              {"from", name_of(n)}, {"to", name_of(edge->to)}, {"count", count.dist}, {"evidence", measured(count)}};
          add_output(json, *edge, by_edge);
          edges.push_back(std::move(json));
          continue;
        }
        to.push_back(name_of(edge->to));
        taken.push_back(d_.loops[n] && !d_.rounds[n] ? edge->taken_last : edge->taken);
        chances.push_back(edge);
      }
      const std::size_t first = edges.size();
      add_shares(edges, name_of(n), to, taken);
      for (std::size_t i = 0; i < chances.size(); ++i) add_output(edges[first + i], *chances[i], by_edge);
    }
    bound_loops(edges, std::max<std::int64_t>(1000, 10 * most_in_a_task()));
  }

  static void add_output(Json& json, const Edge& edge, bool by_edge) {
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

  std::int64_t most_in_a_task() const {
    std::size_t most = 0;
    for (const ObservedTask& task : o_.tasks) most = std::max(most, task.visits.size());
    return static_cast<std::int64_t>(most);
  }
  const Observed& o_;
  Departures d_;
  const std::uint32_t end_;
};

}  // namespace

Json learn_graph(const Observed& observed, const std::string& name, const std::string& source) {
  return GraphLearner(observed).learn(name, source);
}

}  // namespace tokenyard::analysis
