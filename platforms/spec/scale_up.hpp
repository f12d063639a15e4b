#pragma once
/// The links among the chips of a scale-up domain, and how much of them a group of chips can use together.
///
/// A chip's rate is that of all its links. Behind a switch every chip reaches any other with all of them. In a mesh of N
/// chips each has a link to each other one, so a group of n uses n - 1 of N - 1.
///
/// In a torus of d dimensions a group is a box (torus.hpp) with extents k_i, and of a chip's 2 d links only those within
/// it count: along a dimension w_i = 2 where it closes to a ring, 1 where it is a line, whose ends have no other, and 0
/// where k_i = 1. A dimension closes where k_i is a multiple of `ring_every`: 16 on TPU v5e and v6e, 4 on v4p and v5p
/// ("How to scale your model", part 2, jax-ml/scaling-book, 2025, whose 4 x 4 slice uses two of four links).
///
/// - **Ring collectives** (all-reduce, all-gather) run round a ring of chips, with both its links: one through the box
///   if that has but lines. Further dimensions that close to rings add to that, by far less than they have:
///
///     links used = min(2, sum of w_i) + 0.65 (number of rings - 1 if there is one)
///
///   Measured (tpu-recipes, GB/s, where a link has 100): 179 in 2 x 2 x 1 and as much in 2 x 2 x 2 TPU v7; 236 in
///   16 x 16 TPU v6e, which is 2.65 links at the 179 / 200 of a ring.
/// - **Exchanges**, in which each chip sends to all others alike, use all links of a chip and have to pass the middle of
///   the box: half of the chips send n / 2 (n - 1) of what they send across n w_i / k_i links each way.
///
///     links used = min(sum of w_i, min over k_i > 1 of 4 (n - 1) w_i / (n k_i))
///
///   chip.scale_up.ring_share(4);  // TPU v6e: 0.5
///
/// Cost: O(pod's extents) in a torus, else O(1).

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tokenyard::platforms {

/// How the chips of a scale-up domain are connected. `kPcie`: through the host's PCI Express; `kNone`: one chip is all.
enum class ScaleUpTopology : std::uint8_t { kNone, kPcie, kSwitch, kMesh, kTorus2d, kTorus3d };
inline constexpr std::array<std::string_view, 6> kScaleUpTopologyNames = {"none", "pcie",    "switch",
                                                                          "mesh", "torus2d", "torus3d"};
constexpr std::string_view name_of(ScaleUpTopology topology) {
  return kScaleUpTopologyNames[static_cast<std::size_t>(topology)];
}

struct ScaleUp {
  ScaleUpTopology topology = ScaleUpTopology::kNone;
  std::optional<double> bytes_per_s;         ///< all links of a chip together, one direction
  std::optional<std::int64_t> domain_chips;  ///< the largest domain
  std::vector<std::int64_t> shape;           ///< of the whole torus, where it is known
  std::optional<std::int64_t> ring_every;    ///< extents of a torus that close to rings; absent: none does

  /// 0 if the chips form no torus.
  int torus_dimensions() const {
    return topology == ScaleUpTopology::kTorus2d ? 2 : topology == ScaleUpTopology::kTorus3d ? 3 : 0;
  }
  /// Of bytes_per_s, what each chip of a group of `chips` ≥ 1 has in a ring collective. In (0, 1].
  double ring_share(std::int64_t chips) const;
  /// The same in an exchange.
  double exchange_share(std::int64_t chips) const;
};

}  // namespace tokenyard::platforms
