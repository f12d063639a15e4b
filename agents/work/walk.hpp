#pragma once
/// One walk through a task graph: where it stands, and which way it goes next. There is no clock and no serving here;
/// the task player (task_player.hpp) moves walks through time.
///
/// The main walk of a task starts at its agent's start. A fan-out starts a walk per branch, a sub-agent one per copy.
///
/// Every draw is a function of (seed, node or edge, task, path, visit): `path` tells apart the branches and sub-agents
/// of a task by where they forked, never by when they ran. Branches ending in another order change no draw.
///
/// Cost: O(outgoing edges) to choose a way. Walks are recycled; a walk in progress allocates nothing.

#include "agents/graph/agent.hpp"
#include "sim/core/short_vector.hpp"

namespace tokenyard::agents {

class Walk {
 public:
  /// Places the walk before `start`, which `enter` enters.
  void reset(const Agent& agent, std::uint64_t seed, std::uint64_t task_entity, std::uint32_t path);
  void enter(std::uint32_t node);

  const Agent& agent() const { return *agent_; }
  const Node& node() const { return agent_->nodes[node_]; }
  std::uint32_t at() const { return node_; }

  /// A stream of this visit.
  sim::Stream stream(sim::StreamName name) const { return {seed_, name, entity_, visit()}; }
  /// The way on from the node it is at; `error` after a failed tool or sub-agent. Once per visit.
  const Edge& choose(bool error);
  /// The path of what forks here: a branch by its edge, a copy of a sub-agent by its number.
  std::uint32_t fork_path(std::uint32_t branch) const;
  std::uint64_t seed() const { return seed_; }
  std::uint64_t entity() const { return entity_; }
  /// Tells this visit from all others of the task to its node.
  std::uint32_t visit() const { return path_ + visit_; }
  std::uint32_t path() const { return path_; }

 private:
  std::uint32_t& visits(std::uint32_t node) { return counts_[node]; }
  std::uint32_t& urn_open(std::uint32_t node) { return counts_[agent_->nodes.size() + node]; }
  /// Balls left of an edge with count; times taken of one with max.
  std::uint32_t& edge_count(const Edge& edge) { return counts_[2 * agent_->nodes.size() + edge.index]; }

  /// What the edge's share of the task's budget pays: the same budget on every branch and visit.
  std::int64_t bought(const Edge& edge) const;
  bool used_up(const Edge& edge);
  const Edge& take(const Edge& edge);
  const Edge* way_otherwise() const;  ///< the edge marked `else`; null: none
  const Edge* choose_from_urn();
  const Edge& choose_by_chance();

  const Agent* agent_ = nullptr;
  std::uint64_t seed_ = 0;
  std::uint64_t entity_ = 0;
  std::uint32_t path_ = 0;
  std::uint32_t node_ = kNone;
  std::uint32_t visit_ = 0;
  sim::ShortVector<std::uint32_t, 16> counts_;
};

}  // namespace tokenyard::agents
