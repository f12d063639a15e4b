#pragma once
/// Reads the pools at fixed intervals: the rows of series.csv, the counters of the timeline, and the energy of the
/// window, which is the sum of its intervals (a chip's power is capped over each, as its firmware caps it).

#include <functional>
#include <optional>
#include <vector>

#include "analysis/run/pool_reading.hpp"
#include "traces/writers/tables.hpp"

namespace tokenyard::analysis {

class Sampler final : public sim::EventHandler {
 public:
  using Sink = std::function<void(const traces::SeriesRow&)>;

  /// Samples until `done`, which is asked at each sample. Throws sim::Infeasible after RunControls::kMostSamples.
  Sampler(sim::Simulation& simulation, platforms::Fleet& fleet, const Scenario& scenario, std::function<bool()> done);

  void add_sink(Sink sink) { sinks_.push_back(std::move(sink)); }
  /// The window begins or ends now. It begins at 0 unless it is begun again.
  void begin_window();
  void end_window();

  /// Mean share of KV blocks in use over the samples of the window; nothing if there was none.
  std::optional<double> mean_kv(std::size_t pool) const;
  /// Mean share of the pool's ranks, over the same samples, whose calls waited while as many ran as max_num_seqs lets;
  /// nothing of a media pool.
  std::optional<double> mean_full(std::size_t pool) const;
  /// Joules of the pool's chips in the window; nothing if the catalogue lacks a coefficient.
  std::optional<double> joules_of(std::size_t pool) const { return meters_[pool].joules; }

  void on_event(sim::Time now, std::uint64_t) override;

 private:
  sim::Simulation& simulation_;
  platforms::Fleet& fleet_;
  const Scenario& scenario_;
  std::function<bool()> done_;
  struct Meter {
    PoolReading read;  ///< when it was read last, at `metered_`
    std::optional<double> joules = 0;
  };
  void meter(std::size_t pool, const PoolReading& reading, const std::optional<double>& energy);

  sim::Time interval_, last_date_, metered_;
  bool in_window_ = true;
  std::vector<PoolReading> last_;
  std::vector<Meter> meters_;
  std::vector<double> kv_sum_, full_sum_;
  std::uint64_t samples_ = 0;
  std::vector<Sink> sinks_;
  sim::Entity entity_;
};

}  // namespace tokenyard::analysis
