#include "sim/core/event_queue.hpp"

#include <map>

#include "sim/random/stream.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard::sim;

namespace {
struct Nobody final : EventHandler {
  void on_event(Time, std::uint64_t) override {}
};
}  // namespace

TEST_CASE("Ties go by priority, entity and the entity's own count, never by insertion") {
  EventQueue queue;
  Nobody nobody;
  Entity a{1}, b{2};
  const Time t = Time::seconds(1);
  queue.schedule(t, Priority::kArrival, b, nobody, 4);
  queue.schedule(t, Priority::kArrival, a, nobody, 2);
  queue.schedule(t, Priority::kArrival, a, nobody, 3);
  queue.schedule(t, Priority::kStepEnd, b, nobody, 1);
  queue.schedule(Time(), Priority::kStop, b, nobody, 0);
  for (std::uint64_t expected = 0; expected < 5; ++expected) CHECK(queue.pop().argument == expected);
  CHECK(queue.next_date() == Time::never());
}

TEST_CASE("Random schedules and cancellations agree with a multimap") {
  EventQueue queue;
  Nobody nobody;
  Entity entity{1};
  Stream stream(9, StreamName("queue"), 0);
  std::multimap<std::int64_t, std::uint64_t> model;
  std::map<std::uint64_t, EventHandle> handles;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const std::uint64_t what = stream.below(10);
    if (what < 5) {
      const auto date = static_cast<std::int64_t>(stream.below(1000));
      handles[i] = queue.schedule(Time::nanoseconds(date), Priority::kWake, entity, nobody, i);
      model.emplace(date, i);
    } else if (what < 7 && !handles.empty()) {
      auto it = handles.lower_bound(stream.below(i + 1));
      if (it == handles.end()) it = handles.begin();
      for (auto m = model.begin(); m != model.end(); ++m) {
        if (m->second == it->first) {
          model.erase(m);
          break;
        }
      }
      queue.cancel(it->second);
      handles.erase(it);
    } else if (!model.empty()) {
      const EventQueue::Due due = queue.pop();
      REQUIRE(due.date.ns() == model.begin()->first);
      REQUIRE(due.argument == model.begin()->second);
      model.erase(model.begin());
      handles.erase(due.argument);
    }
    REQUIRE(queue.size() == model.size());
  }
}
