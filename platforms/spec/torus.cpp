#include "platforms/spec/torus.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace tokenyard::platforms {
namespace {

constexpr std::int64_t surface(const TorusShape& s) { return s[0] * s[1] + s[1] * s[2] + s[0] * s[2]; }

}  // namespace

std::string to_text(const TorusShape& shape) {
  std::string text = std::to_string(shape[0]);
  if (shape[1] > 1 || shape[2] > 1) text += 'x' + std::to_string(shape[1]);
  if (shape[2] > 1) text += 'x' + std::to_string(shape[2]);
  return text;
}

TorusShape most_compact(std::int64_t chips, int dimensions) {
  // Descending while searching, so that absent dimensions come last.
  TorusShape best{chips, 1, 1};
  if (dimensions < 2) return best;
  for (std::int64_t c = 1; c * c * c <= chips && (c == 1 || dimensions == 3); ++c) {
    if (chips % c != 0) continue;
    const std::int64_t rest = chips / c;
    for (std::int64_t b = c; b * b <= rest; ++b) {
      if (rest % b == 0 && surface({rest / b, b, c}) < surface(best)) best = {rest / b, b, c};
    }
  }
  const auto absent = std::find(best.begin(), best.end(), 1);
  std::reverse(best.begin(), absent);
  return best;
}

bool fits_within(const TorusShape& shape, const TorusShape& torus) {
  TorusShape a = shape, b = torus;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2];
}

TorusShape smallest_block(std::int64_t chips, const TorusShape& pod) {
  TorusShape best = pod;
  auto best_key = std::make_tuple(std::numeric_limits<std::int64_t>::max(), true, std::int64_t{0});
  for (std::int64_t y = 1; y <= pod[1]; ++y) {
    for (std::int64_t z = 1; z <= pod[2]; ++z) {
      const std::int64_t x = (chips + y * z - 1) / (y * z);
      if (x > pod[0]) continue;
      const TorusShape block{x, y, z};
      const bool leaves_gaps = pod[0] % x != 0 || pod[1] % y != 0 || pod[2] % z != 0;
      const auto key = std::make_tuple(volume(block), leaves_gaps, surface(block));
      if (key < best_key) best = block, best_key = key;
    }
  }
  return best;
}

}  // namespace tokenyard::platforms
