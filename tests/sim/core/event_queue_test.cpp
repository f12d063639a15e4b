#include "sim/core/event_queue.hpp"

#include <map>
#include <set>

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
  for (std::uint64_t expected = 0; expected < 5; ++expected) CHECK(queue.pop()->argument == expected);
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
      const EventQueue::Due due = *queue.pop();
      REQUIRE(due.date.ns() == model.begin()->first);
      REQUIRE(due.argument == model.begin()->second);
      model.erase(model.begin());
      handles.erase(due.argument);
    }
    REQUIRE(queue.size() == model.size());
  }
}

TEST_CASE(
    "Many events come in the order of a sorted list, however far ahead they lie and whenever they are scheduled") {
  EventQueue queue;
  Nobody nobody;
  Stream stream(3, StreamName("far"), 0);
  std::set<std::pair<std::int64_t, std::uint64_t>> model;
  std::vector<std::pair<std::int64_t, EventHandle>> handles;
  std::vector<Entity> entities(60'000);
  std::int64_t now = 0;
  // Most within milliseconds, some within hours, some at one date, a few never.
  const auto date = [&]() -> std::int64_t {
    const std::uint64_t what = stream.below(1000);
    if (what == 0) return Time::never().ns();
    if (what < 50) return now + 1'000'000;
    if (what < 100) return now + static_cast<std::int64_t>(stream.below(1'000'000'000'000'000));
    return now + static_cast<std::int64_t>(stream.below(20'000'000));
  };
  const auto schedule = [&](std::uint64_t i) {
    entities[i].id = i;
    const std::int64_t at = date();
    handles.emplace_back(at, queue.schedule(Time::nanoseconds(at), Priority::kWake, entities[i], nobody, i));
    model.emplace(at, i);
  };
  const auto pop = [&] {
    REQUIRE(queue.next_date().ns() == model.begin()->first);
    const EventQueue::Due due = *queue.pop();
    REQUIRE(due.date.ns() == model.begin()->first);
    REQUIRE(due.argument == model.begin()->second);
    model.erase(model.begin());
    now = due.date.ns();
  };
  std::uint64_t next = 0;
  while (next < 20'000) schedule(next++);
  while (next < 60'000) {
    if (stream.below(5) == 0) {
      const std::uint64_t i = stream.below(next);
      auto& [at, handle] = handles[i];
      if (queue.pending(handle)) model.erase({at, i});
      queue.cancel(handle);
    }
    pop();
    for (std::uint64_t more = stream.below(3); more > 0 && next < 60'000; --more) schedule(next++);
    REQUIRE(queue.size() == model.size());
  }
  while (!model.empty() && model.begin()->first != Time::never().ns()) pop();
  CHECK(queue.next_date() == Time::never());
}
