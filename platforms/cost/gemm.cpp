#include "platforms/cost/gemm.hpp"

#include <algorithm>

namespace tokenyard::platforms {
namespace {

struct Shape {
  double rows, columns;
};
// What the libraries choose from, rows first: small results take small tiles.
constexpr std::array<Shape, 12> kShapes = {{{16, 64},
                                            {16, 128},
                                            {32, 64},
                                            {32, 128},
                                            {64, 64},
                                            {64, 128},
                                            {64, 256},
                                            {128, 64},
                                            {128, 128},
                                            {128, 256},
                                            {256, 64},
                                            {256, 128}}};
constexpr std::array<double, 4> kSplits = {1, 2, 4, 8};

}  // namespace

Gemm::Gemm(const GemmFigures& figures, std::int64_t n, std::int64_t k, double weight_bytes, double input_bytes)
    : figures_(figures),
      n_(static_cast<double>(n)),
      k_(static_cast<double>(k)),
      weight_bytes_(weight_bytes),
      input_bytes_(input_bytes) {
  const double units = figures_.units > 0 ? static_cast<double>(figures_.units) : 1;
  for (std::size_t i = 0; i < kTiles; ++i) {
    const double area = kShapes[i].rows * kShapes[i].columns;
    const double efficiency = figures_.compute * area / (area + figures_.tile_half);
    tiles_[i] = {kShapes[i].rows, 2 * area * units / (figures_.peak_flops_per_s * efficiency),
                 std::ceil(n_ / kShapes[i].columns)};
  }
}

KernelTime Gemm::at(std::int64_t rows, double groups) const {
  KernelTime time;
  if (rows <= 0 || groups <= 0) return time;
  const auto m = static_cast<double>(rows);
  time.bytes = groups * (n_ * k_ * weight_bytes_ + m * k_ * input_bytes_ + m * n_ * 2);
  if (weight_bytes_ < input_bytes_) time.unpacked = groups * n_ * k_;
  const double memory = time.bytes / (figures_.bytes_per_s * figures_.memory);
  const double units = figures_.units > 0 ? static_cast<double>(figures_.units) : 1;
  const double partial = groups * 8 * m * n_ / figures_.bytes_per_s;  // a 32-bit sum written and read, per split

  double best = -1, best_compute = 0, best_memory = 0;
  for (const Tile& tile : tiles_) {
    const double whole = groups * std::ceil(m / tile.rows) * tile.columns;
    for (const double split : kSplits) {
      const double tiles = whole * split;
      double waves = tiles;
      double moving = memory;
      if (figures_.units > 0) {
        waves = std::max(1.0, tiles / units);
        waves += figures_.wave * (std::ceil(waves) - waves);
        if (tiles < units) moving *= 1 + figures_.occupancy * (units / tiles - 1);
      }
      if (split > 1) moving += split * partial;
      const double compute = waves * tile.work * (k_ / split + figures_.depth_half);
      // The knee grows with both: what is longer in each respect need not be looked at.
      if (best >= 0 && compute >= best_compute && moving >= best_memory) continue;
      const double total = knee(compute, moving) + (split > 1 ? figures_.split_s : 0);
      if (best < 0 || total < best) best = total, best_compute = compute, best_memory = moving;
      if (tiles >= 4 * units) break;  // nobody splits what fills the chip
    }
  }
  // Never faster than the chip's peaks.
  best = std::max({best, groups * flop(m) / figures_.peak_flops_per_s, time.bytes / figures_.bytes_per_s});
  time[best_compute > best_memory ? Bound::kCompute : Bound::kBandwidth] += best;
  time[Bound::kHost] += figures_.launch_s;
  return time;
}

}  // namespace tokenyard::platforms
