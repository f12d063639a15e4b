#pragma once
/// A workload thinned out until its calls have the chips to themselves. If even they miss the service level, no number
/// of chips will meet it; and what they keep busy tells where a search may begin.

#include <string>
#include <vector>

#include "analysis/demand/candidate.hpp"

namespace tokenyard::analysis {

struct Alone {
  bool met = true;
  std::string why_not;  ///< "even calls alone miss it: 95 % of them take 61.0 ms per output token, 50.0 ms are …"
  double counted = 0;   ///< calls (or tasks) that the level would count of the whole work, about; 0: unknown
  std::vector<double> busy;  ///< by pool: replicas that the whole work would keep busy, each call on its own
  bool crowded = false;      ///< a pool was busy: calls were not alone, so `met` is not known and taken as true
};

/// A simulation with a fiftieth of the arrivals, or with one user; queues of tools and people stay as they are. Thinned
/// again, a few times at most, as long as a pool is busy.
Alone simulate_alone(const Candidate& candidate, const Size& size);

/// "; 14.0 % of sales's tasks fail by their own doing, which no chips change": of agents whose tasks are limited, where
/// that alone misses the level; else empty.
std::string own_failures(const sim::Json& summary, const Slo& slo);

}  // namespace tokenyard::analysis
