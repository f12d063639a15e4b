#pragma once
/// KV that is held in HBM for the next calls of tasks: by whom, and until when.
///
/// What is held counts as used. It is let go when its time is over, when the task's next call has been admitted (which
/// then holds it itself), when the task ends, or when it must give way: the task that came last first, as in Continuum.
/// Once the next call has come, it waits for that call as long as it takes.
///
/// Cost: O(what is held) for each of these, O(1) to see that nothing's time is over. As many are held as contexts fit
/// in HBM.
///
///   HeldKv held(cache);
///   held.add({task, content, task_arrival, until, chain});
///   held.expire(now);

#include <algorithm>
#include <vector>

#include "platforms/kv/kv_cache.hpp"
#include "platforms/kv/kv_retention.hpp"

namespace tokenyard::platforms {

class HeldKv {
 public:
  struct Entry {
    std::uint64_t task = 0;
    std::uint64_t content = 0;  ///< of the last extent of its context; a prompt that has it goes on with it
    sim::Time task_arrival;
    sim::Time until;  ///< its last nanosecond
    KvChain chain;
  };

  explicit HeldKv(KvCache& cache) : cache_(cache) {}

  void add(const Entry& entry) {
    entries_.push_back(entry);
    earliest_ = std::min(earliest_, entry.until);
  }
  /// A call has come: does it go on with what is held? That is then held until it is admitted.
  bool claim(std::uint64_t task, std::span<const Extent> prompt) {
    bool found = false;
    for (Entry& entry : entries_) {
      if (entry.task != task || !goes_on(prompt, entry.content)) continue;
      entry.until = sim::Time::never();
      found = true;
    }
    return found;
  }
  /// The call holds what it found of the cache by itself now.
  void admitted(std::uint64_t task, std::span<const Extent> prompt) {
    let_go([&](const Entry& entry) { return entry.task == task && goes_on(prompt, entry.content); });
  }
  /// True if something was held for it.
  bool forget(std::uint64_t task) {
    return let_go([&](const Entry& entry) { return entry.task == task; });
  }
  /// Lets go what was held until before `now`.
  void expire(sim::Time now) {
    if (now <= earliest_) return;
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.until < b.until; });  // the order of eviction
    let_go([&](const Entry& entry) { return entry.until < now; });
    earliest_ = entries_.empty() ? sim::Time::never() : entries_.front().until;
  }
  /// False if nothing is held.
  bool give_way() {
    if (entries_.empty()) return false;
    const auto latest = std::max_element(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return a.task_arrival != b.task_arrival ? a.task_arrival < b.task_arrival : a.task < b.task;
    });
    cache_.release(latest->chain, {}, 0);
    entries_.erase(latest);
    return true;
  }
  /// No time is over up to and including this nanosecond.
  sim::Time earliest() const { return earliest_; }
  bool empty() const { return entries_.empty(); }

 private:
  template <typename Which>
  bool let_go(const Which& which) {
    return std::erase_if(entries_, [&](const Entry& entry) {
             const bool gone = which(entry);
             KvChain chain = entry.chain;
             if (gone) cache_.release(chain, {}, 0);
             return gone;
           }) > 0;
  }

  KvCache& cache_;
  std::vector<Entry> entries_;
  sim::Time earliest_ = sim::Time::never();  ///< not after the first `until`
};

}  // namespace tokenyard::platforms
