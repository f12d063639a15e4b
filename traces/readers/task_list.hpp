#pragma once
/// Tasks held in memory, for formats whose rows come in any order, and the order in which steps may stand.

#include <algorithm>
#include <queue>
#include <vector>

#include "traces/readers/fault_log.hpp"

namespace tokenyard::traces {

class TaskList final : public agents::RecordedTaskSource {
 public:
  bool next(agents::RecordedTask& task) override {
    if (given_ == tasks.size()) return false;
    task = std::move(tasks[given_++]);
    return true;
  }
  const agents::RecordedNames& names() const override { return all_names; }
  std::vector<agents::LeftOut> left_out() const override { return left_out_; }

  /// All tasks are there: throws what is wrong, or if there is none (`expected` says what there should be), and sorts
  /// them by arrival; those of one date stay as they were added.
  void finish(FaultLog& log, const std::string& file, std::string_view expected) {
    log.settle();
    if (tasks.empty()) throw sim::InputError({file, "", "no request", std::string(expected)});
    left_out_ = log.left_out();
    std::stable_sort(tasks.begin(), tasks.end(), [](const agents::RecordedTask& a, const agents::RecordedTask& b) {
      return a.arrival < b.arrival;
    });
  }

  std::vector<agents::RecordedTask> tasks;
  agents::RecordedNames all_names;

 private:
  std::vector<agents::LeftOut> left_out_;
  std::size_t given_ = 0;
};

/// An order of 0 … n-1 in which each comes after all of `predecessors[i]`, as near to 0, 1, 2, … as can be. Shorter
/// than n if there is a cycle: what is missing is on one, or behind one. O(edges + n log n).
inline std::vector<std::uint32_t> topological_order(const std::vector<std::vector<std::uint32_t>>& predecessors) {
  const auto n = static_cast<std::uint32_t>(predecessors.size());
  std::vector<std::uint32_t> open(n), order;
  std::vector<std::vector<std::uint32_t>> successors(n);
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> free;
  for (std::uint32_t i = 0; i < n; ++i) {
    open[i] = static_cast<std::uint32_t>(predecessors[i].size());
    for (const std::uint32_t p : predecessors[i]) successors[p].push_back(i);
    if (open[i] == 0) free.push(i);
  }
  while (!free.empty()) {
    const std::uint32_t i = free.top();
    free.pop();
    order.push_back(i);
    for (const std::uint32_t s : successors[i]) {
      if (--open[s] == 0) free.push(s);
    }
  }
  return order;
}

/// A cycle among what `topological_order` left out, as indices, the first one the smallest of all that are left.
inline std::vector<std::uint32_t> find_cycle(const std::vector<std::vector<std::uint32_t>>& predecessors,
                                             const std::vector<std::uint32_t>& order) {
  std::vector<bool> sorted(predecessors.size(), false);
  for (const std::uint32_t i : order) sorted[i] = true;
  std::vector<std::uint32_t> seen_at(predecessors.size(), 0), path;
  auto at = static_cast<std::uint32_t>(std::find(sorted.begin(), sorted.end(), false) - sorted.begin());
  while (seen_at[at] == 0) {  // every one left out has a predecessor that is left out
    path.push_back(at);
    seen_at[at] = static_cast<std::uint32_t>(path.size());
    at = *std::find_if(predecessors[at].begin(), predecessors[at].end(), [&](std::uint32_t p) { return !sorted[p]; });
  }
  path.erase(path.begin(), path.begin() + seen_at[at] - 1);
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
  return path;
}

}  // namespace tokenyard::traces
