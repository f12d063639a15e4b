#pragma once
/// KV that is held in HBM for the next calls of tasks: by whom, and until when.
///
/// What is held counts as used. It is let go when its time is over, when the task's next call is admitted, which then
/// holds it itself, or when the task ends. Where blocks are short it gives way: that of the task that came last first,
/// as in Continuum. Once the next call has come, the time has no end.
///
/// Cost: O(what is held) for each of these, O(1) to see that nothing's time is over. As many are held as contexts fit
/// in HBM.
///
///   HeldKv held(cache);
///   held.add({task, content, task_arrival, until, chain});
///   held.expire(now);

#include <span>
#include <vector>

#include "platforms/kv/kv_cache.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::platforms {

/// Whether a prompt goes on with the context whose last extent has this content.
bool goes_on(std::span<const Extent> prompt, std::uint64_t content);

class HeldKv {
 public:
  struct Entry {
    std::uint64_t task = 0;
    std::uint64_t content = 0;  ///< of the last extent of its context
    sim::Time task_arrival;
    sim::Time until;  ///< its last nanosecond
    KvChain chain;
  };

  explicit HeldKv(KvCache& cache) : cache_(cache) {}

  void add(const Entry& entry);
  /// A call has come. True if it goes on with something held, which is then held until the call is admitted.
  bool claim(std::uint64_t task, std::span<const Extent> prompt);
  /// The call holds what it found of the cache by itself now.
  void admitted(std::uint64_t task, std::span<const Extent> prompt);
  /// True if something was held for the task.
  bool forget(std::uint64_t task);
  /// Lets go what was held until before `now`, in the order of those dates: the order of eviction.
  void expire(sim::Time now) {
    if (now > earliest_) let_expired_go(now);
  }
  /// False if nothing is held.
  bool give_way();

  /// No time is over up to and including this nanosecond.
  sim::Time earliest() const { return earliest_; }
  bool empty() const { return entries_.empty(); }

 private:
  void let_expired_go(sim::Time now);
  template <typename Which>
  bool let_go(const Which& which);

  KvCache& cache_;
  std::vector<Entry> entries_;
  sim::Time earliest_ = sim::Time::never();  ///< not after the first `until`
};

}  // namespace tokenyard::platforms
