#pragma once
/// A tool or a team of people, as an agent's file describes it: how many jobs at a time, and what else keeps them
/// waiting.
///
///   "services": {
///     "crm":     {"capacity": 32, "rate_per_s": 10, "burst": 20},
///     "sandbox": {"capacity": 100, "cold_start_s": 3, "stays_warm_s": 600},
///     "embed":   {"capacity": 2, "batch": 16},
///     "desk":    {"capacity": 20, "shifts": [{"from_h": 8, "share": 1}, {"from_h": 18, "share": 0.1}]}
///   }

#include <string>
#include <vector>

#include "sim/core/time.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::agents {

struct ServiceSpec {
  std::string name;
  std::int64_t capacity = 0;  ///< servers, or people; 0: unlimited
  double rate_per_s = 0;      ///< at which they begin, in the long run; 0: as they can
  std::int64_t burst = 1;     ///< that may begin at once, after a rest
  /// What a server that has not served for longer than `stays_warm`, or never, takes longer at first.
  sim::Time cold_start, stays_warm = sim::Time::never();
  std::int64_t batch = 1;  ///< jobs that one server takes at once, for as long as the longest of them
  /// How much of the capacity is there from an hour of the day on; time 0 is midnight. None: always all of it.
  struct Shift {
    sim::Time from;
    double share = 1;
  };
  std::vector<Shift> shifts;

  static ServiceSpec read(const std::string& name, sim::ObjectReader& r);
};

}  // namespace tokenyard::agents
