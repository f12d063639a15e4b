#pragma once
/// Where recorded tasks go from each node, and what they bring: all that a learned graph is made of, counted.
///
/// `loops` and `rounds` are judged as learn.hpp says. The number of nodes stands for the end of a task, the one after
/// it for that of a task that failed.

#include <map>
#include <utility>
#include <vector>

#include "analysis/fit_agent/observed.hpp"

namespace tokenyard::analysis {

class Departures {
 public:
  /// `observed` must outlive it. O(visits · edges of a node).
  explicit Departures(const Observed& observed);

  struct Edge {
    std::uint32_t from = 0, to = 0;
    std::vector<double> outputs;
    double taken = 0, taken_last = 0;  ///< departures; those that were the last from the node in their task
    std::vector<double> of_task;       ///< how often, in each task that left the node for good by an exit
    bool exit = false;
  };

  /// The edges from a node, by where they lead.
  std::vector<Edge*> from(std::uint32_t node);

  std::map<std::pair<std::uint32_t, std::uint32_t>, Edge> edges;
  std::map<std::uint32_t, double> starts;
  std::map<std::uint32_t, std::vector<double>> openings;  ///< by context
  std::map<std::uint32_t, std::uint32_t> bringer;         ///< node → the context that it adds to
  std::vector<std::vector<double>> added, results, seconds;
  std::vector<double> visits;
  std::vector<bool> loops, rounds;  ///< rounds: the loop begins anew whenever its node is come to

 private:
  /// Where a task goes from its i-th visit.
  std::uint32_t after(const ObservedTask& task, std::size_t i) const {
    return i + 1 < task.visits.size() ? task.visits[i + 1].node : task.failed ? end_ + 1 : end_;
  }
  void gather();
  void find_loops();
  /// How often each other edge is taken between two departures by `closing`, of all tasks.
  std::map<std::uint32_t, std::vector<double>> rounds_of(std::uint32_t node, const Edge& closing);
  /// A loop within the loop: the edge that closes rounds which are spread unlike draws without memory, most of all.
  void find_rounds(std::uint32_t node);

  const Observed& o_;
  const std::uint32_t end_;
};

}  // namespace tokenyard::analysis
