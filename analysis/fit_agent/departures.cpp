#include "analysis/fit_agent/departures.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::analysis {
namespace {

using agents::StepKind;

constexpr double kUsually = 0.9;  ///< of the tasks: a loop that is left the same way
constexpr double kNever = 0.01;   ///< of the departures: noise
constexpr std::size_t kEnoughRounds = 50;

}  // namespace

Departures::Departures(const Observed& observed)
    : o_(observed), end_(static_cast<std::uint32_t>(observed.nodes.size())) {
  gather();
  find_loops();
}

std::vector<Departures::Edge*> Departures::from(std::uint32_t node) {
  std::vector<Edge*> found;
  for (auto& [ends, edge] : edges) {
    if (ends.first == node) found.push_back(&edge);
  }
  return found;
}

void Departures::gather() {
  added.resize(o_.nodes.size());
  results.resize(o_.nodes.size());
  seconds.resize(o_.nodes.size());
  visits.resize(o_.nodes.size());
  for (const ObservedTask& task : o_.tasks) {
    if (task.visits.empty()) continue;
    starts[task.visits.front().node] += 1;
    std::map<std::uint32_t, std::uint32_t> last_departure;
    std::map<std::uint32_t, std::uint32_t> wait_of_context;  // since its last call: who brought what is new
    for (std::size_t i = 0; i < task.visits.size(); ++i) {
      const Visit& visit = task.visits[i];
      const std::uint32_t to = after(task, i);
      Edge& edge = edges[{visit.node, to}];
      edge.from = visit.node;
      edge.to = to;
      edge.taken += 1;
      last_departure[visit.node] = to;
      visits[visit.node] += 1;
      const ObservedNode& node = o_.nodes[visit.node];
      if (node.kind != StepKind::kCall) {
        seconds[visit.node].push_back(visit.seconds);
        for (auto& [context, wait] : wait_of_context) wait = visit.node;
        continue;
      }
      edge.outputs.push_back(visit.output);
      if (node.context == 0) {
        added[visit.node].push_back(visit.added);
        continue;
      }
      if (visit.opens || visit.restarts) {
        openings[node.context].push_back(visit.added);
      } else {
        const std::uint32_t wait = wait_of_context[node.context];
        (wait != end_ ? results[wait] : added[visit.node]).push_back(visit.added);
        bringer[wait != end_ ? wait : visit.node] = node.context;
      }
      wait_of_context[node.context] = end_;
    }
    for (const auto& [from, to] : last_departure) edges[{from, to}].taken_last += 1;
  }
}

void Departures::find_loops() {
  loops.resize(o_.nodes.size());
  rounds.resize(o_.nodes.size());
  for (std::uint32_t node = 0; node < o_.nodes.size(); ++node) {
    double tasks = 0, left = 0, exits = 0, stays = 0;
    for (Edge* edge : from(node)) {
      edge->exit = edge->taken - edge->taken_last <= kNever * edge->taken;
      tasks += edge->taken_last;
      left += edge->exit ? edge->taken_last : 0;
      (edge->exit ? exits : stays) += 1;
    }
    loops[node] = exits > 0 && stays > 0 && left >= kUsually * tasks;
  }
  for (std::uint32_t node = 0; node < o_.nodes.size(); ++node) {
    if (!loops[node]) find_rounds(node);
  }
  for (const ObservedTask& task : o_.tasks) {
    std::map<std::uint32_t, std::uint32_t> last;
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> taken;
    for (std::size_t i = 0; i < task.visits.size(); ++i) {
      const std::uint32_t to = after(task, i);
      taken[{task.visits[i].node, to}] += 1;
      last[task.visits[i].node] = to;
    }
    for (const auto& [node, to] : last) {
      if (!loops[node] || rounds[node] || !edges[{node, to}].exit)
        continue;  // cut short elsewhere: its counts say less
      for (Edge* edge : from(node)) {
        if (!edge->exit) edge->of_task.push_back(taken[{node, edge->to}]);
      }
    }
  }
}

std::map<std::uint32_t, std::vector<double>> Departures::rounds_of(std::uint32_t node, const Edge& closing) {
  std::map<std::uint32_t, std::vector<double>> counts;
  for (const ObservedTask& task : o_.tasks) {
    std::map<std::uint32_t, double> taken;
    for (std::size_t i = 0; i < task.visits.size(); ++i) {
      if (task.visits[i].node != node) continue;
      const std::uint32_t to = after(task, i);
      if (to != closing.to) {
        taken[to] += 1;
        continue;
      }
      for (const Edge* edge : from(node)) {
        if (edge->to != to) counts[edge->to].push_back(taken[edge->to]);
      }
      taken.clear();
    }
  }
  return counts;
}

void Departures::find_rounds(std::uint32_t node) {
  constexpr double kUnlike = 0.3;
  const std::vector<Edge*> all = from(node);
  if (all.size() < 2) return;
  Edge* closing = nullptr;
  double most = 0;
  for (Edge* edge : all) {
    std::vector<double> lengths;
    for (const auto& [to, counts] : rounds_of(node, *edge)) {
      lengths.resize(counts.size());
      for (std::size_t i = 0; i < counts.size(); ++i) lengths[i] += counts[i];
    }
    double in_rounds = 0, others = 0;  // what is in no whole round says how often it is not this edge that ends it
    for (const double x : lengths) in_rounds += x;
    for (const Edge* other : all) others += other == edge ? 0 : other->taken;
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
  loops[node] = rounds[node] = true;
  const auto counts = rounds_of(node, *closing);
  for (Edge* edge : all) {
    edge->exit = edge == closing;
    if (!edge->exit) edge->of_task = counts.at(edge->to);
  }
}

}  // namespace tokenyard::analysis
