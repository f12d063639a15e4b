#pragma once
/// Time of collectives among the chips of a replica.
///
/// An all-reduce takes what the chip's entry has measured for its size; without that, and in exchanges, the rate of the
/// links counts that the group can use (scale_up.hpp). What leaves a node pays for it (node_span.hpp).

#include <optional>

#include "platforms/cost/kernel_time.hpp"
#include "platforms/cost/node_span.hpp"
#include "platforms/spec/chip.hpp"

namespace tokenyard::platforms {

/// Bytes per second, one direction, of all ways from a chip to others of its node: its scale-up links, else its NICs.
/// Assumed for a chip without either, which serves alone: no replica of several is timed on it (Chip::missing).
double link_bytes_per_s(const Chip& chip);

/// Seconds of an all-reduce of `bytes` over `chips` ≥ 2 within the domain: measured, interpolated in log2 of the chips
/// and held constant beyond them, or by the link. Nothing if neither is known. O(log of the measured sizes).
std::optional<double> all_reduce_s(const Chip& chip, std::int64_t chips, double bytes);

class Collective {
 public:
  Collective(const Chip& chip, std::int64_t chips, const NodeSpan& span);

  /// Every chip has `bytes` and gets their sum.
  KernelTime all_reduce(double bytes) const;
  /// Every chip sends `bytes` in all to the others.
  KernelTime all_to_all(double bytes) const;

 private:
  const Chip* chip_;
  NodeSpan span_;
  std::int64_t group_, near_;  ///< chips in all, and of them in one node
  double exchange_bytes_per_s_, exchange_alpha_s_;
};

}  // namespace tokenyard::platforms
