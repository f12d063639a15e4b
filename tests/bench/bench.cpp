/// The benchmarks: the event core by itself, and whole simulations in this process. `./dev bench` runs them.
///
/// Rates are per second of this thread's CPU time. `spin` is a fixed loop of arithmetic: on a shared machine, compare its
/// time between two runs before comparing anything else.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/run/simulate.hpp"
#include "sim/core/simulation.hpp"
#include "traces/readers/trace_reader.hpp"

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
  Ticker(sim::Simulation& simulation, std::int64_t entities) : simulation_(simulation), entities_(static_cast<std::size_t>(entities)) {
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

std::filesystem::path data() {
  const char* given = std::getenv("TOKENYARD_DATA");
  return given != nullptr ? given : "../shared/data";
}

/// Counts of all iterations, as rates.
void count(benchmark::State& state, const std::vector<sim::Json>& summaries) {
  double calls = 0, tokens = 0, events = 0, steps = 0;
  for (const sim::Json& summary : summaries) {
    const sim::Json& c = summary["counts"];
    calls += c["calls"].get<double>();
    tokens += c["prompt_tokens"].get<double>() + c["output_tokens"].get<double>();
    events += c["events"].get<double>();
    steps += c["steps"].get<double>();
  }
  const auto rate = [](double value) { return benchmark::Counter(value, benchmark::Counter::kIsRate); };
  state.counters["calls/s"] = rate(calls);
  state.counters["tokens/s"] = rate(tokens);
  state.counters["events/s"] = rate(events);
  state.counters["steps/s"] = rate(steps);
}

void replay(benchmark::State& state, const std::string& trace, const std::string& format, const std::string& scenario_text) {
  if (!std::filesystem::exists(trace)) return state.SkipWithError((trace + " is absent: set TOKENYARD_DATA").c_str());
  sim::Faults faults;
  const platforms::Catalog platform_catalog = platforms::Catalog::load(faults, {});
  const agents::AgentCatalog agent_catalog = agents::AgentCatalog::built_in(faults);
  const sim::JsonFile file = sim::JsonFile::parse(scenario_text, "bench", faults);
  const analysis::Scenario scenario = analysis::Scenario::read(file, {platform_catalog, agent_catalog}, false, faults);
  faults.throw_if_any();
  std::vector<sim::Json> summaries;
  for (auto _ : state) {
    const auto source = traces::open_trace(trace, format, {});
    summaries.push_back(analysis::simulate(scenario, source.get(), {}));
  }
  count(state, summaries);
}

std::string llama_70b_fp8(int replicas) {
  return R"({"cluster": {"sites": [{"nodes": [{"chip": "h100-sxm", "count": 8, "chips_per_node": 8}]}]},
             "pools": [{"model": "llama-3.1-70b", "chip": "h100-sxm", "parallelism": {"tp": 4}, "precision": {"weights": "fp8", "kv": "fp8"},
                        "replicas": )" + std::to_string(replicas) + "}]}";
}

void azure_conversation(benchmark::State& state) {
  replay(state, data() / "azure_llm_2023/AzureLLMInferenceTrace_conv.csv", "azure", llama_70b_fp8(4));
}
BENCHMARK(azure_conversation)->Unit(benchmark::kMillisecond);

void mooncake_conversation(benchmark::State& state) {
  replay(state, data() / "mooncake_fast25/conversation_trace.jsonl", "mooncake", llama_70b_fp8(8));
}
BENCHMARK(mooncake_conversation)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
