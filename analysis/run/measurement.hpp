#pragma once
/// All that a run measures. The measured time, or window, opens at the end of the warm-up and closes when no more work
/// comes.
///
///   Measurement measurement(simulation, fleet, *workload, scenario, agents);
///   measurement.end_arrivals(sim::Time::seconds(scenario.run.duration_s));   // of a replay: end_with_last_arrival()
///   network->run(simulation);
///   measurement.finish();

#include <optional>
#include <string>
#include <vector>

#include "agents/work/workload.hpp"
#include "analysis/run/metrics.hpp"
#include "analysis/run/pool_reading.hpp"
#include "analysis/run/sampler.hpp"
#include "sim/core/simulation.hpp"

namespace tokenyard::analysis {

class Measurement final : private sim::EventHandler, private platforms::ServingObserver, private agents::TaskObserver {
 public:
  /// Observes the fleet and the workload, which must outlive it. Throws sim::InputError if the service level names
  /// agents that there are not.
  Measurement(sim::Simulation& simulation, platforms::Fleet& fleet, agents::Workload& workload,
              const Scenario& scenario, std::vector<std::string> agents);

  /// No more work comes from `date` on: the window closes, no earlier than it opens if the run drains, and else the run
  /// stops.
  void end_arrivals(sim::Time date);
  /// The same at the last arrival of recorded work, known when it comes. Where all came at once, nothing is measured by
  /// then: the window stays open until the last of it has ended, if the run drains.
  void end_with_last_arrival();

  /// The run is over: closes the window if nothing has, and ends what is still in flight as unfinished.
  void finish();

  const Scenario& scenario() const { return scenario_; }
  const std::vector<std::string>& agents() const { return agents_; }
  const Metrics& metrics() const { return metrics_; }
  Sampler& sampler() { return sampler_; }
  const Sampler& sampler() const { return sampler_; }
  const Snapshot& begin() const { return begin_; }  ///< of the window
  const Snapshot& end() const { return end_; }
  const Snapshot& last() const { return last_; }  ///< of the run
  double window_s() const { return (end_.date - begin_.date).seconds(); }
  std::uint64_t events() const { return simulation_.events_run(); }
  std::optional<sim::Time> last_arrival() const { return last_arrival_; }  ///< of recorded work, if it came
  /// Recorded work whose last arrival has come, and none came before it.
  bool all_at_once() const { return last_arrival_ && (!first_call_ || *first_call_ >= *last_arrival_); }

 private:
  enum Edge : std::uint64_t { kOpen, kClose, kCloseIfOver };
  void on_event(sim::Time now, std::uint64_t edge) override;
  void on_submit(const platforms::CallRequest& request, const platforms::CallRecord& record) override;
  void on_task(const agents::TaskRecord& record) override;
  void close(sim::Time now);

  sim::Simulation& simulation_;
  platforms::Fleet& fleet_;
  agents::Workload& workload_;
  const Scenario& scenario_;
  const std::vector<std::string> agents_;
  const sim::Time warmup_;
  Metrics metrics_;
  Sampler sampler_;
  Snapshot begin_, end_, last_;
  std::optional<sim::Time> first_call_, last_arrival_;  ///< of recorded work
  sim::Entity opening_{1}, closing_;                    ///< the last sample before the window is taken before it opens
};

}  // namespace tokenyard::analysis
