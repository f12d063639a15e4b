/// A replica that runs one call at a time is a queue with one server: waiting times against Pollaczek and Khinchine,
/// with confidence intervals, and Little's law, which holds exactly.

#include <cmath>

#include "tests/platforms/serving/stand.hpp"

using namespace tokenyard::platforms;
using namespace tokenyard::sim;

namespace {

constexpr std::int64_t kMicrosecond = std::int64_t{1000} << FineTime::kFractionBits;

/// `replicas` replicas whose steps take one microsecond each.
std::vector<PoolOptions> servers(std::size_t replicas, std::int32_t max_num_seqs, bool stepwise = false) {
  auto cost = std::make_shared<LinearCost>();
  cost->base = kMicrosecond;
  PoolOptions pool;
  pool.cost = cost;
  pool.batching.max_num_seqs = max_num_seqs;
  pool.batching.stepwise = stepwise;
  pool.kv = {.blocks = 100'000, .block_size = 16};
  pool.hosts.resize(replicas);
  return {pool};
}

/// Poisson arrivals; a call of n output tokens holds its server for n steps.
template <class Tokens_>
std::vector<Planned> poisson(std::size_t count, double per_step, std::uint64_t seed, Tokens_ output_tokens) {
  Stream stream(seed, StreamName("arrivals"), 0);
  std::vector<Planned> calls(count);
  double at = 0;
  for (Planned& call : calls) {
    at += stream.exponential() / per_step;
    call.arrival = Time::nanoseconds(std::llround(at * 1000));
    call.prompt = {{0, 1}};
    call.output_tokens = output_tokens(stream);
  }
  return calls;
}

/// Mean waiting time in steps and the half-width of its 99.9 % interval, from 20 batches.
std::pair<double, double> waiting(const std::vector<Planned>& calls) {
  Stand stand(servers(1, 1));
  stand.plan(calls);
  stand.run();
  constexpr std::size_t kBatches = 20;
  double sum = 0, squares = 0;
  for (std::size_t b = 0; b < kBatches; ++b) {
    std::int64_t ns = 0;
    const std::size_t size = calls.size() / kBatches;
    for (std::size_t i = b * size; i < (b + 1) * size; ++i)
      ns += (stand.records[i].scheduled - stand.records[i].arrival).ns();
    const double mean = static_cast<double>(ns) / static_cast<double>(size) / 1000;
    sum += mean;
    squares += mean * mean;
  }
  const double mean = sum / kBatches;
  const double deviation = std::sqrt((squares - kBatches * mean * mean) / (kBatches - 1));
  return {mean,
          3.88 * deviation / std::sqrt(static_cast<double>(kBatches))};  // Student's t, 19 degrees of freedom, 99.95 %
}

}  // namespace

TEST_CASE("M/D/1: waiting for a replica that runs one call at a time") {
  const double load = GENERATE(0.5, 0.8);
  constexpr Tokens kService = 50;
  const auto [mean, half] = waiting(poisson(60'000, load / kService, 1, [](Stream&) { return kService; }));
  const double expected = load * kService / (2 * (1 - load));
  CAPTURE(load, expected, mean, half);
  CHECK(std::abs(mean - expected) < half);
  CHECK(half < 0.2 * expected);
}

TEST_CASE("M/M/1: waiting for a replica whose calls have geometric lengths") {
  const double load = GENERATE(0.5, 0.8);
  constexpr double kMean = 50;
  const auto geometric = [](Stream& stream) { return static_cast<Tokens>(std::ceil(stream.exponential() * kMean)); };
  const double q = std::exp(-1 / kMean), first = 1 / (1 - q), second = (1 + q) / ((1 - q) * (1 - q));
  const auto [mean, half] = waiting(poisson(60'000, load / first, 2, geometric));
  const double expected = load / first * second / (2 * (1 - load));
  CHECK(expected == Approx(load * kMean / (1 - load)).epsilon(0.02));  // M/M/1, but for whole steps
  CAPTURE(load, expected, mean, half);
  CHECK(std::abs(mean - expected) < half);
  CHECK(half < 0.2 * expected);
}

TEST_CASE("Little's law holds to the nanosecond, in every replica") {
  const std::int32_t max_num_seqs = GENERATE(1, 4, 64);
  const auto lengths = [](Stream& stream) { return static_cast<Tokens>(1 + stream.below(60)); };
  Stand stand(servers(3, max_num_seqs));
  std::array<Int128, 3> area{};
  std::array<std::int64_t, 3> inside{};
  Time last;
  stand.on_change = [&] {
    const Time now = stand.simulation.now();
    for (std::size_t r = 0; r < 3; ++r) {
      const Replica& replica = stand.fleet->replica(0, r);
      area[r] += Int128{(now - last).ns()} * inside[r];
      inside[r] = replica.running() + replica.waiting();
    }
    last = now;
  };
  stand.plan(poisson(3000, 0.1 * max_num_seqs, 3, lengths));
  stand.run();
  std::array<Int128, 3> stays{};
  for (const CallRecord& record : stand.records) stays[record.replica] += (record.finish - record.arrival).ns();
  for (std::size_t r = 0; r < 3; ++r) {
    CHECK(stays[r] > 0);
    CHECK(area[r] == stays[r]);
  }
}
