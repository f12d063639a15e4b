#include "sim/core/event_queue.hpp"

#include <limits>

namespace tokenyard::sim {
namespace {

constexpr Int128 kNever = Int128{Time::never().ns()} << 64 | std::numeric_limits<std::uint64_t>::max();

}  // namespace

EventQueue::EventQueue() : heap_(kTop + kArity, Event{kNever, nullptr, 0, 0}) {}

inline std::size_t EventQueue::earliest_from(std::size_t first) const {
  const Event* const of = heap_.data() + first;
  // All bits where a comes before b: the sign of their difference. Of a comparison the compiler makes a branch.
  const auto before = [of](std::size_t a, std::size_t b) {
    return static_cast<std::size_t>((of[a].key - of[b].key) >> 127);
  };
  const std::size_t left = before(1, 0) & 1, right = 2 | (before(3, 2) & 1);
  return first + (left ^ ((left ^ right) & before(right, left)));
}

EventHandle EventQueue::schedule(Time date, Priority priority, Entity& entity, EventHandler& handler,
                                 std::uint64_t argument) {
  std::uint32_t slot = free_;
  if (slot == kNoSlot) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    free_ = slots_[slot].next_free;
  }
  if (++stamps_ == 0) stamps_ = 1;
  slots_[slot].argument = argument;
  slots_[slot].stamp = stamps_;

  const Event event{Int128{date.ns()} << 64 | order_of(priority, entity), &handler, slot, stamps_};
  ++entity.events;
  ++live_;
  if (top_is_free_) {
    top_is_free_ = false;
    sink(event);
  } else {
    swim(event);
  }
  return {slot, event.stamp};
}

void EventQueue::cancel(EventHandle& handle) {
  if (pending(handle)) {
    release(handle.slot);
    --live_;
  }
  handle = {};
}

Time EventQueue::next_date() {
  surface();
  return empty() ? Time::never() : heap_[kTop].date();
}

EventQueue::Due EventQueue::pop() {
  surface();
  const Event& top = heap_[kTop];
  const Due due{top.date(), top.handler, slots_[top.slot].argument, static_cast<std::uint64_t>(top.key)};
  release(top.slot);
  --live_;
  top_is_free_ = true;
  if (crowded()) {
    const Event& next = heap_[earliest_from(first_child(kTop))];
    fetch(&slots_[next.slot], sizeof(Slot));
    fetch(next.handler, kFetched);
  }
  return due;
}

void EventQueue::release(std::uint32_t slot) {
  slots_[slot].stamp = 0;
  slots_[slot].next_free = free_;
  free_ = slot;
}

void EventQueue::surface() {
  if (top_is_free_) remove_top();
  while (!empty() && slots_[heap_[kTop].slot].stamp != heap_[kTop].stamp) remove_top();
}

void EventQueue::remove_top() {
  top_is_free_ = false;
  const Event last = heap_[--end_];
  heap_[end_].key = kNever;
  if (!empty()) sink(last);
}

void EventQueue::sink(const Event& event) {
  std::size_t hole = kTop;
  for (std::size_t first; (first = first_child(hole)) < end_;) {
    const std::size_t least = earliest_from(first);
    if (event.key <= heap_[least].key) break;
    heap_[hole] = heap_[least];
    hole = least;
  }
  heap_[hole] = event;
}

void EventQueue::swim(const Event& event) {
  std::size_t hole = end_++;
  if (end_ + kArity > heap_.size()) heap_.resize(2 * heap_.size(), Event{kNever, nullptr, 0, 0});
  while (hole > kTop) {
    const std::size_t parent = parent_of(hole);
    if (heap_[parent].key <= event.key) break;
    heap_[hole] = heap_[parent];
    hole = parent;
  }
  heap_[hole] = event;
}

}  // namespace tokenyard::sim
