#pragma once
/// Boxes of chips in a torus: the shape of a pod, and the blocks that replicas take of it.
///
///   most_compact(256, 2);                 // {16, 16, 1}
///   smallest_block(8, {16, 16, 1});       // {4, 2, 1}: it tiles the pod and is nearest to a square
///
/// Cost: some thousand steps for a pod, once per pool.

#include <array>
#include <cstdint>
#include <string>

namespace tokenyard::platforms {

/// Extents along x, y and z; 1 where a dimension is absent.
using TorusShape = std::array<std::int64_t, 3>;

constexpr std::int64_t volume(const TorusShape& shape) { return shape[0] * shape[1] * shape[2]; }

/// "16x16", "4x4x4": trailing dimensions of 1 left out, the first kept.
std::string to_text(const TorusShape& shape);

/// The box of exactly `chips` ≥ 1 in at most `dimensions` (1 to 3) with the least surface, extents ascending.
TorusShape most_compact(std::int64_t chips, int dimensions);

/// Whether some turn of `shape` lies within `torus`.
bool fits_within(const TorusShape& shape, const TorusShape& torus);

/// The box within `pod` that holds `chips`, 1 ≤ chips ≤ volume(pod): of the least volume, so that as few chips as can
/// be lie idle in it; then one that tiles the pod; then of the least surface.
TorusShape smallest_block(std::int64_t chips, const TorusShape& pod);

}  // namespace tokenyard::platforms
