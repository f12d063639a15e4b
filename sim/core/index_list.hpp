#pragma once
/// Items of a slab or a vector in an order, linked by their indices. An item has `previous` and `next` and is in one
/// list at most. O(1) each, no allocation.
///
///   IndexList waiting;
///   waiting.append(calls, index);
///   for (std::uint32_t i = waiting.first; i != IndexList::kNone; i = calls[i].next) …

#include <cstdint>

namespace tokenyard::sim {

struct IndexList {
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::uint32_t first = kNone, last = kNone;
  std::int32_t size = 0;

  bool empty() const { return size == 0; }
  template <class Items>
  void append(Items& items, std::uint32_t index) {
    insert_behind(items, last, index);
  }
  /// Behind `before`; at the head, if that is none.
  template <class Items>
  void insert_behind(Items& items, std::uint32_t before, std::uint32_t index) {
    auto& item = items[index];
    std::uint32_t& follower = before == kNone ? first : items[before].next;
    item.previous = before;
    item.next = follower;
    (follower == kNone ? last : items[follower].previous) = index;
    follower = index;
    ++size;
  }
  template <class Items>
  void remove(Items& items, std::uint32_t index) {
    const auto& item = items[index];
    (item.previous == kNone ? first : items[item.previous].next) = item.next;
    (item.next == kNone ? last : items[item.next].previous) = item.previous;
    --size;
  }
};

}  // namespace tokenyard::sim
