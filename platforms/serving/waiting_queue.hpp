#pragma once
/// The calls that wait for their replica, in its scheduling policy's order (scheduling.hpp). Those whose KV is held go
/// ahead of the others, whatever their rank.
///
/// Cost: as many steps as a call overtakes others; O(waiting) for a promotion.
///
///   WaitingQueue waiting(calls, policy);
///   waiting.add(index);  …  waiting.remove(waiting.first());

#include <utility>

#include "platforms/serving/active_call.hpp"
#include "platforms/serving/scheduling.hpp"

namespace tokenyard::platforms {

class WaitingQueue {
 public:
  WaitingQueue(ActiveCalls& calls, const SchedulingPolicy& policy) : calls_(calls), policy_(policy) {}

  const CallList& list() const { return list_; }
  bool empty() const { return list_.empty(); }
  std::int32_t size() const { return list_.size; }
  std::uint32_t first() const { return list_.first; }

  /// A call comes: behind its like.
  void add(std::uint32_t index);
  /// A call gave way: ahead of its like.
  void add_back(std::uint32_t index);
  void remove(std::uint32_t index) { list_.remove(calls_, index); }
  void clear() { list_ = {}; }

  /// Not after the first of those that wait is to be promoted.
  sim::Time next_promotion() const { return next_promotion_; }
  /// Those that have waited too long, in the order in which they did, are in the first level from now on.
  void promote_starving(sim::Time now);

 private:
  using Place = std::pair<bool, std::int64_t>;  ///< whether nothing is held for it, rank: the least is first

  Place place_of(std::uint32_t index) const;
  void insert_behind(std::uint32_t before, std::uint32_t index);
  sim::Time promotion_of(const ActiveCall& call) const;

  ActiveCalls& calls_;
  const SchedulingPolicy& policy_;
  CallList list_;
  sim::Time next_promotion_ = sim::Time::never();
};

}  // namespace tokenyard::platforms
