#pragma once
/// The pending events of a simulation, earliest first.
///
/// Order is total and says nothing about when an event was inserted: date, then named priority, then the entity that
/// the event belongs to, then that entity's own count of events. Insertion order would differ between a run that steps
/// and one that leaps; this key does not.
///
/// A heap of those that are near (event_heap.hpp); where there are thousands, the others wait by spans of time until
/// their turn comes (far_events.hpp). The place of an event that was popped goes to the next one scheduled, since most
/// events schedule another. Cancelling is O(1): the handle's stamp is invalidated and the stale event is dropped when
/// it surfaces. No allocation per event.
///
///   EventHandle h = queue.schedule(Time::seconds(2), Priority::kArrival, entity, handler, argument);
///   queue.cancel(h);

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/core/far_events.hpp"

namespace tokenyard::sim {

/// What happens first among events of one nanosecond. What ends comes before what begins, observers come last.
enum class Priority : std::uint8_t {
  kDelivery,  ///< a transfer over the network has arrived
  kStepEnd,   ///< a server finishes a unit of its work
  kWake,      ///< a delay is over (tool, human, think time)
  kArrival,   ///< work arrives
  kObserve,   ///< a sample is taken
  kStop,      ///< the run's horizon
};

/// Whoever schedules events: a stable number and the count of events it has scheduled so far. Numbers need be unique
/// only among the entities that share a priority.
struct Entity {
  std::uint64_t id = 0;  ///< below 2^36
  std::uint32_t events = 0;
};

class EventHandler {
 public:
  virtual ~EventHandler() = default;
  virtual void on_event(Time now, std::uint64_t argument) = 0;
};

struct EventHandle {
  std::uint32_t slot = 0;
  std::uint32_t stamp = 0;  ///< 0: no event
};

class EventQueue {
 public:
  /// The handler must live until the event is popped, or would be, if it is cancelled.
  EventHandle schedule(Time date, Priority priority, Entity& entity, EventHandler& handler, std::uint64_t argument = 0);

  /// Removes the event if it is still pending; a spent or empty handle is ignored. Clears the handle.
  void cancel(EventHandle& handle);

  bool pending(const EventHandle& handle) const {
    return handle.stamp != 0 && slots_[handle.slot].stamp == handle.stamp;
  }

  /// `Time::never()` when empty.
  Time next_date();

  /// Removes the earliest event; none: none is left, or only what is dated `Time::never()`.
  struct Due {
    Time date;
    EventHandler* handler;
    std::uint64_t argument;
    std::uint64_t order;  ///< among the events of its date: see order_of()
  };
  std::optional<Due> pop();

  /// What sorts the events of one date: 4 bits of priority, 36 of entity, 24 of the entity's count.
  static std::uint64_t order_of(Priority priority, const Entity& entity) {
    return static_cast<std::uint64_t>(priority) << 60 | (entity.id & 0xfffffffffULL) << 24 |
           (entity.events & 0xffffffU);
  }

  std::size_t size() const { return live_; }

  /// Whether so many events are pending that whoever handles the next has left the processor's caches meanwhile. Then
  /// `kFetched` bytes of it are fetched while the event before is handled (cache_line.hpp), and it is worth its while
  /// to fetch what else the event will use.
  bool crowded() const { return live_ > 1000; }
  static constexpr std::size_t kFetched = 1024;

 private:
  struct Slot {
    std::uint64_t argument = 0;
    std::uint32_t stamp = 0;
    std::uint32_t next_free = 0;
  };

  bool pending(const Event& event) const { return slots_[event.slot].stamp == event.stamp; }
  /// On top lies what is pending, if anything is.
  void surface();
  void release(std::uint32_t slot);

  EventHeap near_;
  FarEvents far_;
  bool top_is_free_ = false;  ///< of the heap: its event was popped
  std::vector<Slot> slots_;
  std::uint32_t free_ = kNoSlot;
  std::uint32_t stamps_ = 0;
  std::size_t live_ = 0;
  static constexpr std::uint32_t kNoSlot = 0xffffffff;
};

}  // namespace tokenyard::sim
