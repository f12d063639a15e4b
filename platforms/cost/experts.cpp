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

Experts::Experts(const GemmFigures& figures, const Shape& shape, const KernelResidual& residual)
    : up_(of_product(figures), 2 * shape.ffn, shape.hidden, shape.weight_bytes, shape.input_bytes),
      down_(of_product(figures), shape.hidden, shape.ffn, shape.weight_bytes, shape.input_bytes),
      shape_(shape),
      residual_(&residual),
      figures_(figures),
      copy_bytes_(2 * static_cast<double>(3 * shape.ffn + 2 * shape.hidden)) {}

KernelTime Experts::at(double copies, double hit, double routed) const {
  KernelTime time;
  if (copies <= 0 || hit <= 0) return time;
  const auto rows = static_cast<std::int64_t>(std::ceil(std::max(1.0, copies / hit) - 1e-9));
  time = up_.at(rows, hit);
  time += down_.at(rows, hit);
  const double moved = routed * copy_bytes_;
  time.bytes += moved;
  time[Bound::kBandwidth] += moved / (figures_.bytes_per_s * figures_.memory);
  time[Bound::kHost] += figures_.launch_s;
  if (residual_->empty()) return time;

  const double bytes = time.bytes, modelled = time.total();
  const double floor = std::max(bytes / figures_.bytes_per_s, copies * flop() / figures_.peak_flops_per_s);
  const double factor = residual_->at({copies / shape_.experts, static_cast<double>(shape_.ffn), shape_.experts});
  time *= std::max(factor, floor / modelled);
  time.bytes = bytes;
  return time;
}

}  // namespace tokenyard::platforms
