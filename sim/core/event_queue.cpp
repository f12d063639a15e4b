#include "sim/core/event_queue.hpp"

#include <algorithm>

namespace tokenyard::sim {
namespace {

constexpr std::size_t kArity = 4, kTop = kArity - 1;
constexpr std::size_t first_child(std::size_t at) { return kArity * (at - kTop + 1); }
constexpr std::size_t parent_of(std::size_t at) { return at / kArity + kTop - 1; }

}  // namespace

EventQueue::EventQueue() : heap_(kTop) {}

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

  const Event event{date, order_of(priority, entity), &handler, slot, stamps_};
  ++entity.events;
  ++live_;

  std::size_t hole = heap_.size();
  heap_.push_back(event);
  while (hole > kTop) {
    const std::size_t parent = parent_of(hole);
    if (!before(event, heap_[parent])) break;
    heap_[hole] = heap_[parent];
    hole = parent;
  }
  heap_[hole] = event;
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
  drop_stale();
  return heap_.size() == kTop ? Time::never() : heap_[kTop].date;
}

EventQueue::Due EventQueue::pop() {
  drop_stale();
  const Event& top = heap_[kTop];
  const std::uint32_t slot = top.slot;
  const Due due{top.date, top.handler, slots_[slot].argument, top.order};
  remove_top();
  release(slot);
  --live_;
  if (crowded()) {
    fetch(&slots_[heap_[kTop].slot], sizeof(Slot));
    fetch(heap_[kTop].handler, kFetched);
  }
  return due;
}

void EventQueue::release(std::uint32_t slot) {
  slots_[slot].stamp = 0;
  slots_[slot].next_free = free_;
  free_ = slot;
}

void EventQueue::drop_stale() {
  while (heap_.size() > kTop && slots_[heap_[kTop].slot].stamp != heap_[kTop].stamp) remove_top();
}

void EventQueue::remove_top() {
  const Event last = heap_.back();
  heap_.pop_back();
  const std::size_t count = heap_.size();
  if (count == kTop) return;
  std::size_t hole = kTop;
  for (;;) {
    const std::size_t first = first_child(hole);
    if (first >= count) break;
    std::size_t least = first;
    const std::size_t end = std::min(first + kArity, count);
    for (std::size_t child = first + 1; child < end; ++child) {
      if (before(heap_[child], heap_[least])) least = child;
    }
    if (!before(heap_[least], last)) break;
    heap_[hole] = heap_[least];
    hole = least;
  }
  heap_[hole] = last;
}

}  // namespace tokenyard::sim
