#include "sim/core/event_queue.hpp"

namespace tokenyard::sim {
namespace {

/// Events of a heap that still has its place in a processor's nearer caches.
constexpr std::size_t kMostNear = 4096;

}  // namespace

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

  const Event event{Event::key_of(date, order_of(priority, entity)), &handler, slot, stamps_};
  ++entity.events;
  ++live_;
  if (event.key >= far_.horizon()) {
    far_.add(event);
  } else if (top_is_free_) {
    top_is_free_ = false;
    near_.replace_top(event);
  } else {
    near_.push(event);
    if (near_.size() > kMostNear && !far_.in_use()) {
      far_.begin({near_.begin(), near_.end()});
      near_.clear();
    }
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
  return near_.empty() ? Time::never() : near_.top().date();
}

std::optional<EventQueue::Due> EventQueue::pop() {
  if (next_date() == Time::never()) return {};
  const Event& top = near_.top();
  const Due due{top.date(), top.handler, slots_[top.slot].argument, top.order()};
  release(top.slot);
  --live_;
  top_is_free_ = true;
  if (crowded()) {
    if (const Event& next = near_.second(); next.handler != nullptr) {
      fetch(&slots_[next.slot], sizeof(Slot));
      fetch(next.handler, kFetched);
    }
  }
  return due;
}

void EventQueue::release(std::uint32_t slot) {
  slots_[slot].stamp = 0;
  slots_[slot].next_free = free_;
  free_ = slot;
}

void EventQueue::surface() {
  if (top_is_free_) {
    top_is_free_ = false;
    near_.pop();
  }
  for (;;) {
    while (!near_.empty() && !pending(near_.top())) near_.pop();
    if (!near_.empty() || !far_.in_use()) return;
    for (const Event& event : far_.next_span()) {
      if (pending(event)) near_.push(event);
    }
  }
}

}  // namespace tokenyard::sim
