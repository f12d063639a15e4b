#pragma once
/// Time of collectives among the chips of a replica.
///
/// A library chooses among protocols by size (one-shot, two-shot, ring, switch): an all-reduce takes the least of the
/// fitted segments alpha + 2 (n - 1) / n · bytes / bandwidth. For exchanges, the link's rate counts. What leaves a node
/// pays for it (node_span.hpp).

#include "platforms/cost/kernel_time.hpp"
#include "platforms/cost/node_span.hpp"
#include "platforms/spec/chip.hpp"

namespace tokenyard::platforms {

class Collective {
 public:
  Collective(const Chip& chip, std::int64_t chips, const NodeSpan& span);

  /// Every chip has `bytes` and gets their sum.
  KernelTime all_reduce(double bytes) const;
  /// Every chip sends `bytes` in all to the others.
  KernelTime all_to_all(double bytes) const;

 private:
  std::vector<Chip::AllReduce> segments_;
  NodeSpan span_;
  std::int64_t group_;
  double chips_, link_bytes_per_s_, exchange_alpha_s_;
};

}  // namespace tokenyard::platforms
