#include "platforms/spec/scale_up.hpp"

#include <algorithm>

#include "platforms/spec/torus.hpp"

namespace tokenyard::platforms {
namespace {

/// Links that a further ring adds to the two of the first: 236 / 100 / 0.894 - 2 (tpu-recipes, 16 x 16 TPU v6e).
constexpr double kFurtherRing = 0.65;

/// Links of a chip along a dimension of a box, both ways as one.
double links_along(const ScaleUp& links, std::int64_t extent) {
  if (extent == 1) return 0;
  return links.ring_every && extent % *links.ring_every == 0 ? 2 : 1;
}

/// The box of a group: within the pod where that is known and large enough.
TorusShape box_of(const ScaleUp& links, std::int64_t chips) {
  TorusShape pod{1, 1, 1};
  std::copy(links.shape.begin(), links.shape.end(), pod.begin());
  return chips <= volume(pod) ? smallest_block(chips, pod) : most_compact(chips, links.torus_dimensions());
}

/// Of a mesh; nothing for a torus.
std::optional<double> share_without_torus(const ScaleUp& links, std::int64_t chips) {
  if (links.torus_dimensions() > 0 && chips > 1) return {};
  if (links.topology != ScaleUpTopology::kMesh || chips < 2) return 1;
  const std::int64_t others = std::max(links.domain_chips.value_or(chips), chips) - 1;
  return static_cast<double>(chips - 1) / static_cast<double>(others);
}

}  // namespace

double ScaleUp::ring_share(std::int64_t chips) const {
  if (const auto share = share_without_torus(*this, chips)) return *share;
  double within = 0;
  int rings = 0;
  for (const std::int64_t extent : box_of(*this, chips)) {
    within += links_along(*this, extent);
    rings += links_along(*this, extent) > 1 ? 1 : 0;
  }
  const double used = std::min(2.0, within) + kFurtherRing * std::max(0, rings - 1);
  return used / (2 * torus_dimensions());
}

double ScaleUp::exchange_share(std::int64_t chips) const {
  if (const auto share = share_without_torus(*this, chips)) return *share;
  const auto n = static_cast<double>(chips);
  const TorusShape box = box_of(*this, chips);
  double used = 0;
  for (const std::int64_t extent : box) used += links_along(*this, extent);
  for (const std::int64_t extent : box) {
    if (extent == 1) continue;
    used = std::min(used, 4 * (n - 1) * links_along(*this, extent) / (n * static_cast<double>(extent)));
  }
  return used / (2 * torus_dimensions());
}

}  // namespace tokenyard::platforms
