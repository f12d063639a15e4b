/// Pools that overflow into others: where calls go, what the way costs, and that every nanosecond has its cause.

#include "tests/platforms/serving/stand.hpp"

namespace tokenyard::platforms {
namespace {

using sim::Time;

/// A step of a millisecond.
PoolOptions pool_of(std::size_t replicas, std::vector<std::uint32_t> overflow, Router router = Router::kLeastLoaded) {
  auto cost = std::make_shared<LinearCost>();
  cost->base = std::int64_t{1'000'000} << sim::FineTime::kFractionBits;
  PoolOptions pool;
  pool.cost = cost;
  pool.router = router;
  pool.kv = {.blocks = 1000, .block_size = 16};
  pool.hosts.resize(replicas);
  pool.overflow = std::move(overflow);
  pool.overflow_at = 1;
  return pool;
}

Planned call(std::int64_t microseconds, std::uint64_t task, std::uint32_t pool = 0) {
  Planned planned;
  planned.arrival = Time::microseconds(microseconds);
  planned.prompt = {{1 + task, 100}};
  planned.output_tokens = 5;
  planned.task = task;
  planned.pool = pool;
  return planned;
}

/// Over a link of 1e6 bytes per second; 4 bytes a token, and a microsecond at either end.
constexpr std::int64_t kThere = 400 + 2, kBack = 20 + 2;

}  // namespace

TEST_CASE("Overflow: a full pool's call runs elsewhere, and its text takes time both ways") {
  Stand stand({pool_of(1, {1}), pool_of(1, {})}, 1e6);
  stand.plan({call(0, 1), call(100, 2)});
  stand.run();
  REQUIRE(stand.records.size() == 2);
  CHECK(stand.records[0].pool == 0);
  CHECK(stand.records[0].finish == Time::microseconds(5000));
  CHECK(stand.records[0].causes[Cause::kNetwork] == Time());

  const CallRecord& sent = stand.records[1];
  CHECK(sent.pool == 1);
  CHECK(sent.status == CallStatus::kCompleted);
  CHECK(sent.causes[Cause::kNetwork] == Time::microseconds(kThere + kBack));
  CHECK(sent.first_token == Time::microseconds(100 + kThere + 1000 + kBack));
  CHECK(sent.finish == Time::microseconds(100 + kThere + 5000 + kBack));
  CHECK(sent.causes.sum() == sent.finish - sent.arrival);
}

TEST_CASE("Overflow: to the emptiest, and nowhere if all are full") {
  Stand stand({pool_of(1, {1, 2}), pool_of(1, {}), pool_of(1, {})}, 1e6);
  stand.plan({call(0, 1, 1), call(10, 2), call(20, 3), call(30, 4)});
  stand.run();
  CHECK(stand.records[1].pool == 0);
  CHECK(stand.records[2].pool == 2);  // pool 1 has a call
  CHECK(stand.records[3].pool == 0);  // so has pool 2, from the moment the other was sent
}

TEST_CASE("Overflow: under a sticky router whole tasks stay where they went") {
  Stand stand({pool_of(1, {1}, Router::kTaskSticky), pool_of(1, {}, Router::kTaskSticky)}, 1e6);
  Planned second = call(0, 2), third = second;
  second.arrival = Time::microseconds(10);
  third.follows = true;
  stand.plan({call(0, 1), second, third});
  stand.run();
  CHECK(stand.records[1].pool == 1);
  CHECK(stand.records[2].pool == 1);  // though its own pool was empty by then
}

TEST_CASE("Overflow by prefix: to the pool that has most of the prompt for its load, of those with room") {
  std::vector<PoolOptions> pools = {pool_of(1, {1}), pool_of(1, {})};
  pools[0].overflow_by = OverflowBy::kPrefix;
  pools[0].overflow_at = 2;
  Stand stand(pools, 1e6);
  // Task 1 was in pool 1 before; its next calls come to pool 0.
  stand.plan({call(0, 1, 1), call(10'000, 2), call(20'000, 1), call(20'010, 1), call(20'020, 1), call(30'000, 3)});
  stand.run();
  CHECK(stand.records[1].pool == 0);  // neither has any of it: its own
  CHECK(stand.records[2].pool == 1);
  CHECK(stand.records[2].cached_tokens == 96);
  CHECK(stand.records[3].pool == 1);  // room for one more
  CHECK(stand.records[4].pool == 0);
  CHECK(stand.records[5].pool == 0);
}

TEST_CASE("Overflow by cost: to the pool whose tokens are cheapest, of those with room") {
  std::vector<PoolOptions> pools = {pool_of(1, {1, 2}), pool_of(1, {}), pool_of(1, {})};
  pools[0].overflow_by = OverflowBy::kCost;
  auto fast = std::make_shared<LinearCost>();
  fast->base = std::int64_t{100'000} << sim::FineTime::kFractionBits;  // ten times as fast as the others
  pools[1].cost = fast;
  const double usd_per_s[] = {1, 5, 2};  // half the price a token, at five times the price an hour
  for (std::size_t p = 0; p < pools.size(); ++p) pools[p].usd_per_s = usd_per_s[p];
  Stand stand(pools, 1e6);
  stand.plan({call(0, 1), call(10, 2), call(20, 3), call(30, 4)});
  stand.run();
  CHECK(stand.records[0].pool == 1);
  CHECK(stand.records[1].pool == 0);
  CHECK(stand.records[2].pool == 2);
  CHECK(stand.records[3].pool == 0);  // all are full: its own
}

TEST_CASE("Overflow: what is on its way at the end is unfinished, its time accounted") {
  Stand stand({pool_of(1, {1}), pool_of(1, {})}, 1e6);
  stand.plan({call(0, 1), call(100, 2)});
  struct Stop final : sim::EventHandler {
    explicit Stop(sim::Simulation& s) : simulation(s) {}
    void on_event(Time, std::uint64_t) override { simulation.stop(); }
    sim::Simulation& simulation;
  } stop(stand.simulation);
  sim::Entity entity{99};
  stand.simulation.schedule(Time::microseconds(300), sim::Priority::kStop, entity, stop);
  stand.run();
  stand.fleet->finish_unfinished();
  REQUIRE(stand.records.size() == 2);
  CHECK(stand.records[1].status == CallStatus::kUnfinished);
  CHECK(stand.records[1].causes[Cause::kNetwork] == Time::microseconds(200));
  CHECK(stand.records[1].causes.sum() == stand.records[1].finish - stand.records[1].arrival);
}

}  // namespace tokenyard::platforms
