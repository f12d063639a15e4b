#include "platforms/spec/scale_up.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "platforms/spec/torus.hpp"
#include "tests/platforms/spec/built_in_catalog.hpp"
#include "tests/support/catch.hpp"

using namespace tokenyard;
using namespace tokenyard::platforms;

namespace {

const ScaleUp& of(const char* chip) { return built_in_catalog().find_chip(chip)->scale_up; }

ScaleUp torus(std::vector<std::int64_t> shape, std::optional<std::int64_t> ring_every) {
  ScaleUp links;
  links.topology = shape.size() == 2 ? ScaleUpTopology::kTorus2d : ScaleUpTopology::kTorus3d;
  links.shape = std::move(shape);
  links.ring_every = ring_every;
  return links;
}

/// Messages over the busiest link, one from each chip of the box to each other, along x, then y, then z, the shorter
/// way round in a ring and half of them each way where both are as long. Counted in halves.
std::int64_t busiest(const TorusShape& box, bool rings) {
  std::map<std::pair<TorusShape, std::pair<std::size_t, bool>>, std::int64_t> links;
  const auto go = [&](TorusShape at, const TorusShape& to, bool up_on_ties) {
    for (std::size_t d = 0; d < 3; ++d) {
      const std::int64_t k = box[d], ahead = (to[d] - at[d] + k) % k;
      const bool up = !rings ? to[d] > at[d] : 2 * ahead < k || (2 * ahead == k && up_on_ties);
      while (at[d] != to[d]) {
        ++links[{at, {d, up}}];
        at[d] = (at[d] + (up ? 1 : k - 1)) % k;
      }
    }
  };
  const auto each = [&](const auto& visit) {
    for (std::int64_t i = 0; i < volume(box); ++i)
      visit(TorusShape{i % box[0], i / box[0] % box[1], i / (box[0] * box[1])});
  };
  each([&](const TorusShape& from) {
    each([&](const TorusShape& to) {
      go(from, to, true);
      go(from, to, false);
    });
  });
  std::int64_t most = 0;
  for (const auto& [link, messages] : links) most = std::max(most, messages);
  return most;
}

}  // namespace

TEST_CASE("Scale-up links: a switch gives a group all of them, a mesh those to its members") {
  CHECK(of("h100-sxm").ring_share(2) == 1);
  CHECK(of("h100-sxm").exchange_share(4) == 1);
  CHECK(of("mi300x").ring_share(8) == 1);
  CHECK(of("mi300x").ring_share(4) == Approx(3.0 / 7));
  CHECK(of("mi300x").exchange_share(2) == Approx(1.0 / 7));
  CHECK(of("mi300x").ring_share(1) == 1);
}

TEST_CASE("Scale-up links: collectives in a torus have one ring, and a little of further ones") {
  // jax-ml/scaling-book, part 2, question 6: in a 4 x 4 slice a corner uses two of its four links.
  CHECK(of("tpu-v5e").ring_share(16) == 0.5);
  CHECK(of("tpu-v6e").ring_share(4) == 0.5);
  CHECK(of("tpu-v6e").ring_share(128) == 0.5);  // 16 x 8: a ring and a line
  CHECK(torus({4, 4}, {}).ring_share(2) == 0.25);
  CHECK(torus({4, 4}, {}).ring_share(16) == 0.5);  // nothing is known of rings
  // tpu-recipes, all-gather and psum, GB/s.
  const double of_ring = 178.77 / 200;
  CHECK(of("tpu-v7").ring_share(4) * 600 * of_ring == Approx(178.77));
  CHECK(of("tpu-v7").ring_share(8) * 600 * of_ring == Approx(178.76).epsilon(0.001));
  CHECK(of("tpu-v6e").ring_share(256) * 400 * of_ring == Approx(235.76).epsilon(0.01));
}

TEST_CASE("Scale-up links: an exchange is as fast as the busiest link allows") {
  for (const bool rings : {false, true}) {
    for (const TorusShape& box : {TorusShape{2, 2, 1}, {4, 2, 1}, {4, 4, 1}, {8, 4, 1}, {4, 4, 4}, {8, 4, 4}}) {
      CAPTURE(rings, to_text(box));
      // Rings of two chips are none: both ways lead to the same.
      if (rings && std::find(box.begin(), box.end(), 2) != box.end()) continue;
      std::vector<std::int64_t> extents{box[0], box[1]};
      if (box[2] > 1) extents.push_back(box[2]);
      const ScaleUp links = torus(extents, rings ? std::optional<std::int64_t>(4) : std::nullopt);
      const auto n = static_cast<double>(volume(box));
      const double all_links = 2.0 * links.torus_dimensions();
      double links_of_chip = 0;
      for (const std::int64_t extent : box) links_of_chip += extent == 1 ? 0 : rings ? 2 : 1;
      const double by_busiest = 2 * (n - 1) / static_cast<double>(busiest(box, rings));
      CHECK(links.exchange_share(volume(box)) == Approx(std::min(by_busiest, links_of_chip) / all_links));
    }
  }
}
