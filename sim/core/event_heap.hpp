#pragma once
/// Events, the earliest on top: an implicit 4-ary heap, two cache lines for each level, no allocation per event.
///
/// Which of four comes first nobody can foresee, so it is found without branches. O(log n) each.
///
///   EventHeap heap;  heap.push(event);  heap.replace_top(later);  heap.pop();

#include <boost/align/aligned_allocator.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/core/cache_line.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::sim {

class EventHandler;

struct Event {
  Int128 key = 0;  ///< the date in nanoseconds, not before 0, above what sorts the events of one date
  EventHandler* handler = nullptr;
  std::uint32_t slot = 0;
  std::uint32_t stamp = 0;

  static constexpr Int128 key_of(Time date, std::uint64_t order) { return Int128{date.ns()} << 64 | order; }
  Time date() const { return Time::nanoseconds(static_cast<std::int64_t>(key >> 64)); }
  std::uint64_t order() const { return static_cast<std::uint64_t>(key); }
};
static_assert(sizeof(Event) == 32);

class EventHeap {
 public:
  static constexpr Int128 kNever = Event::key_of(Time::never(), std::numeric_limits<std::uint64_t>::max());

  std::size_t size() const { return end_ - kTop; }
  bool empty() const { return end_ == kTop; }
  /// Of the functions below only `push` may be called when it is empty.
  const Event& top() const { return heap_[kTop]; }
  /// The next after the top; one that never comes, if there is none.
  const Event& second() const { return heap_[earliest_from(first_child(kTop))]; }
  void push(const Event& event);
  void pop();
  /// Puts an event where the top was, or below whatever comes before it.
  void replace_top(const Event& event);

  /// In no order.
  const Event* begin() const { return heap_.data() + kTop; }
  const Event* end() const { return heap_.data() + end_; }
  void clear();

 private:
  /// Of a family of four.
  std::size_t earliest_from(std::size_t first) const;

  static constexpr std::size_t kArity = 4;
  static constexpr std::size_t kTop = kArity - 1;  ///< behind a gap, so that siblings share their lines
  static constexpr std::size_t first_child(std::size_t at) { return kArity * (at - kTop + 1); }
  static constexpr std::size_t parent_of(std::size_t at) { return at / kArity + kTop - 1; }

  /// From `end_` on lie events that never come, for two families at least: who is looked for among them loses.
  std::vector<Event, boost::alignment::aligned_allocator<Event, kCacheLine>> heap_{kTop + 2 * kArity, Event{kNever}};
  std::size_t end_ = kTop;
};

inline std::size_t EventHeap::earliest_from(std::size_t first) const {
  const Event* const of = heap_.data() + first;
  // All bits where a comes before b: the sign of their difference. Of a comparison the compiler makes a branch.
  const auto before = [of](std::size_t a, std::size_t b) {
    return static_cast<std::size_t>((of[a].key - of[b].key) >> 127);
  };
  const std::size_t left = before(1, 0) & 1, right = 2 | (before(3, 2) & 1);
  return first + (left ^ ((left ^ right) & before(right, left)));
}

inline void EventHeap::push(const Event& event) {
  std::size_t hole = end_++;
  if (end_ + 2 * kArity > heap_.size()) heap_.resize(2 * heap_.size(), Event{kNever});
  while (hole > kTop) {
    const std::size_t parent = parent_of(hole);
    if (heap_[parent].key <= event.key) break;
    heap_[hole] = heap_[parent];
    hole = parent;
  }
  heap_[hole] = event;
}

inline void EventHeap::replace_top(const Event& event) {
  std::size_t hole = kTop;
  for (std::size_t first; (first = first_child(hole)) < end_;) {
    const std::size_t least = earliest_from(first);
    if (event.key <= heap_[least].key) break;
    heap_[hole] = heap_[least];
    hole = least;
  }
  heap_[hole] = event;
}

inline void EventHeap::pop() {
  const Event last = heap_[--end_];
  heap_[end_].key = kNever;
  if (!empty()) replace_top(last);
}

inline void EventHeap::clear() {
  while (!empty()) heap_[--end_].key = kNever;
}

}  // namespace tokenyard::sim
