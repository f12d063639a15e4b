#pragma once
/// What the tests of the built-in agents share: playing tasks of one, and the means that the published distributions
/// imply. The means are closed forms or sums over exact probabilities, written from the evidence: neither the agent's
/// file nor the player has a part in them.

#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <map>

#include "tests/agents/work/stand_in.hpp"

namespace tokenyard::agents::catalog {

/// Expected work of one task. Sums of works are works: `a + 0.4 * b`.
struct Work {
  double calls = 0, tools = 0, prompt = 0, output = 0;

  Work& operator+=(const Work& other) {
    calls += other.calls;
    tools += other.tools;
    prompt += other.prompt;
    output += other.output;
    return *this;
  }
};
inline Work operator+(Work a, const Work& b) { return a += b; }
inline Work operator*(double factor, const Work& w) {
  return {factor * w.calls, factor * w.tools, factor * w.prompt, factor * w.output};
}

/// Every task of `count`, played on a stand-in that completes each call half a second later.
struct Played {
  std::shared_ptr<const Agent> agent;
  std::vector<TaskRecord> tasks;
  std::vector<TimedDoor::Seen> calls;

  Work mean() const {
    Work sum;
    for (const TaskRecord& t : tasks) {
      sum += {static_cast<double>(t.calls), static_cast<double>(t.tool_calls), static_cast<double>(t.prompt_tokens),
              static_cast<double>(t.output_tokens)};
    }
    return 1.0 / static_cast<double>(tasks.size()) * sum;
  }
  double share_failed() const {
    double failed = 0;
    for (const TaskRecord& t : tasks) failed += t.status == TaskStatus::kFailed ? 1 : 0;
    return failed / static_cast<double>(tasks.size());
  }
};

inline Played play(const std::string& name, const std::vector<std::string>& variants = {},
                   std::uint64_t count = 10'000) {
  sim::Faults faults;
  const AgentCatalog catalog = AgentCatalog::load(faults);
  WorkloadEntry entry;
  entry.name = name;
  entry.agent = catalog.find(name, variants, faults);
  for (const sim::Fault& fault : faults.list()) FAIL(fault.message());
  REQUIRE(entry.agent != nullptr);
  for (const Agent* member : family(*entry.agent)) entry.pools.emplace_back(member->pool_roles.size(), 0);
  entry.arrivals.rate_per_s = 1;
  entry.max_tasks = count;
  Played played{entry.agent, {}, {}};
  sim::Simulation simulation;
  TimedDoor door(simulation);
  TaskPlayer player(simulation, door, 1, {entry}, sim::Time::seconds(1e8));
  TaskLog log;
  player.add_observer(log);
  player.start();
  simulation.run();
  REQUIRE(log.tasks.size() == count);
  played.tasks = std::move(log.tasks);
  played.calls = std::move(door.seen);
  return played;
}

/// Calls, tools and tokens of the tasks agree with their expectation within 2 %.
inline void check_means(const Played& played, const Work& expected) {
  const Work mean = played.mean();
  CHECK(mean.calls == Approx(expected.calls).epsilon(0.02));
  CHECK(mean.tools == Approx(expected.tools).epsilon(0.02));
  CHECK(mean.prompt == Approx(expected.prompt).epsilon(0.02));
  CHECK(mean.output == Approx(expected.output).epsilon(0.02));
}

// ---- Means
// ------------------------------------------------------------------------------------------------------------

inline double lognormal(double median, double sigma) { return median * std::exp(sigma * sigma / 2); }
/// E[min(X, most)].
inline double lognormal(double median, double sigma, double most) {
  const boost::math::normal z;
  const double d = std::log(most / median) / sigma;
  return lognormal(median, sigma) * cdf(z, d - sigma) + most * cdf(z, -d);
}
inline double weibull(double scale, double shape) { return scale * std::tgamma(1 + 1 / shape); }

// ---- Counts
// -----------------------------------------------------------------------------------------------------------

using Counts = std::map<int, double>;  ///< probability of each

/// round(max(Ga(shape, scale), least)).
inline Counts rounded_gamma(double shape, double scale, int least) {
  const boost::math::gamma_distribution<> gamma(shape, scale);
  Counts counts;
  for (int n = least; n < 400; ++n) counts[n] = cdf(gamma, n + 0.5) - (n == least ? 0 : cdf(gamma, n - 0.5));
  return counts;
}
inline Counts poisson(double mean) {
  Counts counts;
  double p = std::exp(-mean);
  for (int n = 0; n < 60; ++n, p *= mean / n) counts[n] = p;
  return counts;
}
/// plus + min(Geo(p), most): Geo counts the trials until the first success.
inline Counts geometric(int plus, double p, int most) {
  Counts counts;
  double left = 1;
  for (int n = 1; n < most; ++n, left *= 1 - p) counts[plus + n] = left * p;
  counts[plus + most] = left;
  return counts;
}
/// NB(r, p) clipped to [least, most].
inline Counts negative_binomial(double r, double p, int least, int most) {
  Counts counts;
  double mass = std::pow(p, r);
  for (int k = 0; k < 1000; ++k) {
    counts[std::min(std::max(k, least), most)] += mass;
    mass *= (k + r) / (k + 1) * (1 - p);
  }
  return counts;
}

/// Expectation of a function of a count.
template <class F>
auto over(const Counts& counts, F work) {
  decltype(work(0)) sum = {};
  for (const auto& [n, p] : counts) sum = sum + p * work(n);
  return sum;
}

/// A ReAct loop of n calls on one context: prompts first, first + growth, …; outputs alike, and tools between them.
inline Work loop(int n, double first, double growth, double output, double tools_a_round) {
  return {static_cast<double>(n), (n - 1) * tools_a_round, n * first + growth * n * (n - 1) / 2, n * output};
}

inline constexpr double kTemplate = 15;

}  // namespace tokenyard::agents::catalog
