#include "platforms/serving/scheduling.hpp"

#include <algorithm>

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

/// The order in which one replica that runs a call at a time admits calls that come, in this order, while it is busy.
std::vector<std::size_t> order_of(Scheduling scheduling, const std::vector<Planned>& waiting) {
  PoolOptions pool;
  pool.name = "main";
  const auto cost = std::make_shared<LinearCost>();
  cost->base = FineTime(Time::nanoseconds(100)).ticks();
  pool.cost = cost;
  pool.batching.max_num_seqs = 1;
  pool.batching.scheduling = scheduling;
  pool.kv.blocks = 1000;
  pool.hosts.resize(1);
  Stand stand({pool});
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
