/// The pieces by themselves; whole simulations are timed by whole_program.cpp. `./dev bench` runs both.
///
/// Rates are per second of this thread's CPU time. `spin` is a fixed loop of arithmetic: on a shared machine, compare
/// its time between two runs before comparing anything else.

#include <benchmark/benchmark.h>

#include "sim/core/simulation.hpp"
#include "sim/statistics/quantile_sketch.hpp"

using namespace tokenyard;

namespace {

void spin(benchmark::State& state) {
  for (auto _ : state) {
    std::uint64_t x = 88172645463325252ULL;
    for (int i = 0; i < 10'000'000; ++i) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    benchmark::DoNotOptimize(x);
  }
}
BENCHMARK(spin)->Unit(benchmark::kMillisecond);

/// Entities that each keep one event pending: the queue's work per event, with a handler that does next to nothing.
class Ticker final : public sim::EventHandler {
 public:
  Ticker(sim::Simulation& simulation, std::int64_t entities)
      : simulation_(simulation), entities_(static_cast<std::size_t>(entities)) {
    for (std::size_t i = 0; i < entities_.size(); ++i) {
      entities_[i].id = i;
      on_event(sim::Time(), i);
    }
  }
  void on_event(sim::Time now, std::uint64_t entity) override {
    random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto delay = static_cast<std::int64_t>(random_ >> 40);
    simulation_.schedule(now + sim::Time::nanoseconds(delay), sim::Priority::kWake, entities_[entity], *this, entity);
  }

 private:
  sim::Simulation& simulation_;
  std::vector<sim::Entity> entities_;
  std::uint64_t random_ = 1;
};

void event_core(benchmark::State& state) {
  sim::Simulation simulation;
  Ticker ticker(simulation, state.range(0));
  for (auto _ : state) simulation.step();
  state.counters["events/s"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(event_core)->Arg(100)->Arg(10'000)->Arg(1'000'000);

/// The gaps of a leap: an arithmetic sequence, filed whole.
void sketch_run(benchmark::State& state) {
  sim::QuantileSketch sketch;
  const sim::FineTime first(sim::Time::milliseconds(20)), growth(sim::Time::nanoseconds(400));
  for (auto _ : state) sketch.add_run(first, growth, static_cast<std::uint64_t>(state.range(0)), 32);
}
BENCHMARK(sketch_run)->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace

BENCHMARK_MAIN();
