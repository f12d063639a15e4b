#pragma once
/// Events too far ahead to be sorted yet, in equal spans of time; those beyond the last span in no order (a rung of a
/// ladder queue: Tang, Goh and Thng, 2005).
///
/// A heap of a hundred thousand events has left the processor's caches, and every event goes down through it. Here it
/// is written twice or so, behind the one before, and sorted among the few hundred of its span when their time has
/// come.
///
///   if (event.key < far.horizon()) near.push(event); else far.add(event);
///   // … nothing is near any more:
///   for (const Event& event : far.next_span()) near.push(event);

#include <cstdint>
#include <vector>

#include "sim/core/event_heap.hpp"

namespace tokenyard::sim {

class FarEvents {
 public:
  /// Events of this key and later ones belong here; earlier ones do not. EventHeap::kNever: it is not in use.
  Int128 horizon() const { return horizon_; }
  bool in_use() const { return horizon_ != EventHeap::kNever; }
  /// Goes into use with these.
  void begin(std::vector<Event> events) { spread(std::move(events)); }
  void add(const Event& event);
  /// The events of the next span that has some, which are near from now on; none: it is no longer in use. Valid until
  /// the next call.
  const std::vector<Event>& next_span();

 private:
  void spread(std::vector<Event> events);

  std::vector<std::vector<Event>> spans_;
  std::vector<Event> beyond_, taken_;
  std::int64_t begin_ns_ = 0;
  unsigned shift_ = 0;  ///< log2 of a span's nanoseconds
  std::size_t next_ = 0;
  Int128 horizon_ = EventHeap::kNever;
};

}  // namespace tokenyard::sim
