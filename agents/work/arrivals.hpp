#pragma once
/// When work arrives in an open loop: the arrival process of one workload entry.
///
/// Arrivals are a renewal process in *operational time*, in which one unit passes per expected arrival: gaps of mean 1,
/// exponential (Poisson) or gamma with the given coefficient of variation. Real time follows from the rate, which may
/// vary in steps: over the day (`diurnal`: factors of equal windows, repeated) and at random (`bursts`: a two-state
/// Markov-modulated process). Both keep `rate_per_s` as the mean over the long run.
///
///   {"process": "poisson"}                                   the default
///   {"process": "gamma", "cv": 2}                            burstier than Poisson if cv > 1 (arXiv 2505.09999)
///   {"process": "markov-modulated", "burst_factor": 5, "burst_share": 0.1, "mean_burst_s": 30}
///   {"process": "diurnal", "factors": [0.5, 1, 2, 0.5], "period_s": 86400}
///   any of them with "batch": DIST                            that many tasks at once; the rate counts tasks
///   any of them with "diurnal": {"factors": […], "period_s": 86400}
///
/// Arrival i is a function of (seed, entry, i) and of the rates alone. Cost: O(1) per arrival and per rate change
/// passed.
///
///   ArrivalProcess arrivals(seed, "support", spec, Time::seconds(3600));
///   sim::Time first = arrivals.next();

#include <optional>
#include <string_view>
#include <vector>

#include "sim/random/distribution.hpp"

namespace tokenyard::agents {

/// Rate factors over equal windows of a period, repeated; their mean is 1.
struct Diurnal {
  double period_s = 86400;
  std::vector<double> factors;  ///< scaled to a mean of 1
};

/// In bursts, which last `mean_burst_s` on average and fill `burst_share` of the time, the rate is `burst_factor` times
/// what it is between them.
struct Bursts {
  double burst_factor = 5;
  double burst_share = 0.1;
  double mean_burst_s = 30;
};

struct ArrivalSpec {
  double rate_per_s = 0;  ///< tasks, mean over the long run
  double cv = 1;          ///< of the gaps in operational time; 1: Poisson
  std::optional<Diurnal> diurnal;
  std::optional<Bursts> bursts;
  std::optional<sim::Distribution> batch;

  /// Reads the value of "arrivals"; the rate is the caller's.
  void read(sim::ObjectReader& reader);
  /// Changes of rate in so long a time, on average.
  double changes_in(double duration_s) const;
};

class ArrivalProcess {
 public:
  ArrivalProcess(std::uint64_t seed, std::string_view entry, ArrivalSpec spec, sim::Time end);

  /// The next arrival, not before the last one; at or after `end`, a date there that need not be its own.
  sim::Time next();

 private:
  double rate_now() const;
  /// Seconds to the next change of rate; infinite if there is none.
  double until_change() const;
  void change();
  void draw_state();

  std::uint64_t seed_;
  sim::StreamName gap_, size_, state_;
  ArrivalSpec spec_;
  sim::Time end_;
  sim::Distribution gamma_gap_;  ///< mean 1
  std::int64_t left_in_batch_ = 0;
  double mean_batch_ = 1;
  std::uint64_t arrivals_ = 0;
  double clock_s_ = 0;
  // diurnal
  std::size_t window_ = 0;
  double window_end_s_ = 0;
  // bursts
  std::uint64_t states_ = 0;
  bool bursting_ = false;
  double state_end_s_ = 0;
};

}  // namespace tokenyard::agents
