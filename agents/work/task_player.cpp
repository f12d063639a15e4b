#include "agents/work/task_player.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "sim/input/faults.hpp"

namespace tokenyard::agents {

using platforms::Cause;
using sim::Time;

TaskPlayer::TaskPlayer(sim::Simulation& simulation, platforms::FrontDoor& door, std::uint64_t seed,
                       std::vector<WorkloadEntry> entries, Time end)
    : simulation_(simulation),
      door_(door),
      seed_(seed),
      arrivals_(
          simulation, seed, end,
          [this](std::uint32_t entry, std::uint64_t entity, std::uint32_t user) { begin_task(entry, entity, user); }),
      services_{.id = (std::uint64_t{1} << 36) - 1} {  // no task's
  for (WorkloadEntry& spec : entries) {
    arrivals_.add({spec.name, spec.arrivals, spec.closed_loop, spec.max_tasks});
    entries_.emplace_back(std::move(spec));
  }
}

// ---- Events ---------------------------------------------------------------------------------------------------------

void TaskPlayer::on_event(Time, std::uint64_t argument) {
  const auto index = static_cast<std::uint32_t>(argument);
  switch (static_cast<Event>(argument >> 62)) {
    case Event::kWake:
      return walks_[index].node().calls_model() ? retry_call(index) : end_wait(index);
    case Event::kServed:
      return end_service(index, true);
    case Event::kServedBesides:
      return end_service(index, false);
    case Event::kService:
      return serve(static_cast<std::uint32_t>(argument >> 40 & 0xfffff),
                   static_cast<std::uint32_t>(argument >> 20 & 0xfffff),
                   static_cast<std::uint32_t>(argument & 0xfffff));
  }
}

void TaskPlayer::wake(std::uint32_t index, Time date, Event event) {
  simulation_.schedule(date, sim::Priority::kWake, tasks_[walks_[index].task].events, *this,
                       static_cast<std::uint64_t>(event) << 62 | index);
}

// ---- Tasks ----------------------------------------------------------------------------------------------------------

void TaskPlayer::begin_task(std::uint32_t e, std::uint64_t entity, std::uint32_t user) {
  if (static_cast<double>(tasks_.in_use()) >= kMostTasksAtOnce) {
    throw sim::Infeasible(
        fmt::format("{:.0f} tasks are under way at {} s, and more do not fit in memory: they come faster than they are "
                    "done. Lower rate_per_s or duration_s, or add replicas.",
                    kMostTasksAtOnce, simulation_.now().seconds()));
  }
  const std::uint32_t index = tasks_.take();
  Task& task = tasks_[index];
  task = {};
  task.number = tasks_begun_++;
  task.contents.task = task.number;
  task.entity = entity;
  task.arrival = simulation_.now();
  const Time allowed = entries_[e].spec.deadline;
  task.deadline = allowed == Time::never() ? allowed : task.arrival + allowed;
  task.entry = e;
  task.user = user;
  task.events.id = task.number;
  task.live = true;
  const std::uint32_t root = new_walk(index, kNone, 0, 0);
  walks_[root].waiting_for = Cause::kPaused;
  entries_[e].paused.push_back(root);
  admit_tasks(e);
}

/// A task may end as it begins, and come here again: it is left to the loop that began it.
void TaskPlayer::admit_tasks(std::uint32_t e) {
  Entry& entry = entries_[e];
  if (entry.admitting) return;
  entry.admitting = true;
  while (!entry.paused.empty() && entry.at_work < entry.spec.max_in_flight) {
    const std::uint32_t root = entry.paused.front();
    entry.paused.pop_front();
    ++entry.at_work;
    account(walks_[root], Cause::kPaused);
    go(root, entry.spec.agent->start);
  }
  entry.admitting = false;
}

void TaskPlayer::end_task(std::uint32_t root, bool failed) {
  const std::uint32_t index = walks_[root].task;
  Task& task = tasks_[index];
  TaskRecord record{task.work};
  record.task = task.number;
  record.agent = task.entry;
  record.arrival = task.arrival;
  record.finish = simulation_.now();
  record.status = task.aborted.value_or(failed ? TaskStatus::kFailed : TaskStatus::kCompleted);
  record.causes = walks_[root].causes;
  walks_.give_back(root);
  task.live = false;
  door_.forget(task.number);
  for (TaskObserver* observer : observers_) observer->on_task(record);
  const std::uint32_t e = task.entry, user = task.user;
  tasks_.give_back(index);
  --entries_[e].at_work;
  admit_tasks(e);
  arrivals_.on_task_end(e, user);
}

// ---- The end of a run -----------------------------------------------------------------------------------------------

void TaskPlayer::finish_unfinished() {
  std::vector<std::vector<std::uint32_t>> children(walks_.size());
  std::vector<std::pair<std::uint64_t, std::uint32_t>> roots;  // by task number
  for (std::uint32_t s = 0; s < walks_.size(); ++s) {
    if (!walks_[s].live) continue;
    if (walks_[s].parent == kNone) {
      roots.emplace_back(tasks_[walks_[s].task].number, s);
    } else {
      children[walks_[s].parent].push_back(s);
    }
  }
  std::sort(roots.begin(), roots.end());
  for (Entry& entry : entries_) {
    entry.at_work += entry.paused.size();
    entry.paused.clear();  // nobody is admitted any more
  }
  for (const auto& [number, root] : roots) {
    settle(root, children);
    tasks_[walks_[root].task].aborted = TaskStatus::kUnfinished;
    tasks_[walks_[root].task].user = kNoUser;  // nobody begins anew
    end_walk(root, true);
  }
}

/// Brings a walk's causes up to now; of what runs side by side, the branch that forked first stands for the critical
/// path.
void TaskPlayer::settle(std::uint32_t index, const std::vector<std::vector<std::uint32_t>>& children) {
  TimedWalk& walk = walks_[index];
  const std::vector<std::uint32_t>& open = children[index];
  if (open.empty()) return account(walk, walk.waiting_for);
  const std::uint32_t first = *std::min_element(
      open.begin(), open.end(), [&](std::uint32_t a, std::uint32_t b) { return walks_[a].branch < walks_[b].branch; });
  settle(first, children);
  walk.causes += walks_[first].causes;
  walk.mark = simulation_.now();
}

}  // namespace tokenyard::agents
