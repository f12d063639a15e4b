#include "platforms/serving/scheduling.hpp"

#include <algorithm>

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

/// One replica that runs a call at a time.
PoolOptions one_seat(Scheduling scheduling) {
  PoolOptions pool;
  pool.name = "main";
  const auto cost = std::make_shared<LinearCost>();
  cost->base = FineTime(Time::nanoseconds(100)).ticks();
  pool.cost = cost;
  pool.batching.max_num_seqs = 1;
  pool.batching.scheduling = scheduling;
  pool.kv.blocks = 1000;
  pool.hosts.resize(1);
  return pool;
}

/// The order in which it admits calls that come, in this order, while it is busy.
std::vector<std::size_t> order_of(Scheduling scheduling, const std::vector<Planned>& waiting) {
  Stand stand({one_seat(scheduling)});
  std::vector<Planned> calls(1);
  calls[0].prompt = {{0, 10}};
  calls[0].output_tokens = 50;
  for (Planned call : waiting) {
    call.arrival = Time::nanoseconds(static_cast<std::int64_t>(calls.size()));
    call.prompt = {{0, 10}};
    calls.push_back(call);
  }
  stand.plan(calls);
  stand.run();
  std::vector<std::size_t> order(waiting.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return stand.records[a + 1].scheduled < stand.records[b + 1].scheduled;
  });
  return order;
}

Planned call(std::int64_t task_arrival_ns, std::int64_t served_ms, Tokens output) {
  Planned planned;
  planned.task_arrival = Time::nanoseconds(task_arrival_ns);
  planned.task_served = Time::milliseconds(served_ms);
  planned.output_tokens = output;
  return planned;
}

}  // namespace

TEST_CASE("Each scheduling policy serves who waits in its own order") {
  const std::vector<Planned> calls = {call(40, 900, 30), call(10, 600, 20), call(30, 0, 40), call(20, 3, 10)};
  using Order = std::vector<std::size_t>;
  CHECK(order_of(Scheduling::kFcfs, calls) == Order{0, 1, 2, 3});
  CHECK(order_of(Scheduling::kTaskFcfs, calls) == Order{1, 3, 2, 0});
  CHECK(order_of(Scheduling::kPlas, calls) == Order{2, 3, 0, 1});  // 900 and 600 ms are of one level: as they came
  CHECK(order_of(Scheduling::kShortestFirst, calls) == Order{3, 1, 0, 2});
}

TEST_CASE("ATLAS goes by the longest path that led to a call, not by all that its task was served") {
  std::vector<Planned> calls = {call(0, 900, 10), call(0, 600, 10), call(0, 300, 10)};
  calls[0].path_served = Time::milliseconds(100);  // one of nine branches
  calls[1].path_served = Time::milliseconds(600);
  calls[2].path_served = Time::milliseconds(300);
  using Order = std::vector<std::size_t>;
  CHECK(order_of(Scheduling::kAtlas, calls) == Order{0, 2, 1});
  CHECK(order_of(Scheduling::kPlas, calls) == Order{2, 0, 1});
}

TEST_CASE("The earliest deadline goes first, a task without one last") {
  std::vector<Planned> calls(3);
  calls[0].deadline = Time::never();
  calls[1].deadline = Time::seconds(9);
  calls[2].deadline = Time::seconds(8);
  CHECK(order_of(Scheduling::kDeadline, calls) == std::vector<std::size_t>{2, 1, 0});
}

TEST_CASE("Who is nearest to the end of its task goes first, as learned from tasks that ended") {
  RemainingTime remaining;
  remaining.came(1, 0, 5, Time::seconds(10));
  remaining.came(1, 0, 6, Time::seconds(14));
  CHECK(remaining.expected(0, 5) == Time());  // not known before it has ended
  remaining.ended(1, Time::seconds(20));
  remaining.came(2, 0, 5, Time::seconds(30));
  remaining.ended(2, Time::seconds(50));
  CHECK(remaining.expected(0, 5) == Time::seconds(15));
  CHECK(remaining.expected(0, 6) == Time::seconds(6));
  CHECK(remaining.expected(1, 6) == Time());

  // Each task is a step 0 and, at once, a step 1: from the third on they wait for a seat that one of another task has.
  std::vector<Planned> calls;
  for (std::uint64_t task = 1; task <= 2; ++task) {
    for (std::uint32_t node = 0; node < 2; ++node) {
      Planned planned = call(0, 0, 50);
      planned.task = task;
      planned.node = node;
      planned.prompt = {{0, 10}};
      planned.follows = node == 1;
      planned.last = node == 1;
      planned.arrival = Time::microseconds(static_cast<std::int64_t>(task) * 100);
      calls.push_back(planned);
    }
  }
  for (std::uint64_t task = 3; task <= 5; ++task) {
    Planned planned = call(0, 0, 50);
    planned.task = task;
    planned.node = task == 5 ? 1 : 0;  // the last to come is nearest to its end
    planned.prompt = {{0, 10}};
    planned.arrival = Time::microseconds(1000) + Time::nanoseconds(static_cast<std::int64_t>(task));
    calls.push_back(planned);
  }
  Stand stand({one_seat(Scheduling::kRemainingTime)});
  stand.plan(calls);
  stand.run();
  REQUIRE(stand.records.size() == 7);
  CHECK(stand.records[6].scheduled < stand.records[5].scheduled);
  CHECK(stand.records[4].scheduled < stand.records[6].scheduled);  // it found the seat empty
}
