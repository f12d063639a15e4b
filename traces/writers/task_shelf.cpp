#include "traces/writers/task_shelf.hpp"

namespace tokenyard::traces {

void TaskShelf::drop_last(std::uint32_t agent) {
  const auto last = std::prev(kept_[agent].end());
  slices_ -= last->second.slices;
  limit_[agent] = last->first;
  kept_[agent].erase(last);
}

std::uint64_t TaskShelf::tasks() const {
  std::uint64_t count = 0;
  for (const auto& of_agent : kept_) count += of_agent.size();
  return count;
}

KeptTask* TaskShelf::keep(std::uint32_t agent, std::uint64_t task, std::uint64_t slices) {
  if (agent >= kept_.size()) {
    kept_.resize(agent + std::size_t{1});
    limit_.resize(agent + std::size_t{1}, max_tasks_ == 0 ? 0 : std::numeric_limits<std::uint64_t>::max());
  }
  if (task >= limit_[agent] || task >= limit_all_) return nullptr;
  kept_[agent].try_emplace(task);
  if (kept_[agent].size() > max_tasks_) drop_last(agent);
  // Too many slices: the latest tasks of all agents go, this one among them if it is the latest.
  while (slices_ + slices > max_slices_) {
    std::uint32_t latest = 0;
    for (std::uint32_t a = 1; a < kept_.size(); ++a) {
      if (kept_[latest].empty() || (!kept_[a].empty() && kept_[a].rbegin()->first > kept_[latest].rbegin()->first))
        latest = a;
    }
    if (tasks() <= 1) break;
    limit_all_ = kept_[latest].rbegin()->first;
    drop_last(latest);
    if (limit_all_ == task) return nullptr;
  }
  const auto found = kept_[agent].find(task);
  if (found == kept_[agent].end()) return nullptr;
  if (slices_ + slices > max_slices_) {
    ++refused_;
    return nullptr;
  }
  slices_ += slices;
  found->second.slices += slices;
  return &found->second;
}

}  // namespace tokenyard::traces
