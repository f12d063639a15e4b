#pragma once
/// Whether calls that have the chips to themselves meet the service level, and if not, what stands in the way: then no
/// number of chips will.

#include <string>

#include "analysis/demand/candidate.hpp"

namespace tokenyard::analysis {

struct Shortfall {
  bool met = true;
  std::string why;  ///< "even calls alone miss it: 95 % of them take 61.0 ms per output token, 50.0 ms are allowed"
};

/// One simulation with a fiftieth of the arrivals, or with one user; queues of tools and people stay as they are.
Shortfall shortfall_alone(const Candidate& candidate, const Size& size);

}  // namespace tokenyard::analysis
