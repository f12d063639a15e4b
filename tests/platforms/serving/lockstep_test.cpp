#include "platforms/serving/lockstep.hpp"

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

constexpr std::int64_t kMicrosecond = std::int64_t{1000} << FineTime::kFractionBits;

/// Of a step of 100 us, 1 us for each token of a prompt and of a context.
std::vector<PoolOptions> one_replica(std::uint32_t ranks, bool in_step = true) {
  auto cost = std::make_shared<LinearCost>();
  cost->base = 100 * kMicrosecond;
  cost->per_prompt_token = cost->per_context_token = kMicrosecond;
  PoolOptions pool;
  pool.name = "main";
  pool.ranks = ranks;
  pool.in_step = in_step;
  pool.cost = cost;
  pool.batching.max_num_seqs = 2;
  pool.kv = {.blocks = 1000, .block_size = 4};
  pool.hosts.resize(1);
  return {pool};
}

}  // namespace

TEST_CASE("A step of data-parallel ranks takes what it takes the slowest, and the others wait") {
  Stand stand(one_replica(2));
  stand.plan({{Time(), {{1, 300}}, 3}, {Time(), {{2, 50}}, 3}});
  stand.run();
  const CallRecord &first = stand.records[0], &second = stand.records[1];
  CHECK(first.replica == 0);
  CHECK(second.replica == 1);
  // The second call finds the first one's step in flight. Then it is a prompt of 50 beside a context of 301.
  CHECK(first.first_token.ns() == 400'000);
  CHECK(second.first_token.ns() == 400'000 + 401'000);
  CHECK(first.finish.ns() == 400'000 + 401'000 + 402'000);
  CHECK(second.finish.ns() == first.finish.ns() + 152'000);  // its own pace, once it is alone
  CHECK(first.causes[Cause::kInterference] == Time());       // what waits for it does not slow it down
  const StepTotals steps = stand.totals().all_steps();
  CHECK(steps.steps == 2 * 4);
  CHECK(FineTime(steps.busy_ticks).published() == Time::nanoseconds(2 * second.finish.ns()));
  Int128 bound = 0;
  for (const Int128 ticks : steps.bound_ticks) bound += ticks;
  CHECK(bound == steps.busy_ticks);
  // The idle rank's steps of 100 us beside the first step, and the last; and the second's beside the first's.
  const auto waited = FineTime(steps.bound_ticks[Bound::kNetwork]).published();
  CHECK(waited.ns() == 300'000 + (401'000 - 150'000) + (402'000 - 151'000) + 52'000);
}

TEST_CASE("A prompt on one rank is interference to those that decode on another") {
  Stand stand(one_replica(2));
  stand.plan({{Time(), {{1, 10}}, 40}, {Time::microseconds(500), {{2, 900}}, 1}});
  stand.run();
  const CallRecord &decoding = stand.records[0], &prompt = stand.records[1];
  CHECK(prompt.causes[Cause::kPrefill] == Time::microseconds(1000));
  CHECK(decoding.causes[Cause::kInterference].ns() == 1'000'000 - 115'000);  // a context of 15 by then
}

TEST_CASE("What others decode on other ranks is no interference") {
  std::vector<PoolOptions> pools = one_replica(2);
  auto cost = std::make_shared<LinearCost>(static_cast<const LinearCost&>(*pools[0].cost));
  cost->per_token_elsewhere = 10 * kMicrosecond;
  pools[0].cost = cost;
  Stand stand(pools);
  stand.plan({{Time(), {{1, 10}}, 40}, {Time(), {{2, 10}}, 40}, {Time::microseconds(1000), {{3, 900}}, 1}});
  stand.run();
  CHECK(stand.records[0].replica != stand.records[1].replica);
  // The prompt's 900 tokens are elsewhere for one of them; the other's token is so with and without the prompt.
  CHECK(stand.records[1].causes[Cause::kInterference].ns() == 9'000'000);
}

TEST_CASE("Ranks have places and a KV cache each, and calls go to the one with fewest") {
  Stand stand(one_replica(2));
  std::vector<Planned> calls;
  for (std::uint64_t i = 0; i < 6; ++i) calls.push_back({Time(), {{1, 200}, {10 + i, 4}}, 5});
  stand.plan(calls);
  stand.run();
  std::vector<std::uint32_t> ranks;
  std::int64_t cached = 0, queued = 0;
  for (const CallRecord& record : stand.records) {
    ranks.push_back(record.replica);
    cached += record.cached_tokens > 0;
    queued += record.scheduled > Time::microseconds(500);
  }
  CHECK(ranks == std::vector<std::uint32_t>{0, 1, 0, 1, 0, 1});
  CHECK(queued == 2);  // two places on each
  CHECK(cached == 4);  // the prefix is computed once on each
}

TEST_CASE("Of replicas with ranks, calls go to different replicas before they go to another rank") {
  std::vector<PoolOptions> pools = one_replica(2);
  pools[0].hosts.resize(2);
  Stand stand(pools);
  stand.plan({{Time(), {{1, 300}}, 1}, {Time(), {{2, 50}}, 1}});
  stand.run();
  CHECK(stand.fleet->replicas(0) == 4);
  CHECK(stand.records[1].first_token == Time::microseconds(150));  // not in step with the first
}

TEST_CASE("Ranks that share no experts do not wait for each other") {
  Stand stand(one_replica(2, false));
  stand.plan({{Time(), {{1, 300}}, 1}, {Time(), {{2, 50}}, 1}});
  stand.run();
  CHECK(stand.records[1].first_token == Time::microseconds(150));
}
