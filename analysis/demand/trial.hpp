#pragma once
/// Simulations of one candidate, each judged against the service level and none run twice.
///
/// A trial that can no longer meet the level is stopped: when more calls (or tasks) have missed it than the level
/// forgives among all that are expected. How many those are is what a complete trial saw (`learn_from`): as the work of
/// a seed is the same at every size, that is nearly exact for the first seed; a tenth is added, and one half for other
/// seeds. Before there was a complete trial, `expect` may give a rough number, and as many again are forgiven.
///
///   Trials trials(candidate, 3, on_done);
///   trials.learn_from(ample);
///   trials.meets(size, 0);        // with the first seed
///   trials.passes(size);          // by the interval over seeds

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "analysis/demand/candidate.hpp"
#include "analysis/run/metrics.hpp"

namespace tokenyard::analysis {

/// What the level counts, tasks if it limits tasks alone, else calls: how many arrived in the window, and how many of
/// them are outside the level so far.
struct SloTally {
  SloTally(const Metrics& metrics, const Slo& slo);
  double counted = 0, missed = 0;
};

/// Whether a size passes, by the attainment of each of its seeds in turn: the first `repetitions` must all meet the
/// level, and the 95 % interval of the mean must not reach below it. Nothing as long as another seed is needed: until
/// the first ones are through, and then until the interval is narrow enough, up to kMostSeeds times as many; what is
/// undecided then does not pass. With one repetition there is no interval, and its own attainment decides.
inline constexpr std::size_t kMostSeeds = 3;
std::optional<bool> verdict(const std::vector<double>& attainments, double level, std::size_t repetitions);

struct Trial {
  bool met = false;
  bool stopped = false;  ///< early, the level being out of reach
  double missed = 1;     ///< share of the calls (or tasks) outside the level; of a stopped trial at least this
  double counted = 0;    ///< calls (or tasks) that the level counted
  sim::Json summary;     ///< of a complete trial
  /// By pool, of a stopped trial, too: share of the time in which calls waited while all seats (max_num_seqs) of their
  /// replica were taken; nothing of media pools.
  std::vector<std::optional<double>> seats_full;
};

class Trials {
 public:
  /// `on_done` is called after each simulation, from any thread.
  Trials(const Candidate& candidate, int repetitions, std::function<void()> on_done)
      : candidate_(candidate), repetitions_(static_cast<std::size_t>(repetitions)), on_done_(std::move(on_done)) {}

  const Trial& run(const Size& size, std::uint64_t seed);
  bool meets(const Size& size, std::uint64_t seed) { return run(size, seed).met; }
  /// Seed by seed, until `verdict` is clear.
  bool passes(const Size& size);
  /// Of a size that was judged, by seed.
  std::vector<const Trial*> judged(const Size& size) const;
  /// What a trial may count, roughly.
  void expect(double counted) { expected_ = 2 * counted; }
  /// Runs the size with the first seed; later trials are stopped by what it saw, if it came to its end.
  const Trial& learn_from(const Size& size);
  std::size_t simulations() const { return simulations_; }
  std::size_t stopped() const { return stopped_; }

 private:
  Trial simulate_once(const Size& size, std::uint64_t seed);

  const Candidate& candidate_;
  std::size_t repetitions_;
  std::function<void()> on_done_;
  mutable std::mutex mutex_;
  std::map<std::pair<Size, std::uint64_t>, std::unique_ptr<Trial>> done_;
  double expected_ = 0;  ///< calls or tasks of the first seed that the level counts; 0: unknown
  std::atomic<std::size_t> simulations_ = 0, stopped_ = 0;
};

}  // namespace tokenyard::analysis
