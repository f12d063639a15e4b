#include "agents/work/walk.hpp"

#include <algorithm>

#include "sim/core/error.hpp"

namespace tokenyard::agents {

void Walk::reset(const Agent& agent, std::uint64_t task_entity, std::uint32_t path) {
  agent_ = &agent;
  entity_ = task_entity;
  path_ = path;
  node_ = kNone;
  visit_ = 0;
  counts_.assign(2 * agent.nodes() + agent.edges(), 0);
}

void Walk::enter(std::uint32_t node) {
  node_ = node;
  visit_ = visits(node)++;
}

std::uint32_t Walk::fork_path(std::uint32_t branch) const {
  // Far from the visits that are added to it; 32 bits of a mixing of all that tells forks of one task apart.
  std::uint64_t h =
      (std::uint64_t{path_} << 32 | visit_) + 0x9e3779b97f4a7c15ULL * (std::uint64_t{node_} << 20 | (branch + 1));
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<std::uint32_t>(h >> 32);
}

const Agent::Route& Walk::choose(std::uint64_t seed, bool error) {
  const std::vector<Agent::Route>& routes = agent_->routes[node_];
  if (error) {
    for (const Agent::Route& route : routes) {
      if (route.edge->on_error) return route;
    }
  }
  if (node().urn) {
    if (const Agent::Route* drawn = choose_from_urn(seed)) return *drawn;
  }
  return choose_by_chance(seed);
}

std::int64_t Walk::bought(std::uint64_t seed, const Edge& edge) const {
  sim::Stream budget(seed, agent_->budget_usd.stream, entity_, 0);
  const double usd = agent_->budget_usd.of.sample(budget);
  return static_cast<std::int64_t>(std::clamp(usd * edge.spends_share / edge.spends_usd_each, 0.0, 1e9));
}

const Agent::Route* Walk::choose_from_urn(std::uint64_t seed) {
  const std::vector<Agent::Route>& routes = agent_->routes[node_];
  if (urn_open(node_) == 0) {
    for (const auto& [target, edge] : routes) {
      if (!edge->count.given) continue;
      sim::Stream draws = stream(seed, edge->count.stream);
      const std::int64_t least = edge->last ? 1 : 0;
      const std::int64_t counted = edge->spends_usd_each > 0 ? bought(seed, *edge) : edge->count.of.sample_count(draws);
      const std::int64_t balls = counted + edge->plus;
      edge_count(*edge) = static_cast<std::uint32_t>(std::clamp<std::int64_t>(balls, least, 1'000'000'000));
    }
    urn_open(node_) = 1;
  }
  // All but the one ball that is kept for the end.
  std::uint64_t drawable = 0, left = 0;
  const Agent::Route* last = nullptr;
  for (const Agent::Route& route : routes) {
    if (!route.edge->count.given) continue;
    const std::uint32_t balls = edge_count(*route.edge);
    left += balls;
    drawable += balls;
    if (route.edge->last && balls > 0) {
      last = &route;
      --drawable;
    }
  }
  const Agent::Route* drawn = last;
  if (drawable > 0) {
    sim::Stream next = stream(seed, node().next);
    std::uint64_t ball = next.below(drawable);
    for (const Agent::Route& route : routes) {
      if (!route.edge->count.given) continue;
      const std::uint32_t balls = edge_count(*route.edge) - (&route == last ? 1 : 0);
      if (ball < balls) {
        drawn = &route;
        break;
      }
      ball -= balls;
    }
  }
  if (drawn != nullptr) {
    --edge_count(*drawn->edge);
    --left;
  }
  if (drawn == nullptr || (left == 0 && node().chances == 0)) urn_open(node_) = 0;
  return drawn;
}

const Agent::Route& Walk::choose_by_chance(std::uint64_t seed) {
  const std::vector<Agent::Route>& routes = agent_->routes[node_];
  if (routes.size() == 1) return routes.front();
  sim::Stream next = stream(seed, node().next);
  const auto used_up = [&](const Edge& edge) { return edge.max != kNone && edge_count(edge) >= edge.max; };
  const auto draw = [&](bool all) -> const Agent::Route* {
    double sum = 0;
    for (const auto& [target, edge] : routes) sum += edge->chance() && (all || !used_up(*edge)) ? edge->p : 0;
    double u = next.uniform() * sum;
    const Agent::Route* chosen = nullptr;
    for (const Agent::Route& route : routes) {
      if (!route.edge->chance() || route.edge->p == 0 || (!all && used_up(*route.edge))) continue;
      chosen = &route;
      if (u < route.edge->p) break;
      u -= route.edge->p;
    }
    return chosen;
  };
  const Agent::Route* chosen = draw(true);
  if (chosen != nullptr && used_up(*chosen->edge)) {
    const auto otherwise =
        std::find_if(routes.begin(), routes.end(), [](const Agent::Route& r) { return r.edge->otherwise; });
    if (otherwise != routes.end()) return *otherwise;
    chosen = draw(false);
  }
  if (chosen == nullptr) throw sim::InternalError("walk: node \"" + node().name + "\" has no way on");
  if (chosen->edge->max != kNone) ++edge_count(*chosen->edge);
  return *chosen;
}

}  // namespace tokenyard::agents
