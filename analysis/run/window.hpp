#pragma once
/// The measured time: it opens at the end of the warm-up and closes when no more work comes.

#include <algorithm>
#include <optional>

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
    fleet_.forget_itl();
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

  /// The window closes no earlier than it opens, if the run goes on until then.
  void schedule(sim::Time date) {
    simulation_.schedule(drain_ ? std::max(date, begin_) : date, sim::Priority::kStop, entity_, *this);
  }
  void on_event(sim::Time now, std::uint64_t) override {
    close(now);
    if (!drain_) simulation_.stop();
  }
  void close(sim::Time now) {
    if (snapshot_.taken()) return;
    snapshot_.take(now);
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

/// The last arrival of a trace, known when it comes: no more work comes then. An observer of the fleet.
class LastArrival final : public platforms::ServingObserver {
 public:
  LastArrival(sim::Simulation& simulation, EndOfArrivals& end_of_arrivals, bool drain)
      : simulation_(simulation), end_of_arrivals_(end_of_arrivals), drain_(drain) {}

  void on_submit(const platforms::CallRequest&, const platforms::CallRecord& record) override {
    if (!first_call_) first_call_ = record.arrival;
  }
  /// It comes now. Where all came at once, nothing is measured by then: the measured time goes on to the end of the run.
  void come() {
    date_ = simulation_.now();
    if (!drain_ || (first_call_ && *first_call_ < *date_)) end_of_arrivals_.schedule(*date_);
  }
  std::optional<sim::Time> date() const { return date_; }  ///< none: it did not come

 private:
  sim::Simulation& simulation_;
  EndOfArrivals& end_of_arrivals_;
  bool drain_;
  std::optional<sim::Time> first_call_;
  std::optional<sim::Time> date_;
};

}  // namespace tokenyard::analysis
