#include "analysis/demand/trial.hpp"

#include <nlohmann/json.hpp>

#include "analysis/run/metrics.hpp"
#include "analysis/run/simulate.hpp"

namespace tokenyard::analysis {
namespace {

/// What the level counts: tasks if it limits tasks alone, else calls.
bool counts_tasks(const Slo& slo) { return slo.task_s && !slo.ttft_s && !slo.tpot_s && !slo.e2e_s; }

}  // namespace

Trial Trials::simulate_once(const Size& size, std::uint64_t seed) {
  Scenario scenario = candidate_.at(size);
  scenario.seed += seed;
  scenario.cluster.pue = 1;  // what is measured is the chips' own power
  const bool tasks = counts_tasks(scenario.slo);
  const double forgiven = (1 - scenario.slo.attainment) * expected_ * (seed == 0 ? 1.1 : 1.5);
  Trial trial;
  double missed = 0;
  SimulateOptions options;
  options.undecided = [&](const Metrics& metrics) {
    const auto counted = static_cast<double>(tasks ? metrics.arrived_tasks : metrics.arrived_calls);
    trial.counted = counted;
    missed = counted - static_cast<double>(tasks ? metrics.good_tasks : metrics.good_calls);
    trial.stopped = expected_ > 0 && missed > forgiven;
    return !trial.stopped;
  };
  sim::Json summary = simulate(scenario, nullptr, options);
  ++simulations_;
  if (trial.stopped) {
    ++stopped_;
    trial.missed = std::min(1.0, missed / expected_);
  } else {
    summary.erase("curves");
    const sim::Json& slo = summary["slo"];
    trial.met = slo["met"].is_boolean() && slo["met"].get<bool>();
    if (slo["attainment"].is_number()) trial.missed = 1 - slo["attainment"].get<double>();
    trial.summary = std::move(summary);
  }
  if (on_done_) on_done_();
  return trial;
}

const Trial& Trials::run(const Size& size, std::uint64_t seed) {
  const auto key = std::pair(size, seed);
  {
    const std::lock_guard lock(mutex_);
    const auto found = done_.find(key);
    if (found != done_.end()) return *found->second;
  }
  auto trial = std::make_unique<Trial>(simulate_once(size, seed));
  const std::lock_guard lock(mutex_);
  return *done_.try_emplace(key, std::move(trial)).first->second;
}

const Trial& Trials::learn_from(const Size& size) {
  expected_ = 0;
  const Trial& trial = run(size, 0);
  expected_ = trial.counted;
  return trial;
}

bool Trials::meets_all(const Size& size) {
  for (std::uint64_t seed = 0; seed < repetitions_; ++seed) {
    if (!meets(size, seed)) return false;
  }
  return true;
}

}  // namespace tokenyard::analysis
