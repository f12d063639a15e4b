#include "platforms/cost/experts.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {
namespace {

/// The launch is of the layer as a whole.
GemmFigures of_product(GemmFigures figures) {
  figures.launch_s = 0;
  return figures;
}

}  // namespace

double experts_hit(double experts, double per_token, std::int64_t tokens) {
  // (1 - k/E)^T by squaring: only products, so the same on every machine.
  double missed = experts, power = 1 - per_token / experts;
  for (; tokens > 0; tokens /= 2, power *= power) {
    if (tokens % 2 == 1) missed *= power;
  }
  return experts - missed;
}

Experts::Experts(const GemmFigures& figures, std::int64_t hidden, std::int64_t ffn, double weight_bytes,
                 double input_bytes)
    : up_(of_product(figures), 2 * ffn, hidden, weight_bytes, input_bytes),
      down_(of_product(figures), hidden, ffn, weight_bytes, input_bytes),
      copy_bytes_(2 * static_cast<double>(3 * ffn + 2 * hidden)),
      bytes_per_s_(figures.bytes_per_s * figures.memory),
      launch_s_(figures.launch_s) {}

KernelTime Experts::at(double copies, double hit) const {
  KernelTime time;
  if (copies <= 0 || hit <= 0) return time;
  const auto rows = static_cast<std::int64_t>(std::ceil(std::max(1.0, copies / hit) - 1e-9));
  time = up_.at(rows, hit);
  time += down_.at(rows, hit);
  const double moved = copies * copy_bytes_;
  time.bytes += moved;
  time[Bound::kBandwidth] += moved / bytes_per_s_;
  time[Bound::kHost] += launch_s_;
  return time;
}

}  // namespace tokenyard::platforms
