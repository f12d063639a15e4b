#pragma once
/// Reads the pools at fixed intervals: the rows of series.csv and the counters of the timeline.

#include <functional>
#include <optional>
#include <vector>

#include "analysis/run/pool_reading.hpp"
#include "traces/writers/tables.hpp"

namespace tokenyard::analysis {

class Sampler final : public sim::EventHandler {
 public:
  using Sink = std::function<void(const traces::SeriesRow&)>;

  /// Samples until `done`, which is asked at each sample.
  Sampler(sim::Simulation& simulation, platforms::Fleet& fleet, const Scenario& scenario, std::function<bool()> done);

  void add_sink(Sink sink) { sinks_.push_back(std::move(sink)); }
  /// Mean share of KV blocks in use over the samples within [begin, end]; nothing if there was none.
  std::optional<double> mean_kv(std::size_t pool) const;
  void set_window(sim::Time begin, sim::Time end) { begin_ = begin, end_ = end; }

  void on_event(sim::Time now, std::uint64_t) override;

 private:
  sim::Simulation& simulation_;
  platforms::Fleet& fleet_;
  const Scenario& scenario_;
  std::function<bool()> done_;
  sim::Time interval_, begin_, end_ = sim::Time::never();
  std::vector<PoolReading> last_;
  std::vector<double> kv_sum_;
  std::uint64_t samples_ = 0;
  std::vector<Sink> sinks_;
  sim::Entity entity_;
};

}  // namespace tokenyard::analysis
