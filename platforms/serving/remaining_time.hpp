#pragma once
/// How long a task goes on after it has come to one of its steps: the mean over tasks that have ended.
///
/// A step is a node of an agent's task graph. Before a task that came by has ended, nothing is known, and the answer is
/// 0: such calls go first, and are learned from soonest. Cost: O(1) per call, O(calls) when a task ends; a few words
/// per call of a task in flight.
///
///   RemainingTime remaining;
///   Time expected = remaining.expected(agent, node);
///   remaining.came(task, agent, node, now);  // …
///   remaining.ended(task, now);

#include <map>
#include <tsl/robin_map.h>
#include <utility>
#include <vector>

#include "sim/core/time.hpp"

namespace tokenyard::platforms {

class RemainingTime {
 public:
  sim::Time expected(std::uint32_t agent, std::uint32_t node) const {
    const auto found = learned_.find({agent, node});
    if (found == learned_.end()) return {};
    return sim::Time::nanoseconds(static_cast<std::int64_t>(found->second.sum_ns / found->second.count));
  }
  void came(std::uint64_t task, std::uint32_t agent, std::uint32_t node, sim::Time now) {
    visits_[task].push_back({{agent, node}, now});
  }
  void ended(std::uint64_t task, sim::Time now) {
    const auto found = visits_.find(task);
    if (found == visits_.end()) return;
    for (const auto& [step, date] : found->second) {
      Learned& learned = learned_[step];
      learned.sum_ns += (now - date).ns();
      ++learned.count;
    }
    visits_.erase(found);
  }

 private:
  using Step = std::pair<std::uint32_t, std::uint32_t>;
  struct Learned {
    sim::Int128 sum_ns = 0;
    std::int64_t count = 0;
  };
  std::map<Step, Learned> learned_;
  tsl::robin_map<std::uint64_t, std::vector<std::pair<Step, sim::Time>>> visits_;  ///< of tasks in flight
};

}  // namespace tokenyard::platforms
