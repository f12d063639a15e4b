#include "platforms/serving/fleet.hpp"

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

constexpr double kBytesPerToken = 1000;

PoolOptions pool_of(std::size_t replicas, const std::shared_ptr<const StepCost>& cost, std::int64_t blocks) {
  PoolOptions pool;
  pool.cost = cost;
  pool.batching.max_num_seqs = 6;
  pool.batching.max_num_batched_tokens = 64;
  pool.batching.max_model_len = 1000;
  pool.kv = {.blocks = blocks, .block_size = 4};
  pool.kv_bytes = [](Tokens prompt) { return kBytesPerToken * static_cast<double>(prompt); };
  pool.hosts.resize(replicas);
  return pool;
}

/// A prefill pool before a decode pool, or a mixed one; steps and transfers take whole microseconds, so that much
/// happens on the same nanosecond. Tasks of several calls, each arriving as the one before ends, or, where prompts are
/// split, after a part of its prompt, under any policy of order, eviction and retention. Replicas have one rank or
/// several, and many have tiers below HBM.
struct Setup {
  std::vector<PoolOptions> pools;
  std::vector<Planned> calls;
};

Setup random_setup(std::uint64_t seed, bool split, Router router, bool parts) {
  Stream stream(seed, StreamName("fleet-test"), 0);
  const auto below = [&](std::uint64_t n) { return static_cast<Tokens>(stream.below(n)); };
  auto cost = std::make_shared<LinearCost>();
  cost->base = std::int64_t{1000} << FineTime::kFractionBits;
  if (below(3) == 0) cost->per_context_token = 77'777;
  if (seed % 3 == 0) cost->per_token_elsewhere = 3'333'333;
  if (seed / 3 % 4 == 0) cost->per_skew_token = 11'111;
  Setup setup;
  setup.pools.push_back(pool_of(static_cast<std::size_t>(1 + below(3)), cost, 56 + below(30)));
  if (split) {
    setup.pools[0].role = PoolRole::kPrefill;
    setup.pools[0].decode_pool = 1;
    setup.pools.push_back(pool_of(static_cast<std::size_t>(1 + below(3)), cost, 56 + below(30)));
    setup.pools[1].role = PoolRole::kDecode;
  }
  for (PoolOptions& pool : setup.pools) {
    pool.router = router;
    pool.batching.scheduler_reserve_full_isl = seed % 3 == 0;
    pool.batching.watermark = seed % 5 == 0 ? 0.2 : 0;
    pool.tokenize_s_per_token = seed % 7 == 0 ? 1e-7 : 0;
    pool.ranks = static_cast<std::uint32_t>(1 + seed / 16 % 3);
    pool.in_step = seed % 11 != 0;
    pool.batching.async_scheduling = seed / 5 % 3 == 0;
    pool.batching.mixed_chunk = seed / 7 % 4 != 0;
    pool.batching.one_prompt = seed / 9 % 5 == 0;
    if (seed / 11 % 4 == 0) pool.batching.speculation.acceptance = {0.7, 0.4};
    if (seed / 13 % 2 == 0 && pool.role != PoolRole::kDecode) {
      pool.tiers = {{KvTierKind::kHost, 30, 1e9}, {KvTierKind::kSsd, 60, 2e8}};
      pool.tier_bytes_per_token = kBytesPerToken;
      for (std::size_t replica = 0; replica < pool.hosts.size(); ++replica)
        pool.nodes.push_back(static_cast<std::uint32_t>(replica / 2));
    }
    if (!parts) continue;
    pool.batching.scheduling.order = static_cast<Scheduling>(below(kSchedulingNames.size()));
    pool.eviction = static_cast<KvEviction>(below(3));
    pool.retention = {.policy = static_cast<KvRetentionPolicy>(below(kKvRetentionNames.size())),
                      .ttl = Time::microseconds(below(9)),
                      .enough = 3};
  }
  Time at;
  for (std::uint64_t task = 0; task < 30; ++task) {
    at += Time::microseconds(below(12));
    const Tokens turns = 1 + below(4);
    Tokens own = 1 + below(40);
    for (Tokens turn = 0; turn < turns; ++turn) {
      Planned call;
      call.task = task;
      call.task_arrival = at;
      call.arrival = at;
      call.follows = turn > 0;
      const std::uint64_t role = 1 + stream.below(2);
      if (parts && turn > 0 && below(4) > 0) {
        Planned part = call;
        part.part = true;
        part.next_node = 1;
        part.prompt = {{role, 20}, {100 + task, own}};
        setup.calls.push_back(part);
        own += below(8);
        call.pause = Time::microseconds(std::max<Tokens>(0, below(12) - 4));
        if (call.pause == Time()) call.waited = Time::microseconds(below(3));
      }
      if (parts && turn + 1 < turns) call.next_node = 1;
      call.last = parts && turn + 1 == turns;
      call.prompt = {{role, 20}, {100 + task, own}};
      call.output_tokens = 1 + below(25);
      call.output_content = 100 + task;
      own += call.output_tokens + below(8);
      setup.calls.push_back(call);
    }
  }
  return setup;
}

void run(Stand& stand, const Setup& setup, Time stop = Time::never()) {
  struct Stop final : EventHandler {
    explicit Stop(Simulation& s) : simulation(s) {}
    void on_event(Time, std::uint64_t) override { simulation.stop(); }
    Simulation& simulation;
  } handler(stand.simulation);
  Entity entity;
  if (stop < Time::never()) stand.simulation.schedule(stop, Priority::kStop, entity, handler);
  stand.plan(setup.calls);
  stand.run();
  stand.fleet->finish_unfinished();
}

std::vector<PoolOptions> stepwise(std::vector<PoolOptions> pools) {
  for (PoolOptions& pool : pools) pool.batching.stepwise = true;
  return pools;
}

void expect_same(Stand& a, Stand& b) {
  REQUIRE(a.ended == b.ended);
  for (std::size_t i = 0; i < a.records.size(); ++i) {
    CAPTURE(i);
    const CallRecord &x = a.records[i], &y = b.records[i];
    REQUIRE(x.status == y.status);
    REQUIRE(x.pool == y.pool);
    REQUIRE(x.replica == y.replica);
    REQUIRE(x.arrival.ns() == y.arrival.ns());
    REQUIRE(x.scheduled.ns() == y.scheduled.ns());
    REQUIRE(x.first_token.ns() == y.first_token.ns());
    REQUIRE(x.finish.ns() == y.finish.ns());
    REQUIRE(x.cached_tokens == y.cached_tokens);
    REQUIRE(x.preemptions == y.preemptions);
    for (std::size_t c = 0; c < kCauses; ++c) REQUIRE(x.causes.by_cause[c].ns() == y.causes.by_cause[c].ns());
  }
  REQUIRE(a.transfers.size() == b.transfers.size());
  for (std::size_t i = 0; i < a.transfers.size(); ++i) {
    REQUIRE(a.transfers[i].call == b.transfers[i].call);
    REQUIRE(a.transfers[i].end.ns() == b.transfers[i].end.ns());
  }
  const ServingTotals x = a.totals(), y = b.totals();
  REQUIRE(x.output_tokens == y.output_tokens);
  REQUIRE(x.prefill_tokens == y.prefill_tokens);
  REQUIRE(x.with_prompts == y.with_prompts);
  REQUIRE(x.without_prompts == y.without_prompts);
  REQUIRE(x.capacity_ticks == y.capacity_ticks);
  REQUIRE(x.waiting_ticks == y.waiting_ticks);
  REQUIRE(x.tier_tokens == y.tier_tokens);
}

}  // namespace

TEST_CASE("Fleets that step and fleets that leap agree on everything, ties included") {
  constexpr Router kRouters[] = {Router::kRoundRobin, Router::kLeastLoaded, Router::kPrefixAware, Router::kTaskSticky};
  std::int64_t preemptions = 0, unfinished = 0, found_below = 0;
  for (std::uint64_t seed = 0; seed < 640; ++seed) {
    const bool split = seed % 8 < 4, parts = seed >= 320;
    const Router router = kRouters[seed % 4];
    CAPTURE(split, router, parts, seed);
    const Setup setup = random_setup(seed, split, router, parts);
    const Time stop = seed / 8 % 2 == 0 ? Time::never() : Time::microseconds(60 + static_cast<std::int64_t>(seed));
    Stand leaping(setup.pools), stepping(stepwise(setup.pools));
    run(leaping, setup, stop);
    run(stepping, setup, stop);
    expect_same(leaping, stepping);

    double bytes = 0;
    for (const KvTransfer& transfer : leaping.transfers) {
      REQUIRE(transfer.bytes == kBytesPerToken * static_cast<double>(leaping.records[transfer.call].prompt_tokens));
      bytes += transfer.bytes;
    }
    if (stop == Time::never()) REQUIRE(leaping.network->bytes_moved() == bytes);
    Tokens made = 0;
    std::int64_t of_calls = 0;
    for (const CallRecord& record : leaping.records) {
      REQUIRE(record.causes.sum().ns() == (record.finish - record.arrival).ns());
      of_calls += record.preemptions;
      unfinished += record.status == CallStatus::kUnfinished;
      if (stop == Time::never()) {
        REQUIRE(record.status == CallStatus::kCompleted);
        const bool handed_over = split && record.output_tokens > 1;
        const bool loads = !setup.pools[0].tiers.empty();
        REQUIRE(record.pool == (handed_over ? 1U : 0U));
        REQUIRE((record.causes[Cause::kKvTransfer] > Time()) >= handed_over);
        if (!loads) REQUIRE((record.causes[Cause::kKvTransfer] > Time()) == handed_over);
      }
      made += record.output_tokens;
    }
    REQUIRE(leaping.totals().preemptions == of_calls);  // parts of prompts are no calls
    preemptions += of_calls;
    if (stop == Time::never()) {
      REQUIRE(leaping.totals().output_tokens == made);
      for (std::size_t p = 0; p < setup.pools.size(); ++p) {
        for (std::size_t r = 0; r < leaping.fleet->replicas(p); ++r) {
          REQUIRE(leaping.fleet->replica(p, r).kv().used_blocks() == 0);
          leaping.fleet->replica(p, r).kv().check();
        }
      }
    }
    REQUIRE(leaping.fleet->calls_in_flight() == 0);
    for (const Tokens tokens : leaping.totals().tier_tokens) found_below += tokens;
  }
  CHECK(found_below > 1000);
  CHECK(preemptions > 100);
  CHECK(unfinished > 100);
}

TEST_CASE("A hand-over: the first token is the prefill pool's, the gap to the second holds transfer and wait") {
  auto cost = std::make_shared<LinearCost>();
  cost->base = std::int64_t{1000} << FineTime::kFractionBits;
  std::vector<PoolOptions> pools = {pool_of(1, cost, 100), pool_of(1, cost, 10)};
  pools[0].role = PoolRole::kPrefill;
  pools[0].decode_pool = 1;
  pools[1].role = PoolRole::kDecode;
  Stand stand(pools);
  // Ten blocks of four tokens: the second call waits until the first is done.
  stand.plan({{Time(), {{0, 20}}, 10}, {Time(), {{0, 20}}, 5}});
  stand.run();
  const CallRecord &first = stand.records[0], &second = stand.records[1];
  const Time transfer = first.causes[Cause::kKvTransfer];
  CHECK(first.first_token.ns() == 1000);
  CHECK(transfer > Time::microseconds(20));
  CHECK(first.finish.ns() == 1000 + transfer.ns() + 9000);
  CHECK(first.causes[Cause::kDecode].ns() == 9000);
  CHECK(second.first_token.ns() == 2000);
  CHECK(second.finish.ns() == first.finish.ns() + 4000);
  CHECK(second.causes[Cause::kQueue].ns() ==
        1000 + first.finish.ns() - second.first_token.ns() - second.causes[Cause::kKvTransfer].ns());
  const QuantileSketch& gaps = stand.fleet->tally_of(1).itl;
  CHECK(gaps.count() == 9 + 4);
  CHECK(gaps.max_s() == Approx((first.finish + Time::microseconds(1) - second.first_token).seconds()));
  CHECK(gaps.quantile_s(0.5) == Approx(1e-6).epsilon(0.001));
}

TEST_CASE("A prompt's text becomes tokens before its replica has the call, as prefill to the call") {
  auto cost = std::make_shared<LinearCost>();
  cost->base = std::int64_t{1000} << FineTime::kFractionBits;
  std::vector<PoolOptions> pools{pool_of(1, cost, 56)};
  const std::vector<Planned> one{{.arrival = Time::microseconds(5), .prompt = {{1, 20}}, .output_tokens = 3}};
  Stand at_once(pools);
  at_once.plan(one);
  at_once.run();
  pools[0].tokenize_s_per_token = 1e-5;
  Stand later(pools);
  later.plan(one);
  later.run();
  const CallRecord &soon = at_once.records.at(0), &late = later.records.at(0);
  const Time reading = Time::microseconds(200);
  CHECK(late.arrival == soon.arrival);
  CHECK(late.scheduled == soon.scheduled + reading);
  CHECK(late.finish == soon.finish + reading);
  CHECK(late.causes[Cause::kPrefill] == soon.causes[Cause::kPrefill] + reading);

  Stand cut(pools);  // in the middle of reading
  run(cut, {pools, one}, Time::microseconds(105));
  CHECK(cut.records.at(0).status == CallStatus::kUnfinished);
  CHECK(cut.records.at(0).causes[Cause::kPrefill] == Time::microseconds(100));
}

TEST_CASE("What one replica computed another loads from the pool's store, over the network into its port") {
  auto cost = std::make_shared<LinearCost>();
  cost->base = std::int64_t{1000} << FineTime::kFractionBits;  // 1 us a step
  PoolOptions pool = pool_of(3, cost, 100);                    // the third host is the store's: it gets no call
  pool.router = Router::kTaskSticky;
  pool.tiers = {{KvTierKind::kRemote, 1000, 0}};
  pool.tier_bytes_per_token = kBytesPerToken;
  pool.store = 2;
  std::vector<PoolOptions> pools;
  pools.push_back(pool);
  Stand stand(std::move(pools));
  // Task 0 runs on replica 0 and keeps it busy; task 1 goes to replica 1 and finds 9 blocks of the first call's 10.
  const Time later = Time::microseconds(100);
  stand.plan({{.arrival = Time(), .prompt = {{1, 40}}, .output_tokens = 1, .task = 0},
              {.arrival = later, .prompt = {{2, 8}}, .output_tokens = 200, .task = 0},
              {.arrival = later, .prompt = {{1, 40}}, .output_tokens = 1, .task = 1}});
  stand.run();
  const CallRecord& call = stand.records[2];
  CHECK(call.replica == 1);
  CHECK(call.cached_tokens == 36);
  // 36 kB at 1 GB/s, and 1 us of latency on each port.
  CHECK(call.causes[Cause::kKvTransfer].ns() == 38'000);
  CHECK((call.first_token - call.arrival).ns() == 38'000 + 1000);
  const ServingTotals totals = stand.totals();
  CHECK(totals.tier_tokens[2] == 36);
  CHECK(totals.loaded_tokens[2] == 36);
  CHECK(totals.stored_tokens[2] == 40 + 8);
}

TEST_CASE("Replicas of one node wait for each other at its SSD, replicas of two do not") {
  for (const bool together : {true, false}) {
    CAPTURE(together);
    auto cost = std::make_shared<LinearCost>();
    cost->base = std::int64_t{1000} << FineTime::kFractionBits;
    PoolOptions pool = pool_of(2, cost, 10);  // 40 tokens: the second call of a task evicts the first
    pool.router = Router::kTaskSticky;
    pool.tiers = {{KvTierKind::kSsd, 1000, 1e9}};
    pool.tier_bytes_per_token = kBytesPerToken;
    pool.nodes = {0, together ? 0U : 1U};
    std::vector<PoolOptions> pools;
    pools.push_back(pool);
    Stand stand(std::move(pools));
    std::vector<Planned> calls;
    for (const std::int64_t round : {0, 1, 2}) {
      for (const std::uint64_t task : {0, 1}) {
        const std::uint64_t content = (round == 1 ? 20 : 10) + task;
        calls.push_back(
            {.arrival = Time::microseconds(100 * round), .prompt = {{content, 40}}, .output_tokens = 1, .task = task});
      }
    }
    stand.plan(calls);
    stand.run();
    CHECK(stand.records[4].causes[Cause::kKvTransfer].ns() == 36'000);
    CHECK(stand.records[5].causes[Cause::kKvTransfer].ns() == (together ? 72'000 : 36'000));
  }
}

TEST_CASE("A sticky router keeps a task on its replica until the task is forgotten") {
  auto cost = std::make_shared<LinearCost>();
  cost->base = std::int64_t{1000} << FineTime::kFractionBits;
  std::vector<PoolOptions> pools = {pool_of(2, cost, 1000)};
  pools[0].router = Router::kTaskSticky;
  Stand stand(pools);
  std::vector<Planned> calls(4, {Time(), {{0, 4}}, 50});
  calls[0].task = 7;
  calls[1].task = 8;
  calls[2].task = 7;
  calls[3].task = 7;
  for (std::size_t i = 0; i < 4; ++i) calls[i].arrival = Time::nanoseconds(static_cast<std::int64_t>(i));
  stand.on_change = [&] {
    if (stand.simulation.now().ns() == 2) stand.fleet->forget(7);  // the third has come
  };
  stand.plan(calls);
  stand.run();
  CHECK(stand.records[0].replica == 0);
  CHECK(stand.records[1].replica == 1);
  CHECK(stand.records[2].replica == 0);  // though it is the busier one
  CHECK(stand.records[3].replica == 1);
}

TEST_CASE("A sticky router sends prompts of up to a size to the least loaded replica, whatever their task") {
  std::vector<PoolOptions> pools = {pool_of_one(Time::milliseconds(1))};
  pools[0].hosts.resize(2);
  pools[0].kv = {.blocks = 1000, .block_size = 4};
  pools[0].router = Router::kTaskSticky;
  pools[0].sticky_above = 20;
  Stand stand(pools);
  std::vector<Planned> calls;
  for (const Tokens prompt : {21, 21, 20, 21}) {
    calls.push_back({.arrival = Time::nanoseconds(static_cast<std::int64_t>(calls.size())),
                     .prompt = {{0, prompt}},
                     .output_tokens = 50,
                     .task = 7});
  }
  stand.plan(calls);
  stand.run();
  CHECK(stand.records[0].replica == 0);
  CHECK(stand.records[1].replica == 0);
  CHECK(stand.records[2].replica == 1);
  CHECK(stand.records[3].replica == 0);  // though it is the busier one
}

TEST_CASE("The first part of a prompt is held for its call, which goes to it ahead of those that wait") {
  for (const bool parts : {false, true}) {
    CAPTURE(parts);
    PoolOptions pool = pool_of_one(Time::microseconds(1));
    pool.kv = {.blocks = 34, .block_size = 4};
    pool.batching.max_num_seqs = 1;
    pool.hosts.resize(2);
    Stand stand({pool});
    const auto at = [](std::int64_t us) { return Time::microseconds(us); };
    std::vector<Planned> calls{{.arrival = at(0), .prompt = {{5, 40}}, .task = 0, .part = parts},
                               {.prompt = {{5, 48}}, .task = 0, .follows = true, .pause = at(104), .last = true}};
    // Both replicas are filled once, then there is a queue before both, when the rest of the prompt comes.
    for (std::uint64_t other = 1; other <= 2; ++other)
      calls.push_back({.arrival = at(10), .prompt = {{10 + other, 80}}, .output_tokens = 9, .task = other});
    for (std::uint64_t other = 3; other <= 8; ++other)
      calls.push_back({.arrival = at(100), .prompt = {{10 + other, 20}}, .output_tokens = 20, .task = other});
    stand.plan(calls);
    stand.run();
    REQUIRE(stand.records.size() == (parts ? 9 : 10));  // a part is no call
    const auto rest = std::find_if(stand.records.begin(), stand.records.end(),
                                   [](const CallRecord& record) { return record.prompt_tokens == 48; });
    REQUIRE(rest != stand.records.end());
    CHECK(rest->cached_tokens == (parts ? 40 : 0));
    CHECK((rest->scheduled - rest->arrival).ns() == (parts ? 15'000 : 55'000));  // behind one of 20 steps, or three
    if (parts) CHECK(rest->replica == 0);
    const ServingTotals totals = stand.totals();
    CHECK(totals.prompt_tokens == (parts ? 0 : 40) + 48 + 2 * 80 + 6 * 20);
    CHECK(totals.prefill_tokens == 40 + (parts ? 8 : 48) + 2 * 80 + 6 * 20);
    CHECK(totals.output_tokens == (parts ? 0 : 1) + 1 + 2 * 9 + 6 * 20);
    for (std::size_t r = 0; r < 2; ++r) CHECK(stand.fleet->replica(0, r).kv().used_blocks() == 0);
  }
}

TEST_CASE("What can never run is rejected at the door") {
  auto cost = std::make_shared<LinearCost>();
  cost->base = 1 << 20;
  std::vector<PoolOptions> pools = {pool_of(1, cost, 10)};  // 40 tokens
  pools[0].batching.max_model_len = 41;
  Stand stand(pools);
  // The last token's KV is never written: 41 tokens fit 10 blocks. 42 are longer than the model takes.
  stand.plan({{Time(), {{0, 30}}, 11}, {Time(), {{0, 30}}, 12}, {Time(), {{0, 41}}, 1}});
  stand.run();
  CHECK(stand.records[0].status == CallStatus::kCompleted);
  CHECK(stand.records[1].status == CallStatus::kRejected);
  CHECK(stand.records[2].status == CallStatus::kRejected);
  CHECK(stand.records[2].finish.ns() == 0);
}
