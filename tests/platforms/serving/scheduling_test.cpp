#include "platforms/serving/scheduling.hpp"

#include <algorithm>

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

/// One replica that runs a call at a time.
PoolOptions one_seat(Scheduling scheduling) {
  PoolOptions pool = pool_of_one(Time::nanoseconds(100));
  pool.batching.max_num_seqs = 1;
  pool.batching.scheduling.order = scheduling;
  pool.kv.blocks = 1000;
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

namespace {

/// As `one_seat`, whose steps take 100 ns each, and whose calls give way.
PoolOptions giving_way(Scheduling scheduling, Time quantum) {
  PoolOptions pool = one_seat(scheduling);
  pool.batching.scheduling.preemptive = true;
  pool.batching.scheduling.quantum = quantum;
  return pool;
}

Planned at(std::int64_t arrival_ns, Tokens output, std::uint64_t content) {
  Planned planned;
  planned.arrival = Time::nanoseconds(arrival_ns);
  planned.prompt = {{content, 10}};
  planned.output_tokens = output;
  planned.output_content = content;
  return planned;
}

}  // namespace

TEST_CASE("Who decodes gives way to who ranks before it, at the next step, and takes up where it was") {
  std::vector<Planned> calls = {at(0, 50, 1), at(1010, 5, 2)};
  calls[0].deadline = Time::microseconds(9);
  calls[1].deadline = Time::microseconds(3);
  for (const bool preemptive : {false, true}) {
    PoolOptions pool = giving_way(Scheduling::kDeadline, Time::milliseconds(1));
    pool.batching.scheduling.preemptive = preemptive;
    pool.kv.block_size = 1;
    Stand stand({pool});
    stand.plan(calls);
    stand.run();
    CHECK(stand.records[0].preemptions == (preemptive ? 1 : 0));
    CHECK(stand.records[1].scheduled == Time::nanoseconds(preemptive ? 1100 : 5000));
    // The five steps of the other, and none of its own again: but for the newest token its KV is found.
    CHECK(stand.records[0].finish == Time::nanoseconds(preemptive ? 5500 : 5000));
    CHECK(stand.records[0].causes[Cause::kQueue] == Time::nanoseconds(preemptive ? 500 : 0));
  }
}

TEST_CASE("Nobody gives way to who ranks as it does, nor where there is a seat for both") {
  std::vector<Planned> calls = {at(0, 50, 1), at(1010, 5, 2)};
  calls[0].deadline = calls[1].deadline = Time::microseconds(9);
  PoolOptions pool = giving_way(Scheduling::kDeadline, Time::milliseconds(1));
  Stand alike({pool});
  alike.plan(calls);
  alike.run();
  CHECK(alike.totals().preemptions == 0);
  calls[1].deadline = Time::microseconds(3);
  pool.batching.max_num_seqs = 2;
  Stand seats({pool});
  seats.plan(calls);
  seats.run();
  CHECK(seats.totals().preemptions == 0);
  CHECK(seats.records[1].scheduled == Time::nanoseconds(1100));
}

TEST_CASE("A multi-level feedback queue demotes a call each time that its service has doubled") {
  // Alone for 1,600 ns, the first has been served 16 quanta: level 5. The second, from level 0 on, keeps the seat until
  // it is in level 6, at 32 quanta, or has ended; the third comes in between and passes both.
  const std::vector<Planned> calls = {at(0, 200, 1), at(1550, 100, 2), at(3150, 2, 3)};
  PoolOptions pool = giving_way(Scheduling::kMlfq, Time::nanoseconds(100));
  pool.kv.block_size = 1;
  Stand stand({pool});
  stand.plan(calls);
  stand.run();
  CHECK(stand.records[1].scheduled == Time::nanoseconds(1600));
  CHECK(stand.records[2].scheduled == Time::nanoseconds(3200));
  CHECK(stand.records[2].finish == Time::nanoseconds(3400));
  // The second goes on at 3,400 with 16 quanta, level 5 as the first, ahead of it since it gave way last, and gives
  // way to it when it has 32: 1,600 ns later. They take turns of doubling length until the second ends.
  CHECK(stand.records[1].preemptions == 2);
  CHECK(stand.records[0].preemptions == 2);
  CHECK(stand.records[1].finish < stand.records[0].finish);
  // Of the tokens made before, none is made again; each return computes one token, which is the next.
  CHECK(stand.records[0].finish == Time::nanoseconds(100 * (200 + 100 + 2)));
}

TEST_CASE("A call that waits as many times as long as its task was served is promoted, and only then") {
  PoolOptions pool = one_seat(Scheduling::kPlas);
  std::vector<Planned> calls = {at(0, 50, 1)};  // until 5,000 ns
  calls.push_back(at(10, 50, 2));               // of a task served for 2 ms, that has waited for 3 ms
  calls[1].task_served = Time::milliseconds(2);
  calls[1].task_waited = Time::microseconds(3000);
  calls.push_back(at(150, 50, 3));  // of a new one, two steps later
  // Twice: not before the first ends, so that the new one goes first. Just over 1.5 times: 4 us after it came.
  const auto second_first = [&](double promote_at) {
    pool.batching.scheduling.promote_at = promote_at;
    Stand stand({pool});
    stand.plan(calls);
    stand.run();
    return stand.records[1].scheduled < stand.records[2].scheduled;
  };
  CHECK(!second_first(0));
  CHECK(!second_first(2));
  // In the first level it stands behind who came to it before, as it is moved when its time has come.
  CHECK(!second_first(1.502));
  CHECK(second_first(1.5));
}
