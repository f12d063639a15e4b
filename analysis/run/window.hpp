#pragma once
/// The measured time: it opens at the end of the warm-up and closes when no more work comes.

#include <algorithm>

#include "analysis/run/metrics.hpp"
#include "analysis/run/pool_reading.hpp"
#include "analysis/run/sampler.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::analysis {

/// The window opens at the end of the warm-up.
class EndOfWarmup final : public sim::EventHandler {
 public:
  EndOfWarmup(platforms::Fleet& fleet, Snapshot& snapshot, Sampler& sampler)
      : fleet_(fleet), snapshot_(snapshot), sampler_(sampler) {}
  void on_event(sim::Time now, std::uint64_t) override {
    snapshot_.take(now);
    fleet_.forget_gaps();
    sampler_.begin_window();
  }
  sim::Entity entity{1};

 private:
  platforms::Fleet& fleet_;
  Snapshot& snapshot_;
  Sampler& sampler_;
};

/// What happens when no more work comes: the window closes, and without `drain` so does the run.
class EndOfArrivals final : public sim::EventHandler {
 public:
  EndOfArrivals(sim::Simulation& simulation, Snapshot& snapshot, Metrics& metrics, Sampler& sampler, sim::Time begin,
                bool drain)
      : simulation_(simulation),
        snapshot_(snapshot),
        metrics_(metrics),
        sampler_(sampler),
        begin_(begin),
        drain_(drain) {}

  /// The window closes no earlier than it opens.
  void schedule(sim::Time date) {
    simulation_.schedule(drain_ ? std::max(date, begin_) : date, sim::Priority::kStop, entity_, *this);
  }
  void on_event(sim::Time now, std::uint64_t) override {
    close(now);
    if (!drain_) simulation_.stop();
  }
  void close(sim::Time now) {
    if (snapshot_.taken()) return;
    snapshot_.take(std::max(now, begin_));
    metrics_.close_window(now);
    sampler_.end_window();
  }

 private:
  sim::Simulation& simulation_;
  Snapshot& snapshot_;
  Metrics& metrics_;
  Sampler& sampler_;
  sim::Time begin_;
  bool drain_;
  sim::Entity entity_;
};

}  // namespace tokenyard::analysis
