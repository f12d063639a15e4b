#include "platforms/cluster/free_chips.hpp"

namespace tokenyard::platforms {

ChipSearch FreeChips::search_for(std::int64_t chips) const {
  return {group_.is_torus() ? smallest_block(chips, group_.shape) : TorusShape{chips, 1, 1}, 0, 0};
}

/// Whether `visit(index of a chip)` holds for every chip of a box.
template <typename Visit>
bool FreeChips::all_of_box(const TorusShape& origin, const TorusShape& block, const Visit& visit) const {
  for (std::int64_t z = origin[2]; z < origin[2] + block[2]; ++z) {
    for (std::int64_t y = origin[1]; y < origin[1] + block[1]; ++y) {
      for (std::int64_t x = origin[0]; x < origin[0] + block[0]; ++x) {
        if (!visit(static_cast<std::size_t>(x + group_.shape[0] * (y + group_.shape[1] * z)))) return false;
      }
    }
  }
  return true;
}

std::optional<TakenChips> FreeChips::take_box(Node& node, ChipSearch& search) const {
  const TorusShape& block = search.block;
  const TorusShape places{group_.shape[0] / block[0], group_.shape[1] / block[1], group_.shape[2] / block[2]};
  node.taken.resize(static_cast<std::size_t>(group_.chips_per_node));
  for (; search.place < volume(places); ++search.place) {
    const TorusShape origin{search.place % places[0] * block[0], search.place / places[0] % places[1] * block[1],
                            search.place / (places[0] * places[1]) * block[2]};
    if (!all_of_box(origin, block, [&](std::size_t chip) { return !node.taken[chip]; })) continue;
    all_of_box(origin, block, [&](std::size_t chip) { return node.taken[chip] = true; });
    return TakenChips{search.node, origin};
  }
  return {};
}

std::optional<TakenChips> FreeChips::take(ChipSearch& search) {
  const std::int64_t chips = volume(search.block);
  for (; search.node < group_.count; ++search.node, search.place = 0) {
    const auto index = static_cast<std::size_t>(search.node);
    if (index == nodes_.size()) nodes_.push_back({group_.chips_per_node, {}});
    Node& node = nodes_[index];
    if (node.free < chips) continue;
    const std::optional<TakenChips> part =
        group_.is_torus() ? take_box(node, search) : TakenChips{search.node, {0, 0, 0}};
    if (!part) continue;
    node.free -= chips;
    return part;
  }
  return {};
}

void FreeChips::give_back(const ChipSearch& search, const TakenChips& part) {
  Node& node = nodes_[static_cast<std::size_t>(part.node)];
  node.free += volume(search.block);
  if (group_.is_torus()) {
    all_of_box(part.origin, search.block, [&](std::size_t chip) {
      node.taken[chip] = false;
      return true;
    });
  }
}

}  // namespace tokenyard::platforms
