#include "analysis/demand/trial.hpp"

#include <nlohmann/json.hpp>

#include "analysis/run/recording.hpp"
#include "sim/statistics/mean_interval.hpp"

namespace tokenyard::analysis {

SloTally::SloTally(const Metrics& metrics, const Slo& slo) {
  const bool tasks = slo.on_tasks() && !slo.on_calls();
  const Metrics::Judged judged = tasks ? metrics.judged_tasks() : metrics.judged_calls();
  counted = static_cast<double>(judged.arrived);
  missed = counted - static_cast<double>(judged.good);
}

std::optional<bool> verdict(const std::vector<double>& attainments, double level, std::size_t repetitions) {
  for (std::size_t seed = 0; seed < std::min(repetitions, attainments.size()); ++seed) {
    if (attainments[seed] < level) return false;
  }
  if (attainments.size() < repetitions) return {};
  const sim::MeanInterval interval = sim::mean_interval(attainments);
  const double half_width = interval.half_width.value_or(0);
  if (interval.mean - half_width >= level) return true;
  if (interval.mean + half_width < level || attainments.size() >= kMostSeeds * repetitions) return false;
  return {};
}

Trial Trials::simulate_once(const Size& size, std::uint64_t seed) {
  Scenario scenario = candidate_.at(size);
  scenario.seed += seed;
  scenario.cluster.pue = 1;  // what is measured is the chips' own power
  const double forgiven = (1 - scenario.slo.attainment) * expected_ * (seed == 0 ? 1.1 : 1.5);
  Trial trial;
  double missed = 0;
  SimulateOptions options;
  options.undecided = [&](const Metrics& metrics) {
    const SloTally tally(metrics, scenario.slo);
    trial.counted = tally.counted;
    missed = tally.missed;
    trial.stopped = expected_ > 0 && missed > forgiven;
    return !trial.stopped;
  };
  sim::Json summary = simulate_workload(scenario, options);
  ++simulations_;
  for (const PoolPlan& pool : scenario.pools) {
    const sim::Json& full = summary["pools"][pool.name]["seats_full"];
    trial.seats_full.push_back(full.is_number() ? std::optional(full.get<double>()) : std::nullopt);
  }
  if (trial.stopped) {
    ++stopped_;
    trial.missed = std::min(1.0, missed / expected_);
  } else {
    summary.erase("curves");
    const sim::Json& slo = summary["slo"];
    trial.met = slo["met"].is_boolean() && slo["met"].get<bool>();
    if (slo["least_attainment"].is_number()) trial.missed = 1 - slo["least_attainment"].get<double>();
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
  const Trial& trial = run(size, 0);
  if (!trial.stopped) expected_ = trial.counted;
  return trial;
}

bool Trials::passes(const Size& size) {
  std::vector<double> attainments;
  std::optional<bool> passes;
  while (!passes) {
    const Trial& trial = run(size, attainments.size());
    attainments.push_back(1 - trial.missed);
    // What was stopped may lie lower than it says: no interval holds it.
    passes = trial.stopped ? false : verdict(attainments, candidate_.base.slo.attainment, repetitions_);
  }
  return *passes;
}

std::vector<const Trial*> Trials::judged(const Size& size) const {
  const std::lock_guard lock(mutex_);
  std::vector<const Trial*> trials;
  for (std::uint64_t seed = 0;; ++seed) {
    const auto found = done_.find({size, seed});
    if (found == done_.end()) return trials;
    trials.push_back(found->second.get());
  }
}

}  // namespace tokenyard::analysis
