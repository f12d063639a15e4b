/// Tools and teams as queues, against queueing theory (Kleinrock, "Queueing Systems", vol. 1, 1975): an agent whose
/// only step is a service of finite capacity, under Poisson arrivals.

#include <cmath>
#include <numeric>

#include "tests/agents/work/stand_in.hpp"

using namespace tokenyard;
using namespace tokenyard::agents;
using sim::Time;

namespace {

struct Waiting {
  double mean_s = 0, half_width_s = 0;  ///< of the 99.7 % confidence interval, by batch means
  double in_system = 0;                 ///< time average
  double rate_per_s = 0;
  double sojourn_s = 0;
};

Waiting simulate(const std::string& latency, int capacity, double rate_per_s, std::uint64_t tasks) {
  const std::string agent =
      R"({"schema": "tokenyard.agent/1", "name": "queue", "services": {"desk": {"capacity": )" +
      std::to_string(capacity) + R"(}}, "nodes": {"serve": {"kind": "tool", "service": "desk", "latency_s": )" +
      latency + R"(}, "done": {"kind": "end"}}, "edges": [{"from": "serve", "to": "done"}], "start": "serve"})";
  sim::Simulation simulation;
  TimedDoor door(simulation);
  std::vector<WorkloadEntry> entries;
  entries.push_back(entry_of({agent}, rate_per_s));
  entries.back().max_tasks = tasks;
  TaskLog log;
  TaskPlayer player(simulation, door, 7, std::move(entries), Time::never());
  player.add_observer(log);
  player.start();
  simulation.run();

  constexpr std::size_t kBatches = 40;
  std::vector<double> batches;
  const std::size_t size = log.spans.size() / kBatches;
  double all = 0, sojourns = 0;
  for (std::size_t b = 0; b < kBatches; ++b) {
    double sum = 0;
    for (std::size_t i = b * size; i < (b + 1) * size; ++i) sum += (log.spans[i].served - log.spans[i].begin).seconds();
    batches.push_back(sum / static_cast<double>(size));
    all += batches.back() / kBatches;
  }
  for (const NodeVisit& span : log.spans) sojourns += (span.end - span.begin).seconds();
  double square = 0;
  for (const double batch : batches) square += (batch - all) * (batch - all);
  Waiting waiting;
  waiting.mean_s = all;
  waiting.half_width_s = 3 * std::sqrt(square / (kBatches - 1) / kBatches);
  const double span_s = simulation.now().seconds();
  waiting.in_system = sojourns / span_s;
  waiting.rate_per_s = static_cast<double>(log.spans.size()) / span_s;
  waiting.sojourn_s = sojourns / static_cast<double>(log.spans.size());
  return waiting;
}

constexpr const char* kExponential = R"({"dist": "exponential", "mean": 1})";
constexpr std::uint64_t kTasks = 200'000;

}  // namespace

TEST_CASE("M/M/1: W = rho / (mu - lambda)") {
  for (const double rho : {0.3, 0.7, 0.9}) {
    const Waiting waiting = simulate(kExponential, 1, rho, kTasks);
    INFO("rho " << rho << ": " << waiting.mean_s << " ± " << waiting.half_width_s);
    CHECK(std::fabs(waiting.mean_s - rho / (1 - rho)) < waiting.half_width_s);
    CHECK(waiting.half_width_s < 0.25 * rho / (1 - rho));
  }
}

TEST_CASE("M/D/1: half the waiting of M/M/1 (Pollaczek and Khinchine)") {
  for (const double rho : {0.3, 0.7, 0.9}) {
    const Waiting waiting = simulate("1", 1, rho, kTasks);
    INFO("rho " << rho << ": " << waiting.mean_s << " ± " << waiting.half_width_s);
    CHECK(std::fabs(waiting.mean_s - rho / (2 * (1 - rho))) < waiting.half_width_s);
  }
}

TEST_CASE("M/M/c: Erlang's C") {
  for (const int servers : {2, 5, 20}) {
    const double load = 0.8 * servers;
    double erlang_b = 1;
    for (int k = 1; k <= servers; ++k) erlang_b = load * erlang_b / (k + load * erlang_b);
    const double erlang_c = erlang_b / (1 - 0.8 * (1 - erlang_b));
    const double expected = erlang_c / (servers - load);
    const Waiting waiting = simulate(kExponential, servers, load, kTasks);
    INFO(servers << " servers: " << waiting.mean_s << " ± " << waiting.half_width_s << ", expected " << expected);
    CHECK(std::fabs(waiting.mean_s - expected) < waiting.half_width_s);
  }
}

TEST_CASE("Little's law holds for tools exactly") {
  const Waiting waiting = simulate(kExponential, 3, 2.5, 50'000);
  CHECK(waiting.in_system == Approx(waiting.rate_per_s * waiting.sojourn_s).epsilon(1e-12));
}
