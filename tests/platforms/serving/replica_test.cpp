#include "platforms/serving/replica.hpp"

#include "tests/platforms/serving/reference_engine.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

constexpr std::uint64_t kRole = std::uint64_t{1} << 63;

struct Setup {
  std::shared_ptr<LinearCost> cost = std::make_shared<LinearCost>();
  BatchingOptions batching;
  KvCache::Options kv;
  std::vector<KvTierOptions> tiers;
  KvRetentionOptions retention;
  KvEviction eviction = KvEviction::kLru;
  std::vector<Planned> calls;
};

std::vector<PoolOptions> one_pool(const Setup& setup, bool stepwise) {
  PoolOptions pool;
  pool.name = "main";
  pool.cost = setup.cost;
  pool.batching = setup.batching;
  pool.batching.stepwise = stepwise;
  pool.kv = setup.kv;
  pool.tiers = setup.tiers;
  pool.retention = setup.retention;
  pool.eviction = setup.eviction;
  pool.tier_bytes_per_token = 1;
  pool.nodes.resize(1);
  pool.hosts.resize(1);
  return {pool};
}

/// Tight KV, small budgets, shared prefixes, growing contexts, bursts.
Setup random_setup(std::uint64_t seed) {
  Stream stream(seed, StreamName("replica-test"), 0);
  const auto below = [&](std::uint64_t n) { return static_cast<Tokens>(stream.below(n)); };
  Setup setup;
  setup.cost->base = (1 << 20) * 50 + below(1 << 20);
  setup.cost->per_call = below(1 << 20);
  setup.cost->per_prompt_token = below(1 << 21);
  setup.cost->per_context_token = below(3) == 0 ? 0 : below(1 << 14);
  if (below(4) == 0) *setup.cost = LinearCost{}, setup.cost->base = 100 << 20;  // whole numbers: many ties
  Stream skew(seed, StreamName("replica-test/skew"), 0);
  if (skew.below(3) == 0) setup.cost->per_skew_token = 1 + static_cast<std::int64_t>(skew.below(1 << 14));
  constexpr Tokens kSizes[] = {1, 4, 16};
  setup.kv.block_size = kSizes[below(3)];
  setup.kv.blocks = (60 + below(400)) / setup.kv.block_size + 4;
  setup.kv.prefix_caching = below(5) != 0;
  setup.batching.max_num_seqs = static_cast<std::int32_t>(1 + below(12));
  setup.batching.max_num_batched_tokens = setup.batching.max_num_seqs + below(below(2) == 0 ? 20 : 200);
  setup.batching.max_model_len = 40 + below(400);
  setup.batching.chunked_prefill = below(4) != 0;
  if (below(2) == 0) setup.batching.long_prefill_token_threshold = 1 + below(20);
  setup.batching.async_scheduling = below(3) == 0;
  if (below(2) == 0) setup.batching.scheduling.order = static_cast<Scheduling>(below(kSchedulingNames.size()));
  Stream admission(seed, StreamName("replica-test/admission"), 0);
  setup.batching.scheduler_reserve_full_isl = admission.below(3) == 0;
  if (admission.below(3) == 0) setup.batching.watermark = 0.3 * admission.uniform();
  const bool bursts = below(2) == 0;
  Time at;
  const std::int64_t calls = 10 + below(60);
  for (Tokens i = 0; i < calls; ++i) {
    if (!bursts || below(8) == 0) at += Time::nanoseconds(below(3) == 0 ? 100 * below(30) : below(3000));
    Planned call;
    call.arrival = at;
    call.task = static_cast<std::uint64_t>(i);
    call.task_arrival = Time::nanoseconds(below(5000));
    call.task_served = Time::milliseconds(below(1000));
    call.path_served = Time::nanoseconds(call.task_served.ns() / 3);
    call.deadline = Time::nanoseconds(2 * call.task_arrival.ns() - call.task_served.ns() / 1000);
    const std::uint64_t kind = stream.below(4);
    if (kind == 0 && !setup.calls.empty()) {
      const Planned& earlier = setup.calls[stream.below(setup.calls.size())];
      call.task = earlier.task;
      call.prompt = earlier.prompt;
      if (earlier.output_content == call.prompt.back().content) {
        call.prompt.back().tokens += earlier.output_tokens + below(20);
      } else if (earlier.output_content != 0) {
        call.prompt.push_back({earlier.output_content, earlier.output_tokens});
      }
    } else {
      if (kind != 1) call.prompt.push_back({1 + stream.below(3), 1 + below(50)});
      if (kind != 2 || call.prompt.empty())
        call.prompt.push_back({below(3) == 0 ? 0 : 1000 + static_cast<std::uint64_t>(i), 1 + below(80)});
    }
    call.output_tokens = below(5) == 0 ? 1 : 1 + below(60);
    call.output_content = below(3) == 0   ? 0
                          : below(2) == 0 ? call.prompt.back().content
                                          : 5000 + static_cast<std::uint64_t>(i);
    setup.calls.push_back(call);
  }
  return setup;
}

void expect_same_totals(const ServingTotals& a, const ServingTotals& b) {
  CHECK(a.with_prompts == b.with_prompts);
  CHECK(a.without_prompts == b.without_prompts);
  CHECK(a.capacity_ticks == b.capacity_ticks);
  CHECK(a.waiting_ticks == b.waiting_ticks);
  CHECK(a.prefill_tokens == b.prefill_tokens);
  CHECK(a.output_tokens == b.output_tokens);
  CHECK(a.prompt_tokens == b.prompt_tokens);
  CHECK(a.cached_tokens == b.cached_tokens);
  CHECK(a.tier_tokens == b.tier_tokens);
  CHECK(a.loaded_tokens == b.loaded_tokens);
  CHECK(a.stored_tokens == b.stored_tokens);
  CHECK(a.preemptions == b.preemptions);
}

struct Seen {
  std::int64_t preemptions = 0, cached = 0, rejected = 0, holds = 0, gave_way = 0, gave_turns = 0, promotions = 0;
  KvTierTokens loaded{};
};

/// Runs the setup on the reference and on a replica, stepping and leaping, and holds them to each other.
void expect_as_reference(const Setup& setup, Seen& seen) {
  std::vector<ReferenceEngine::Tier> tiers;
  for (const KvTierOptions& tier : setup.tiers) tiers.push_back({tier.blocks, tier.bytes_per_s});
  KvRetentionOptions retention = setup.retention;
  if (!tiers.empty()) retention.load_s_per_token = 1 / tiers.front().tokens_per_s;
  ReferenceEngine reference(*setup.cost, setup.batching, setup.kv, tiers, retention);
  const std::vector<ReferenceEngine::Result> expected = reference.run(setup.calls);
  ServingTotals stepped;
  std::vector<double> gaps;
  for (const bool stepwise : {true, false}) {
    CAPTURE(stepwise);
    Stand stand(one_pool(setup, stepwise));
    stand.plan(setup.calls);
    stand.run();
    REQUIRE(stand.records.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(i);
      const CallRecord& record = stand.records[i];
      REQUIRE((record.status == CallStatus::kRejected) == expected[i].rejected);
      if (expected[i].rejected) continue;
      REQUIRE(record.status == CallStatus::kCompleted);
      REQUIRE(record.scheduled.ns() == expected[i].scheduled.ns());
      REQUIRE(record.cached_tokens == expected[i].cached_tokens);
      REQUIRE(record.first_token.ns() == expected[i].first_token.ns());
      REQUIRE(record.preemptions == expected[i].preemptions);
      REQUIRE(record.finish.ns() == expected[i].finish.ns());
      REQUIRE(record.causes.sum().ns() == (record.finish - record.arrival).ns());
    }
    for (const Planned& call : setup.calls) stand.fleet->forget(call.task);
    const Replica& replica = stand.fleet->replica(0, 0);
    const ServingTotals totals = stand.totals();
    REQUIRE(totals.all_steps().steps == reference.steps);
    REQUIRE(totals.prefill_tokens == reference.prefill_tokens);
    REQUIRE(totals.loaded_tokens[0] + totals.loaded_tokens[1] + totals.loaded_tokens[2] == reference.loaded_tokens);
    REQUIRE(replica.kv().free_blocks() == setup.kv.blocks);
    replica.kv().check();
    if (totals.preemptions == 0) REQUIRE(totals.prefill_tokens + totals.cached_tokens == totals.prompt_tokens);
    if (stepwise) {
      stepped = totals;
    } else {
      expect_same_totals(totals, stepped);
    }
    for (const double q : {0.1, 0.5, 0.9, 1.0}) gaps.push_back(stand.fleet->tally_of(0).itl.quantile_s(q).value_or(0));
    seen.preemptions += totals.preemptions;
    seen.cached += totals.cached_tokens;
    for (std::size_t t = 0; t < kKvTierKinds; ++t) seen.loaded[t] += totals.loaded_tokens[t];
  }
  for (std::size_t i = 0; i < 4; ++i) REQUIRE(gaps[i] == gaps[i + 4]);
  for (const auto& result : expected) seen.rejected += result.rejected;
  seen.holds += reference.holds;
  seen.gave_way += reference.gave_way;
  seen.gave_turns += reference.gave_turns;
  seen.promotions += reference.promotions;
}

/// Random setups against the reference, each changed by a stream of that name.
template <typename Change>
Seen expect_all_as_reference(std::uint64_t setups, StreamName name, const Change& change) {
  Seen seen;
  for (std::uint64_t seed = 0; seed < setups; ++seed) {
    CAPTURE(seed);
    Setup setup = random_setup(seed);
    Stream stream(seed, name, 0);
    change(setup, stream);
    expect_as_reference(setup, seen);
  }
  return seen;
}

/// Some policy of what to keep for the next call of a task.
void hold(Setup& setup, Stream& stream) {
  setup.retention.policy = static_cast<KvRetentionPolicy>(1 + stream.below(kKvRetentionNames.size() - 1));
  setup.retention.ttl = Time::nanoseconds(1 + static_cast<std::int64_t>(stream.below(20'000)));
  setup.retention.enough = 4;
}

/// Which calls have a next one.
void tell_next(Setup& setup, Stream& stream) {
  for (Planned& call : setup.calls) {
    if (stream.below(4) != 0) call.next_node = static_cast<std::uint32_t>(stream.below(3));
    call.node = static_cast<std::uint32_t>(stream.below(3));
    call.last = stream.below(8) == 0;
  }
}

/// Some order in which calls take turns, and what it goes by.
void take_turns(Setup& setup, Stream& stream) {
  SchedulingPolicy& policy = setup.batching.scheduling;
  policy.order = static_cast<Scheduling>(stream.below(kSchedulingNames.size()));
  policy.quantum = Time::nanoseconds(static_cast<std::int64_t>(1 + stream.below(5000)));
  if (policy.has_levels() && stream.below(2) == 0) policy.promote_at = 4 * stream.uniform();
  policy.preemptive = policy.order == Scheduling::kMlfq || stream.below(4) != 0;
  for (Planned& call : setup.calls) {
    call.task_served = Time::nanoseconds(static_cast<std::int64_t>(stream.below(1 << stream.below(16))));
    call.path_served = Time::nanoseconds(call.task_served.ns() / 3);
    call.task_waited = Time::nanoseconds(static_cast<std::int64_t>(stream.below(1 << stream.below(16))));
    call.deadline = Time::nanoseconds(static_cast<std::int64_t>(stream.below(40'000)));
  }
}

}  // namespace

TEST_CASE("A replica schedules as the reference does, call by call, stepping or leaping") {
  const Seen seen = expect_all_as_reference(600, StreamName("replica-test/plain"), [](Setup&, Stream&) {});
  // The scenarios are hard enough to mean something.
  CHECK(seen.preemptions > 1000);
  CHECK(seen.cached > 10'000);
  CHECK(seen.rejected > 100);
}

TEST_CASE("With windows and states beside the contexts, a replica does as the reference does") {
  const Seen seen = expect_all_as_reference(600, StreamName("replica-test/bounded"), [](Setup& setup, Stream& stream) {
    BoundedKv& bounded = setup.kv.bounded;
    bounded.window = 1 + static_cast<Tokens>(stream.below(60));
    if (stream.below(3) != 0) bounded.of_window_token = 2 * stream.uniform();
    if (stream.below(3) != 0) bounded.state = 30 * stream.uniform();
    if (stream.below(3) == 0 && setup.kv.prefix_caching)
      setup.tiers.push_back({KvTierKind::kHost, setup.kv.blocks, 1e9 / static_cast<double>(1 + stream.below(50))});
  });
  CHECK(seen.preemptions > 500);
  CHECK(seen.cached > 5'000);
  CHECK(seen.loaded[0] > 0);
}

TEST_CASE("Where an admission leaves room for output to come, a replica does as the reference does") {
  const auto with_reserve = [](Setup& setup, Stream& stream) {
    setup.batching.mixed_chunk = stream.below(2) == 0;
    setup.batching.scheduler_reserve_full_isl = stream.below(3) != 0;
    const double start = 0.2 + 0.8 * stream.uniform();
    setup.batching.output_reserve = {.start = start,
                                     .least = start * stream.uniform(),
                                     .steps = 1 + static_cast<std::int64_t>(stream.below(100)),
                                     .most = 1 + static_cast<Tokens>(stream.below(80))};
  };
  const auto with_all = [&](Setup& setup, Stream& stream) {
    with_reserve(setup, stream);
    if (stream.below(2) == 0)
      setup.kv.bounded = {.of_window_token = stream.uniform(), .window = 30, .state = 30 * stream.uniform()};
    if (stream.below(2) == 0) setup.batching.watermark = 0.3 * stream.uniform();
    if (stream.below(2) == 0 && setup.kv.prefix_caching) {
      hold(setup, stream);
      tell_next(setup, stream);
    }
    if (stream.below(2) == 0) take_turns(setup, stream);
  };
  expect_all_as_reference(1500, StreamName("replica-test/reserve-and-all"), with_all);
  const Seen seen = expect_all_as_reference(600, StreamName("replica-test/reserve"), with_reserve);
  const Seen without =
      expect_all_as_reference(600, StreamName("replica-test/reserve"), [&](Setup& setup, Stream& stream) {
        with_reserve(setup, stream);
        setup.batching.output_reserve = {};
      });
  CHECK(seen.cached > 10'000);
  CHECK(seen.preemptions > 200);
  CHECK(seen.preemptions < without.preemptions / 2);
}

TEST_CASE("Windows and states take room from contexts: as many calls run as both fit") {
  Setup setup;
  setup.cost->base = 1 << 30;
  setup.kv = {.blocks = 100, .block_size = 16, .bounded = {.of_window_token = 0.5, .window = 256, .state = 32}};
  // Each takes 20 blocks and, of 256 tokens in windows and its state, 10 more.
  for (std::uint64_t i = 0; i < 8; ++i) setup.calls.push_back({Time(), {{1 + i, 300}}, 20});
  Stand stand(one_pool(setup, false));
  stand.plan(setup.calls);
  stand.run();
  std::int64_t at_once = 0;
  for (const CallRecord& record : stand.records) at_once += record.scheduled < stand.records.front().finish ? 1 : 0;
  CHECK(at_once == 3);
  CHECK(stand.fleet->replica(0, 0).kv().free_blocks() == 100);
}

TEST_CASE("Where prompts go first and decoding waits, a replica does as the reference does") {
  const Seen seen = expect_all_as_reference(600, StreamName("replica-test/prompts-first"),
                                            [](Setup& setup, Stream&) { setup.batching.mixed_chunk = false; });
  CHECK(seen.preemptions > 1000);
  CHECK(seen.cached > 10'000);
}

TEST_CASE("Where a step computes one prompt at most, a replica does as the reference does") {
  const Seen seen =
      expect_all_as_reference(600, StreamName("replica-test/one-prompt"), [](Setup& setup, Stream& stream) {
        setup.batching.one_prompt = true;
        setup.batching.mixed_chunk = stream.below(2) == 0;
        if (stream.below(3) == 0 && setup.kv.prefix_caching)
          setup.tiers.push_back({KvTierKind::kHost, setup.kv.blocks, 1e9 / static_cast<double>(1 + stream.below(50))});
      });
  CHECK(seen.preemptions > 500);
  CHECK(seen.cached > 10'000);
}

TEST_CASE("With drafts, a replica makes what the reference makes, token by token") {
  const Seen seen = expect_all_as_reference(600, StreamName("replica-test/drafts"), [](Setup& setup, Stream& stream) {
    Speculation& speculation = setup.batching.speculation;
    speculation.acceptance.resize(1 + stream.below(4));
    for (double& acceptance : speculation.acceptance) acceptance = stream.uniform();
    if (stream.below(2) == 0) speculation.drafter = std::make_shared<const ModelArchitecture>();
    setup.batching.seed = stream.bits();
    setup.batching.mixed_chunk = stream.below(3) != 0;
    setup.batching.max_num_batched_tokens =
        std::max(setup.batching.max_num_batched_tokens, setup.batching.max_num_seqs * speculation.queries());
  });
  CHECK(seen.preemptions > 1000);
}

TEST_CASE("With drafts, a call takes as many steps as its tokens take, whatever the hardware") {
  Setup setup;
  setup.kv.blocks = 100'000;
  setup.batching.speculation.acceptance = {0.8, 0.8, 0.8};
  setup.batching.seed = 7;
  for (std::uint64_t i = 0; i < 40; ++i) setup.calls.push_back({Time::seconds(100.0 * double(i)), {{1 + i, 50}}, 1000});
  std::vector<std::int64_t> steps;
  for (const std::int64_t microseconds : {10, 77}) {
    setup.cost->base = (microseconds * 1000) << 20;
    Stand stand(one_pool(setup, false));
    stand.plan(setup.calls);
    stand.run();
    steps.push_back(stand.totals().all_steps().steps);
    CHECK(stand.totals().output_tokens == 40 * 1000);
    CHECK(stand.fleet->tally_of(0).itl.count() == 40 * 999);
  }
  CHECK(steps[0] == steps[1]);
  const double per_step = 40.0 * 999 / double(steps[0] - 40);  // the first token is the prompt's
  CHECK(per_step == Approx(setup.batching.speculation.tokens_per_step()).epsilon(0.02));
}

TEST_CASE("With tiers below HBM, too, a replica does as the reference does, block by block") {
  const Seen seen = expect_all_as_reference(600, StreamName("replica-test/tiers"), [](Setup& setup, Stream& stream) {
    setup.kv.prefix_caching = true;
    // From a token in a nanosecond to a token in as long as it would take to compute it.
    const auto rate = [&] { return 1e9 / static_cast<double>(1 + stream.below(stream.below(2) == 0 ? 5 : 200)); };
    const auto blocks = [&] { return setup.kv.blocks * static_cast<std::int64_t>(1 + stream.below(12)) / 4; };
    if (stream.below(4) != 0) setup.tiers.push_back({KvTierKind::kHost, blocks(), rate()});
    if (setup.tiers.empty() || stream.below(2) == 0) setup.tiers.push_back({KvTierKind::kSsd, 2 * blocks(), rate()});
  });
  CHECK(seen.preemptions > 1000);
  CHECK(seen.loaded[0] > 10'000);
  CHECK(seen.loaded[1] > 10'000);
}

TEST_CASE("Holding KV for the next call of a task, too, a replica does as the reference does") {
  const Seen seen =
      expect_all_as_reference(1000, StreamName("replica-test/retention"), [](Setup& setup, Stream& stream) {
        setup.kv.prefix_caching = true;
        hold(setup, stream);
        if (stream.below(3) == 0)
          setup.tiers.push_back({KvTierKind::kHost, setup.kv.blocks, 1e9 / static_cast<double>(1 + stream.below(50))});
        tell_next(setup, stream);
      });
  CHECK(seen.preemptions > 1000);
  CHECK(seen.holds > 10'000);
  CHECK(seen.gave_way > 1000);
}

TEST_CASE(
    "Where who runs gives way to who ranks before it, and who starves is promoted, a replica does as the reference") {
  const Seen seen = expect_all_as_reference(1500, StreamName("replica-test/turns"), [](Setup& setup, Stream& stream) {
    take_turns(setup, stream);
    if (stream.below(4) == 0 && setup.kv.prefix_caching)
      setup.tiers.push_back({KvTierKind::kHost, setup.kv.blocks, 1e9 / static_cast<double>(1 + stream.below(50))});
    if (stream.below(4) == 0 && setup.kv.prefix_caching) {
      setup.retention.policy = static_cast<KvRetentionPolicy>(1 + stream.below(kKvRetentionNames.size() - 1));
      setup.retention.enough = 4;
      for (Planned& call : setup.calls) {
        if (stream.below(4) != 0) call.next_node = static_cast<std::uint32_t>(stream.below(3));
      }
    }
    setup.batching.mixed_chunk = stream.below(4) != 0;
  });
  CHECK(seen.gave_turns > 3000);
  CHECK(seen.promotions > 1000);
}

TEST_CASE("Whatever KV is evicted first, leaping does as stepping does, and every policy together") {
  // There is no reference block by block for these: tests/platforms/kv/kv_eviction_test.cpp has their rules.
  static constexpr NextUse kUses[][2] = {{{{kRole | 1, 20}, 1}, {{kRole | 2, 40}, 3}},
                                         {{{kRole | 2, 30}, 1}, {{kRole | 3, 30}, 2}},
                                         {{{kRole | 3, 30}, 4}, {{kRole | 1, 50}, 1}}};
  Tokens cached = 0;
  std::int64_t differs = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    CAPTURE(seed);
    Setup setup = random_setup(seed);
    Stream stream(seed, StreamName("replica-test/eviction"), 0);
    setup.kv.prefix_caching = true;
    if (stream.below(3) == 0) setup.tiers.push_back({KvTierKind::kHost, setup.kv.blocks, 1e8});
    if (stream.below(3) == 0) {
      setup.retention.policy = static_cast<KvRetentionPolicy>(1 + stream.below(kKvRetentionNames.size() - 1));
      setup.retention.enough = 4;
    }
    setup.batching.scheduling.preemptive = setup.batching.scheduling.order == Scheduling::kMlfq || stream.below(2) == 0;
    setup.batching.scheduling.quantum = Time::nanoseconds(200);
    if (setup.batching.scheduling.has_levels()) setup.batching.scheduling.promote_at = 2;
    for (Planned& call : setup.calls) {
      if (call.prompt.front().content <= 3 && call.prompt.front().content > 0) call.prompt.front().content |= kRole;
      if (stream.below(4) != 0) call.next_uses = kUses[stream.below(3)];
      if (stream.below(4) != 0) call.next_node = static_cast<std::uint32_t>(stream.below(3));
      call.last = stream.below(8) == 0;
    }
    std::vector<std::int64_t> lru;
    for (const KvEviction eviction : {KvEviction::kLru, KvEviction::kTagged, KvEviction::kStepsToExecution}) {
      setup.eviction = eviction;
      std::vector<std::vector<std::int64_t>> finishes;
      std::vector<ServingTotals> totals;
      for (const bool stepwise : {true, false}) {
        Stand stand(one_pool(setup, stepwise));
        stand.plan(setup.calls);
        stand.run();
        finishes.emplace_back();
        for (const CallRecord& record : stand.records) {
          CHECK(record.causes.sum() == record.finish - record.arrival);
          finishes.back().push_back(record.finish.ns());
        }
        totals.push_back(stand.totals());
        stand.fleet->replica(0, 0).kv().check();
      }
      CAPTURE(kKvEvictionNames[static_cast<std::size_t>(eviction)], setup.tiers.size(), setup.batching.scheduling.order,
              setup.batching.scheduling.preemptive, setup.batching.scheduling.promote_at,
              setup.batching.async_scheduling, setup.batching.max_num_seqs, static_cast<int>(setup.retention.policy),
              setup.batching.watermark, setup.batching.chunked_prefill);
      REQUIRE(finishes[0] == finishes[1]);
      expect_same_totals(totals[0], totals[1]);
      cached += totals[0].cached_tokens;
      if (eviction == KvEviction::kLru) lru = finishes[0];
      differs += finishes[0] != lru;
    }
  }
  CHECK(cached > 100'000);
  CHECK(differs > 200);
}

TEST_CASE("Read in the midst of a step, a replica has been busy as long as it has been at work") {
  class Reader final : public EventHandler {
   public:
    explicit Reader(Stand& stand) : stand_(stand) {
      for (std::int64_t us = 7; us < 9000; us += 7)
        stand.simulation.schedule(Time::microseconds(us), Priority::kObserve, entity_, *this, 0);
    }
    void on_event(Time now, std::uint64_t) override {
      Replica& replica = stand_.fleet->replica(0, 0);
      ServingTotals totals = stand_.fleet->tally_of(0).totals;
      const std::int64_t blocks = replica.add_reading(totals);
      if (readings % 3 == 0) {  // brought up to date, it says the same
        replica.settle();
        ServingTotals settled = stand_.fleet->tally_of(0).totals;
        CHECK(replica.add_reading(settled) == blocks);
        CHECK(replica.kv().used_blocks() == blocks);
        CHECK(settled.with_prompts == totals.with_prompts);
        CHECK(settled.without_prompts == totals.without_prompts);
        CHECK(settled.output_tokens == totals.output_tokens);
        CHECK(settled.waiting_ticks == totals.waiting_ticks);
      }
      const auto missing = static_cast<std::int64_t>(FineTime(now).ticks() -
                                                     totals.all_steps().busy_ticks);  // from time 0 on there is work
      CAPTURE(now.ns());
      CHECK(missing >= 0);
      CHECK(missing <= 4);  // each bound's share is cut to whole ticks
      ++readings;
    }
    int readings = 0;

   private:
    Stand& stand_;
    Entity entity_{99};
  };
  Setup setup;
  setup.cost->base = std::int64_t{900'000} << 20;  // 0.9 ms
  setup.cost->per_prompt_token = std::int64_t{100'000} << 20;
  setup.cost->per_context_token = 333;
  setup.kv.blocks = 1000;
  setup.calls = {{Time(), {{1, 5}}, 50}};
  for (const bool stepwise : {false, true}) {
    Stand stand(one_pool(setup, stepwise));
    Reader reader(stand);
    stand.plan(setup.calls);
    stand.run();
    CHECK(stand.records[0].finish > Time::microseconds(9000));
    CHECK(reader.readings > 1000);
  }
}
