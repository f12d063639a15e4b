#include "agents/work/walk.hpp"

#include <algorithm>

#include "sim/core/error.hpp"

namespace tokenyard::agents {

void Walk::reset(const Agent& agent, std::uint64_t seed, std::uint64_t task_entity, std::uint32_t path) {
  agent_ = &agent;
  seed_ = seed;
  entity_ = task_entity;
  path_ = path;
  node_ = kNone;
  visit_ = 0;
  counts_.assign(2 * agent.nodes.size() + agent.edges, 0);
}

void Walk::enter(std::uint32_t node) {
  node_ = node;
  visit_ = visits(node)++;
}

std::uint32_t Walk::fork_path(std::uint32_t branch) const {
  // Far from the visits that are added to it; 32 bits of a mixing of all that tells forks of one task apart: of
  // sim::scatter without its last step.
  std::uint64_t h =
      (std::uint64_t{path_} << 32 | visit_) + 0x9e3779b97f4a7c15ULL * (std::uint64_t{node_} << 20 | (branch + 1));
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<std::uint32_t>(h >> 32);
}

const Edge& Walk::choose(bool error) {
  const std::vector<Edge>& edges = node().edges;
  if (error) {
    const auto on_error = std::find_if(edges.begin(), edges.end(), [](const Edge& edge) { return edge.on_error; });
    if (on_error != edges.end()) {
      if (!used_up(*on_error)) return take(*on_error);
      if (const Edge* otherwise = way_otherwise()) return *otherwise;
    }
  }
  if (node().urn) {
    if (const Edge* drawn = choose_from_urn()) return *drawn;
  }
  return choose_by_chance();
}

std::int64_t Walk::bought(const Edge& edge) const {
  sim::Stream budget(seed_, agent_->budget_usd.stream, entity_, 0);
  const double usd = agent_->budget_usd.of.sample(budget);
  return static_cast<std::int64_t>(std::clamp(usd * edge.spends_share / edge.spends_usd_each, 0.0, 1e9));
}

const Edge* Walk::choose_from_urn() {
  const std::vector<Edge>& edges = node().edges;
  if (urn_open(node_) == 0) {
    for (const Edge& edge : edges) {
      if (!edge.count.given) continue;
      sim::Stream draws = stream(edge.count.stream);
      const std::int64_t least = edge.last ? 1 : 0;
      const std::int64_t counted = edge.spends_usd_each > 0 ? bought(edge) : edge.count.of.sample_count(draws);
      const std::int64_t balls = counted + edge.plus;
      edge_count(edge) = static_cast<std::uint32_t>(std::clamp<std::int64_t>(balls, least, 1'000'000'000));
    }
    urn_open(node_) = 1;
  }
  // All but the one ball that is kept for the end.
  std::uint64_t drawable = 0, left = 0;
  const Edge* last = nullptr;
  for (const Edge& edge : edges) {
    if (!edge.count.given) continue;
    const std::uint32_t balls = edge_count(edge);
    left += balls;
    drawable += balls;
    if (edge.last && balls > 0) {
      last = &edge;
      --drawable;
    }
  }
  const Edge* drawn = last;
  if (drawable > 0) {
    sim::Stream next = stream(node().next);
    std::uint64_t ball = next.below(drawable);
    for (const Edge& edge : edges) {
      if (!edge.count.given) continue;
      const std::uint32_t balls = edge_count(edge) - (&edge == last ? 1 : 0);
      if (ball < balls) {
        drawn = &edge;
        break;
      }
      ball -= balls;
    }
  }
  if (drawn != nullptr) {
    --edge_count(*drawn);
    --left;
  }
  if (drawn == nullptr || (left == 0 && node().chances == 0)) urn_open(node_) = 0;
  return drawn;
}

bool Walk::used_up(const Edge& edge) { return edge.max != kNone && edge_count(edge) >= edge.max; }

const Edge& Walk::take(const Edge& edge) {
  if (edge.max != kNone) ++edge_count(edge);
  return edge;
}

const Edge* Walk::way_otherwise() const {
  const std::vector<Edge>& edges = node().edges;
  const auto found = std::find_if(edges.begin(), edges.end(), [](const Edge& edge) { return edge.otherwise; });
  return found == edges.end() ? nullptr : &*found;
}

const Edge& Walk::choose_by_chance() {
  const std::vector<Edge>& edges = node().edges;
  if (edges.size() == 1) return edges.front();
  sim::Stream next = stream(node().next);
  const auto draw = [&](bool all) -> const Edge* {
    double sum = 0;
    for (const Edge& edge : edges) sum += edge.chance() && (all || !used_up(edge)) ? edge.p : 0;
    double u = next.uniform() * sum;
    const Edge* chosen = nullptr;
    for (const Edge& edge : edges) {
      if (!edge.chance() || edge.p == 0 || (!all && used_up(edge))) continue;
      chosen = &edge;
      if (u < edge.p) break;
      u -= edge.p;
    }
    return chosen;
  };
  const Edge* chosen = draw(true);
  if (chosen != nullptr && used_up(*chosen)) {
    if (const Edge* otherwise = way_otherwise()) return *otherwise;
    chosen = draw(false);
  }
  if (chosen == nullptr) throw sim::InternalError("walk: node \"" + node().name + "\" has no way on");
  return take(*chosen);
}

}  // namespace tokenyard::agents
