#pragma once
/// The free chips of a group of equal nodes, first fit.
///
/// Chips are only ever taken; those that are given back, because the rest of a replica found no room, are for other
/// searches. So a search that has passed a node need never look at it again: its cursor makes all takes of one kind
/// together cost O(nodes in use).
///
///   FreeChips free(group);
///   ChipSearch search = free.search_for(4);
///   std::optional<TakenChips> part = free.take(search);   // node 0
///   free.take(search);                                    // node 0 again, or the next

#include <cstdint>
#include <optional>
#include <vector>

#include "platforms/cluster/cluster.hpp"

namespace tokenyard::platforms {

/// Chips within one node, and how far the search for them has come.
struct ChipSearch {
  TorusShape block{1, 1, 1};  ///< in a torus, a box; else a row of chips
  std::int64_t node = 0;
  std::int64_t place = 0;  ///< of those aligned to the block
};

/// Chips that were taken.
struct TakenChips {
  std::int64_t node = 0;
  TorusShape origin{0, 0, 0};  ///< in a torus
};

class FreeChips {
 public:
  explicit FreeChips(const NodeGroup& group) : group_(group) {}

  /// 1 ≤ chips ≤ chips_per_node. In a torus also for more.
  ChipSearch search_for(std::int64_t chips) const;
  std::optional<TakenChips> take(ChipSearch& search);
  void give_back(const ChipSearch& search, const TakenChips& part);

 private:
  struct Node {
    std::int64_t free = 0;
    std::vector<bool> taken;  ///< in a torus, by chip, x fastest
  };
  std::optional<TakenChips> take_box(Node& node, ChipSearch& search) const;
  template <typename Visit>
  bool all_of_box(const TorusShape& origin, const TorusShape& block, const Visit& visit) const;

  const NodeGroup& group_;
  std::vector<Node> nodes_;  ///< those that were looked at; the others are free
};

}  // namespace tokenyard::platforms
