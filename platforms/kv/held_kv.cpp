#include "platforms/kv/held_kv.hpp"

#include <algorithm>

namespace tokenyard::platforms {

using sim::Time;

bool goes_on(std::span<const Extent> prompt, std::uint64_t content) {
  return std::any_of(prompt.begin(), prompt.end(), [&](const Extent& extent) { return extent.content == content; });
}

void HeldKv::add(const Entry& entry) {
  entries_.push_back(entry);
  earliest_ = std::min(earliest_, entry.until);
}

bool HeldKv::claim(std::uint64_t task, std::span<const Extent> prompt) {
  bool found = false;
  for (Entry& entry : entries_) {
    if (entry.task != task || !goes_on(prompt, entry.content)) continue;
    entry.until = Time::never();
    found = true;
  }
  return found;
}

void HeldKv::admitted(std::uint64_t task, std::span<const Extent> prompt) {
  let_go([&](const Entry& entry) { return entry.task == task && goes_on(prompt, entry.content); });
}

bool HeldKv::forget(std::uint64_t task) {
  return let_go([&](const Entry& entry) { return entry.task == task; });
}

void HeldKv::let_expired_go(Time now) {
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.until < b.until; });
  let_go([&](const Entry& entry) { return entry.until < now; });
  earliest_ = entries_.empty() ? Time::never() : entries_.front().until;
}

bool HeldKv::give_way() {
  if (entries_.empty()) return false;
  const auto latest = std::max_element(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.task_arrival != b.task_arrival ? a.task_arrival < b.task_arrival : a.task < b.task;
  });
  cache_.drop(latest->chain);
  entries_.erase(latest);
  return true;
}

template <typename Which>
bool HeldKv::let_go(const Which& which) {
  return std::erase_if(entries_, [&](const Entry& entry) {
           const bool gone = which(entry);
           KvChain chain = entry.chain;
           if (gone) cache_.drop(chain);
           return gone;
         }) > 0;
}

}  // namespace tokenyard::platforms
