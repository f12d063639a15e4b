#pragma once
/// The pending events of a simulation, earliest first.
///
/// Order is total and says nothing about when an event was inserted: date, then named priority, then the entity that
/// the event belongs to, then that entity's own count of events. Insertion order would differ between a run that steps
/// and one that leaps; this key does not.
///
/// An implicit 4-ary heap of 32-byte POD events, two cache lines for each level: O(log n) to schedule and to pop, no
/// allocation per event. Which of four is the earliest nobody can foresee, so it is found without branches; and the
/// place of an event that was popped goes to the next one scheduled, since most events schedule another. Cancelling is
/// O(1): the handle's stamp is invalidated and the stale event is dropped when it surfaces.
///
///   EventHandle h = queue.schedule(Time::seconds(2), Priority::kArrival, entity, handler, argument);
///   queue.cancel(h);

#include <boost/align/aligned_allocator.hpp>
#include <cstdint>
#include <vector>

#include "sim/core/cache_line.hpp"
#include "sim/core/time.hpp"

namespace tokenyard::sim {

/// What happens first among events of one nanosecond. What ends comes before what begins, observers come last.
enum class Priority : std::uint8_t {
  kFault,     ///< a resource goes down or comes back
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
  EventQueue();

  /// The handler must live until the event is popped, or would be, if it is cancelled.
  EventHandle schedule(Time date, Priority priority, Entity& entity, EventHandler& handler, std::uint64_t argument = 0);

  /// Removes the event if it is still pending; a spent or empty handle is ignored. Clears the handle.
  void cancel(EventHandle& handle);

  bool pending(const EventHandle& handle) const {
    return handle.stamp != 0 && slots_[handle.slot].stamp == handle.stamp;
  }

  /// `Time::never()` when empty.
  Time next_date();

  /// Removes the earliest event. Only when `next_date()` is not `never()`.
  struct Due {
    Time date;
    EventHandler* handler;
    std::uint64_t argument;
    std::uint64_t order;  ///< among the events of its date: see order_of()
  };
  Due pop();

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
  struct Event {
    Int128 key;  ///< the date in nanoseconds, above the order of those of one date: see order_of()
    EventHandler* handler;
    std::uint32_t slot;
    std::uint32_t stamp;

    Time date() const { return Time::nanoseconds(static_cast<std::int64_t>(key >> 64)); }
  };
  static_assert(sizeof(Event) == 32);
  struct Slot {
    std::uint64_t argument = 0;
    std::uint32_t stamp = 0;
    std::uint32_t next_free = 0;
  };

  bool empty() const { return end_ == kTop; }
  /// Of a family of four; where fewer are pending, those that never come lose.
  std::size_t earliest_from(std::size_t first) const;
  /// Puts it where the top was, or below whatever comes before it.
  void sink(const Event& event);
  /// Puts it at the end, or above whatever comes after it.
  void swim(const Event& event);
  void remove_top();
  /// Nothing that is pending lies behind what is on top.
  void surface();
  void release(std::uint32_t slot);

  static constexpr std::size_t kArity = 4;
  static constexpr std::size_t kTop = kArity - 1;  ///< behind a gap, so that siblings share their lines
  static constexpr std::size_t first_child(std::size_t at) { return kArity * (at - kTop + 1); }
  static constexpr std::size_t parent_of(std::size_t at) { return at / kArity + kTop - 1; }
  /// From `end_` on, for a family at least, lie events that never come.
  std::vector<Event, boost::alignment::aligned_allocator<Event, kCacheLine>> heap_;
  std::size_t end_ = kTop;
  bool top_is_free_ = false;  ///< its event was popped
  std::vector<Slot> slots_;
  std::uint32_t free_ = kNoSlot;
  std::uint32_t stamps_ = 0;
  std::size_t live_ = 0;
  static constexpr std::uint32_t kNoSlot = 0xffffffff;
};

}  // namespace tokenyard::sim
