#include "platforms/kv/kv_eviction.hpp"

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

constexpr std::uint64_t kRole = std::uint64_t{1} << 63;

/// Of 100 blocks of one token, whose steps take 100 ns.
PoolOptions one_replica(KvEviction eviction) {
  PoolOptions pool = pool_of_one(Time::nanoseconds(100));
  pool.kv = {.blocks = 100, .block_size = 1};
  pool.eviction = eviction;
  return pool;
}

/// Tokens of each prompt that are found after calls of one token each were served one after the other, on that.
class Server {
 public:
  explicit Server(KvEviction eviction)
      : stand_(std::make_unique<Stand>(std::vector<PoolOptions>{one_replica(eviction)})) {}

  void plan(std::vector<Extent> prompt, bool comes_back, std::span<const NextUse> next_uses = {}) {
    Planned call;
    call.arrival = Time::microseconds(static_cast<std::int64_t>(calls_.size()));
    call.task = calls_.size();
    call.prompt = std::move(prompt);
    if (comes_back) call.next_node = 0;
    call.next_uses = next_uses;
    calls_.push_back(call);
  }
  void run() {
    stand_->plan(calls_);
    stand_->run();
    stand_->fleet->replica(0, 0).kv().check();
  }
  Tokens found(std::vector<Extent> prompt) {
    prompt.push_back({99, 1});  // the last token is never found
    return stand_->fleet->replica(0, 0).kv().find({.prompt = prompt}).tokens;
  }
  void forget(std::uint64_t task) { stand_->fleet->forget(task); }

 private:
  std::vector<Planned> calls_;
  std::unique_ptr<Stand> stand_;
};

}  // namespace

TEST_CASE("By tags, what nobody asks for again goes first, then contexts, and roles' prefixes last") {
  const std::vector<Extent> role = {{kRole | 1, 20}}, history = {{kRole | 1, 20}, {5, 30}}, done = {{6, 30}};
  for (const bool tagged : {false, true}) {
    CAPTURE(tagged);
    Server server(tagged ? KvEviction::kTagged : KvEviction::kLru);
    server.plan(history, true);
    server.plan(done, false);
    server.plan({{7, 40}}, true);  // needs 20 blocks more than were never used
    server.run();
    CHECK(server.found(history) == (tagged ? 50 : 30));
    CHECK(server.found(done) == (tagged ? 10 : 30));
  }
  Server server(KvEviction::kTagged);
  server.plan(history, true);
  server.plan({{7, 60}}, true);  // contexts alone give way to each other
  server.plan({{8, 60}}, true);
  server.run();
  CHECK(server.found(role) == 20);
  CHECK(server.found(history) == 20);
}

TEST_CASE("By steps to execution, the prefix goes first whose next call is farthest in the tasks' graphs") {
  constexpr NextUse kAhead[] = {{{kRole | 1, 30}, 2}, {{kRole | 2, 30}, 5}, {{kRole | 3, 30}, 1}};
  const std::vector<Extent> one = {{kRole | 1, 30}}, two = {{kRole | 2, 30}}, three = {{kRole | 3, 30}};
  for (const bool steps : {false, true}) {
    CAPTURE(steps);
    Server server(steps ? KvEviction::kStepsToExecution : KvEviction::kLru);
    server.plan(one, false);
    server.plan(two, false);
    server.plan(three, false, kAhead);
    server.plan({{9, 40}}, false);  // 30 blocks are missing
    server.run();
    CHECK(server.found(one) == (steps ? 30 : 0));
    CHECK(server.found(two) == (steps ? 0 : 30));
    CHECK(server.found(three) == 30);
  }
}

TEST_CASE("The nearest task counts, as long as it is in flight") {
  constexpr NextUse kNear[] = {{{1, 9}, 2}}, kFar[] = {{{1, 9}, 6}}, kNext[] = {{{1, 9}, 1}};
  PrefixDistances distances;
  int changes = 0;
  const auto changed = [&](std::uint64_t) { ++changes; };
  CHECK(distances.nearest(1) == 0);
  distances.on_call(10, kNear, changed);
  distances.on_call(11, kFar, changed);
  CHECK(distances.nearest(1) == 2);
  distances.on_call(11, kNext, changed);
  CHECK(distances.nearest(1) == 1);
  distances.on_call(11, {}, changed);
  CHECK(distances.nearest(1) == 2);
  distances.on_call(10, {}, changed);
  CHECK(distances.nearest(1) == 0);
  CHECK(changes == 6);  // one each, two where one takes another's place
  CHECK(priority_of_steps(1) > priority_of_steps(2));
  CHECK(priority_of_steps(7) == priority_of_steps(700));
  CHECK(priority_of_steps(7) == priority_of_steps(0));
}

TEST_CASE("What a task's next call begins with is loaded from the tiers before it comes") {
  constexpr NextUse kNext[] = {{{kRole | 1, 30}, 1}};
  for (const KvEviction eviction : {KvEviction::kLru, KvEviction::kStepsToExecution}) {
    PoolOptions pool = one_replica(eviction);
    pool.tiers = {{KvTierKind::kHost, 1000, 1e8}};  // a token in 10 ns
    pool.tier_bytes_per_token = 1;
    Stand stand({pool});
    Planned first, other, asks, next;
    first.prompt = {{kRole | 1, 30}, {5, 1}};
    other.prompt = {{6, 100}};  // takes all of HBM
    asks.prompt = {{7, 10}};
    asks.output_tokens = 30;  // 3 us, a hundred times as long as the prefix is on its way
    asks.next_uses = kNext;
    next.prompt = {{kRole | 1, 30}, {8, 1}};
    std::vector<Planned> calls = {first, other, asks, next};
    for (std::size_t i = 0; i < calls.size(); ++i) {
      calls[i].arrival = Time::microseconds(static_cast<std::int64_t>(10 * i));
      calls[i].task = i;
    }
    stand.plan(calls);
    stand.run();
    const CallRecord& record = stand.records[3];
    CHECK(record.cached_tokens == 30);
    const bool prefetched = eviction == KvEviction::kStepsToExecution;
    CHECK(record.causes[Cause::kKvTransfer].ns() == (prefetched ? 0 : 300));
    CHECK(stand.totals().loaded_tokens[0] == 30);
    CHECK(stand.fleet->calls_in_flight() == 0);
  }
}
