#pragma once
/// How a group of chips lies on nodes, and what its collectives cost beyond the node.
///
/// Within a node a collective uses the scale-up links; that part is in collective.hpp. A group that is larger than a
/// node works in levels. With the bytes B of each chip, n nodes, m chips of the group on the smallest of them, and a
/// rate r and latency a per chip out of its node:
///
///   all-reduce = reduce-scatter in the node, ring all-reduce of B / m between nodes, all-gather in the node
///              = all-reduce of B in the node + 2 (n - 1) (a + B / (m n r))
///   all-to-all = max(B / scale-up rate, a + share of B that leaves the node / r)
///
/// The levels are those of BlueConnect (Cho et al., MLSys 2019) and of the hierarchical collectives of vendors'
/// libraries; the ring is that of Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations
/// in MPICH" (2005): 2 (n - 1) steps, each of a share 1/n. A tree has fewer steps (log n): for small B this is an upper
/// bound.
///
///   NodeSpan span{8, 50e9, 5e-6};
///   span.nodes(16);                        // 2
///   span.all_reduce_s(16.8e6, 16);         // what crossing the two nodes adds

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tokenyard::platforms {

struct NodeSpan {
  /// Of the replica. Unbounded: one node holds it.
  std::int64_t chips_per_node = std::numeric_limits<std::int64_t>::max();
  double bytes_per_s = 0;  ///< out of the node, per chip, one direction; > 0 where a group leaves its node
  double latency_s = 0;    ///< between two nodes

  /// Chips of a group of `chips` in a row that share a node.
  std::int64_t within(std::int64_t chips) const { return std::min(chips, chips_per_node); }
  std::int64_t nodes(std::int64_t chips) const { return (chips - 1) / chips_per_node + 1; }
  bool crosses(std::int64_t chips) const { return chips > chips_per_node; }

  /// Seconds that an all-reduce of `bytes` over a group takes beyond its part in the node. 0 within a node.
  double all_reduce_s(double bytes, std::int64_t chips) const {
    if (!crosses(chips)) return 0;
    const std::int64_t n = nodes(chips);
    const auto fewest = static_cast<double>(chips - (n - 1) * chips_per_node);
    const auto steps = static_cast<double>(2 * (n - 1));
    return steps * (latency_s + bytes / (fewest * static_cast<double>(n) * bytes_per_s));
  }

  /// Seconds for what leaves the node when each chip of a group sends `bytes` in all, evenly to every chip; 0 within.
  double all_to_all_s(double bytes, std::int64_t chips) const {
    if (!crosses(chips)) return 0;
    const double leaving = 1 - static_cast<double>(chips_per_node) / static_cast<double>(chips);
    return latency_s + bytes * leaving / bytes_per_s;
  }
};

}  // namespace tokenyard::platforms
