#pragma once
/// Simulations of one candidate, each judged against the service level and none run twice.
///
/// A trial that can no longer meet the level is stopped: when more calls (or tasks) have missed it than the level
/// forgives among all that are expected, which is what a complete trial saw (`learn_from`). As the work of a seed is
/// the same at every size, that is nearly exact for the first seed; a tenth is added, and one half for other seeds.
/// Before there was a complete trial, all run to the end.
///
///   Trials trials(candidate, 3, on_done);
///   trials.learn_from(ample);
///   trials.meets(size, 0);        // with the first seed
///   trials.meets_all(size);       // with every seed

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "analysis/demand/candidate.hpp"

namespace tokenyard::analysis {

struct Trial {
  bool met = false;
  bool stopped = false;  ///< early, the level being out of reach
  double missed = 1;     ///< share of the calls (or tasks) outside the level; of a stopped trial at least this
  double counted = 0;    ///< calls (or tasks) that the level counted
  sim::Json summary;     ///< of a complete trial
};

class Trials {
 public:
  /// `on_done` is called after each simulation, from any thread.
  Trials(const Candidate& candidate, int repetitions, std::function<void()> on_done)
      : candidate_(candidate), repetitions_(static_cast<std::uint64_t>(repetitions)), on_done_(std::move(on_done)) {}

  const Trial& run(const Size& size, std::uint64_t seed);
  bool meets(const Size& size, std::uint64_t seed) { return run(size, seed).met; }
  /// Seed by seed, until one misses.
  bool meets_all(const Size& size);
  /// Runs the size to its end with the first seed; later trials are stopped by what it saw.
  const Trial& learn_from(const Size& size);
  std::uint64_t repetitions() const { return repetitions_; }
  std::size_t simulations() const { return simulations_; }
  std::size_t stopped() const { return stopped_; }

 private:
  Trial simulate_once(const Size& size, std::uint64_t seed);

  const Candidate& candidate_;
  std::uint64_t repetitions_;
  std::function<void()> on_done_;
  std::mutex mutex_;
  std::map<std::pair<Size, std::uint64_t>, std::unique_ptr<Trial>> done_;
  double expected_ = 0;  ///< calls or tasks of the first seed that the level counts; 0: unknown
  std::atomic<std::size_t> simulations_ = 0, stopped_ = 0;
};

}  // namespace tokenyard::analysis
