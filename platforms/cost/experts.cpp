#include "platforms/cost/experts.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {
namespace {

constexpr std::int64_t kAligned = 16;

/// The launch is of the layer as a whole, and nobody splits a grouped product.
GemmFigures of_product(const ExpertFigures& figures) {
  const ExpertKernels& kernels = *figures.kernels;
  GemmFigures product{{.tile_half = kernels.tile_half,
                       .depth_half = kernels.depth_half,
                       .occupancy = kernels.occupancy,
                       .wave = 1,
                       .split_s = 1}};
  product.peak_flops_per_s = figures.peak_flops_per_s;
  product.bytes_per_s = figures.bytes_per_s;
  product.compute = kernels.compute;
  product.memory = kernels.memory;
  product.units = figures.units;
  return product;
}

}  // namespace

double experts_hit(double experts, double per_token, std::int64_t tokens) {
  const auto t = static_cast<double>(tokens);
  return t > 0 ? experts * t / (t + experts / per_token - 1) : 0;
}

Experts::Experts(const ExpertFigures& figures, const Shape& shape)
    : figures_(figures),
      shape_(shape),
      up_(of_product(figures), 2 * shape.ffn, shape.hidden, shape.weight_bytes, shape.input_bytes),
      down_(of_product(figures), shape.hidden, shape.ffn, shape.weight_bytes, shape.input_bytes),
      products_(shape.ffn % kAligned == 0 ? 1 : 1 + figures.kernels->unaligned) {}

KernelTime Experts::at(double copies, double hit, double tokens) const {
  KernelTime time;
  if (copies <= 0 || hit <= 0) return time;
  const ExpertKernels& kernels = *figures_.kernels;
  const auto rows = static_cast<std::int64_t>(std::ceil(std::max(1.0, copies / hit) - 1e-9));
  time = up_.at(rows, hit);
  time += down_.at(rows, hit);
  const double floor = std::max(time.bytes / figures_.bytes_per_s, copies * flop() / figures_.peak_flops_per_s);
  for (double& seconds : time.seconds) seconds *= products_;

  const auto hidden = static_cast<double>(shape_.hidden), ffn = static_cast<double>(shape_.ffn);
  const double handled = copies + kernels.elsewhere * (tokens * shape_.per_token - copies);
  const double moved =
      2 * (handled * (kernels.copy_ffn * ffn + kernels.copy_hidden * hidden) + kernels.token_hidden * tokens * hidden);
  time.bytes += moved;
  time[Bound::kBandwidth] += moved / (figures_.bytes_per_s * kernels.memory);
  time[Bound::kHost] += kernels.launch_s +
                        kernels.expert_s * (shape_.experts + kernels.elsewhere * (shape_.all_experts - shape_.experts));
  if (kernels.residual.empty()) return time;

  const double factor = kernels.residual.at({copies / shape_.experts, ffn, shape_.experts});
  const double least = floor / time.total();
  for (double& seconds : time.seconds) seconds *= std::max(factor, least);
  return time;
}

KernelTime Experts::padding(const PaddedExperts& padded) const {
  KernelTime time;
  time[Bound::kCompute] = padded.seconds(shape_.experts, flop(), figures_.peak_flops_per_s);
  time.padding_flop = padded.rows * shape_.experts * flop();
  return time;
}

}  // namespace tokenyard::platforms
