#include "platforms/kv/kv_retention.hpp"

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

constexpr std::uint64_t kSearch = 7, kShell = 8;

/// 1 ms per token of prompt.
LinearCost millisecond_per_token() {
  LinearCost cost;
  cost.per_prompt_token = FineTime(Time::milliseconds(1)).ticks();
  return cost;
}

/// A task waits for `node` again and again, as long each time as it says.
void learn(KvRetention& retention, std::uint64_t task, std::uint64_t node, const std::vector<double>& waits_s) {
  const std::vector<Extent> prompt = {{1, 10}, {task + 100, 50}};
  Time now;
  for (const double wait_s : waits_s) {
    retention.hold_for({task, task + 100, node, 60, 0}, now);
    now += Time::seconds(wait_s);
    retention.on_arrival(task, prompt, now);
  }
}

}  // namespace

TEST_CASE("Simple policies hold for as long as they say") {
  const LinearCost cost = millisecond_per_token();
  const KvRetention::Completed call{1, 5, kSearch, 1000, 0};
  const KvRetention::Completed last{1, 5, KvRetention::kNoWait, 1000, 0};
  const auto held = [&](KvRetentionPolicy policy, const KvRetention::Completed& completed) {
    return KvRetention({.policy = policy, .ttl = Time::seconds(3)}, cost, 8192).hold_for(completed, Time());
  };
  CHECK(held(KvRetentionPolicy::kLru, call) == Time());
  CHECK(held(KvRetentionPolicy::kPreserve, call) == Time::never());
  CHECK(held(KvRetentionPolicy::kStaticTtl, call) == Time::seconds(3));
  for (std::size_t p = 0; p < kKvRetentionNames.size(); ++p)
    CHECK(held(static_cast<KvRetentionPolicy>(p), last) == Time());
}

TEST_CASE("Minimum waste holds until that has cost as much as computing again, or loading") {
  const LinearCost cost = millisecond_per_token();
  KvRetention computes({.policy = KvRetentionPolicy::kMinWaste}, cost, 8192);
  // 1,000 tokens take 1 s to compute again, in which they and 3,000 others hold memory: 4,000 tokens x s.
  CHECK(computes.hold_for({1, 5, kSearch, 1000, 3000}, Time()) == Time::seconds(4));
  CHECK(computes.hold_for({1, 5, kSearch, 1000, 0}, Time()) == Time::seconds(1));
  KvRetention loads({.policy = KvRetentionPolicy::kMinWaste, .load_s_per_token = 1e-4}, cost, 8192);
  CHECK(loads.hold_for({1, 5, kSearch, 1000, 3000}, Time()) == Time::milliseconds(100));
}

TEST_CASE("Continuum's time to live is the one that pays most by the waits seen") {
  const LinearCost cost = millisecond_per_token();
  KvRetention retention({.policy = KvRetentionPolicy::kContinuumTtl, .ttl = Time::seconds(2)}, cost, 8192);
  const KvRetention::Completed search{99, 5, kSearch, 4000, 0}, shell{99, 5, kShell, 4000, 0};
  CHECK(retention.hold_for(search, Time()) == Time::seconds(2));  // nothing seen

  // Of 100 searches 80 take half a second and 20 take 30: 4 s of prefill are worth 0.5 s of memory, not 30.
  std::vector<double> waits(100, 0.5);
  std::fill_n(waits.begin(), 20, 30.0);
  learn(retention, 1, kSearch, waits);
  CHECK(retention.hold_for(search, Time()) == Time::milliseconds(500));
  CHECK(retention.hold_for(shell, Time()) == Time::milliseconds(500));    // not seen: as all
  CHECK(retention.hold_for({99, 5, kSearch, 600, 0}, Time()) == Time());  // 0.6 s of prefill in four of five: no

  // A queue of 200 s makes it worth while to wait for the slow ones, too: 0.2 x 204 s > 29.5 s.
  retention.on_queued(Time::seconds(200));
  CHECK(retention.hold_for(search, Time()) == Time::seconds(30));

  learn(retention, 2, kShell, std::vector<double>(100, 1.0));
  CHECK(retention.hold_for(shell, Time()) == Time::seconds(1));  // of its own from now on
}

TEST_CASE("A queue counts for less where the turns of a task say little about those to come") {
  const LinearCost cost = millisecond_per_token();
  // Of 100 waits half take 1 s, half 10 s; 1,000 tokens of prefill; a queue of 30 s.
  std::vector<double> waits(100, 1.0);
  std::fill_n(waits.begin(), 50, 10.0);
  const auto held_after = [&](const std::vector<int>& turns) {
    KvRetention retention({.policy = KvRetentionPolicy::kContinuumTtl}, cost, 8192);
    learn(retention, 1, kSearch, waits);
    retention.on_queued(Time::seconds(30));
    for (const int n : turns) {
      for (int turn = 0; turn < n; ++turn) retention.hold_for({1000, 5, KvRetention::kNoWait, 10, 0}, Time());
      retention.forget(1000);
    }
    return retention.hold_for({99, 5, kSearch, 1000, 0}, Time());
  };
  CHECK(held_after({10, 10, 10}) == Time::seconds(10));  // alike: -Corr(k, 10 - k) = 1, and 0.5 x 31 s > 9 s
  CHECK(held_after({2, 4, 8, 16, 32, 64}) == Time::seconds(1));
}

TEST_CASE("Held KV is not evicted until its time is over, its next call is admitted, or it gives way") {
  KvCache cache({.blocks = 100, .block_size = 1});
  HeldKv held(cache);
  const auto hold = [&](std::uint64_t task, Time until) {
    const std::vector<Extent> prompt = {{1, 10}, {100 + task, 10}};
    const KvContext context{.prompt = prompt, .output = {100 + task, 1}};
    KvChain chain;
    REQUIRE(cache.admit(chain, context, cache.find(context), 20));
    cache.release(chain, context, 20);
    const KvHit hit = cache.find(context);
    REQUIRE(hit.tokens == 20);
    REQUIRE(cache.admit(chain, context, hit, hit.tokens));
    held.add({task, 100 + task, Time::seconds(static_cast<double>(task)), until, chain});
  };
  hold(1, Time::seconds(5));
  hold(2, Time::seconds(4));
  hold(3, Time::seconds(9));
  CHECK(cache.used_blocks() == 40);  // the first ten are shared
  CHECK(held.earliest() == Time::seconds(4));
  held.expire(Time::seconds(4));
  CHECK(cache.used_blocks() == 40);
  held.expire(Time::seconds(4) + Time::nanoseconds(1));
  CHECK(cache.used_blocks() == 30);
  CHECK(held.earliest() == Time::seconds(5));

  const std::vector<Extent> next = {{1, 10}, {101, 30}}, other = {{1, 10}, {777, 30}};
  CHECK_FALSE(held.claim(1, other));
  CHECK_FALSE(held.claim(3, next));
  CHECK(held.claim(1, next));
  held.expire(Time::seconds(8));  // it waits for the call that has come
  CHECK(cache.used_blocks() == 30);
  REQUIRE(held.give_way());
  CHECK(cache.used_blocks() == 20);  // task 3, which came last
  held.admitted(1, next);
  CHECK(cache.used_blocks() == 0);
  CHECK_FALSE(held.give_way());
  hold(4, Time::never());
  held.forget(4);
  CHECK(held.empty());
  cache.check();
}
