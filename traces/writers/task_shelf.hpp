#pragma once
/// The tasks a timeline keeps: the first by arrival, whole.
///
/// Tasks report in the order in which things end, not in which they arrived. The shelf keeps the smallest task numbers
/// (numbers follow arrival) heard of so far and drops larger ones again: an early task that ends late is not lost.
/// Invariants: at most `max_tasks` an agent and `max_slices` in all; a task that is kept is kept whole, unless it alone
/// exceeds `max_slices`. Cost: O(log tasks) an event of a kept task, O(1) for others.
///
///   TaskShelf shelf(500, 150'000);
///   if (KeptTask* task = shelf.keep(agent, number, 1)) task->nodes.push_back(…);

#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "agents/work/observer.hpp"

namespace tokenyard::traces {

struct KeptNode {
  std::uint32_t node = 0, branch = 0;
  sim::Time begin, served, end;
  std::optional<std::uint64_t> call;
};

struct KeptCall {
  platforms::CallRecord record;
  std::uint32_t first_pool = 0, first_replica = 0;  ///< where it was scheduled first
};

struct KeptTask {
  std::optional<agents::TaskRecord> record;
  std::vector<KeptNode> nodes;
  std::vector<KeptCall> calls;
  std::uint64_t slices = 0;
};

class TaskShelf {
 public:
  TaskShelf(std::uint64_t max_tasks, std::uint64_t max_slices) : max_tasks_(max_tasks), max_slices_(max_slices) {}

  /// Where to put an event of `slices` slices of a task; null if the task is not kept.
  KeptTask* keep(std::uint32_t agent, std::uint64_t task, std::uint64_t slices);

  /// By agent, by task number.
  const std::vector<std::map<std::uint64_t, KeptTask>>& agents() const { return kept_; }
  std::uint64_t tasks() const;
  /// Events of kept tasks that found no room.
  std::uint64_t refused() const { return refused_; }

 private:
  void drop_last(std::uint32_t agent);

  std::uint64_t max_tasks_, max_slices_;
  std::uint64_t slices_ = 0, refused_ = 0;
  std::vector<std::map<std::uint64_t, KeptTask>> kept_;
  std::vector<std::uint64_t> limit_;  ///< by agent: tasks from this number on are not kept
  std::uint64_t limit_all_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace tokenyard::traces
