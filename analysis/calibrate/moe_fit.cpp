#include "analysis/calibrate/moe_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/calibrate/measured_table.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::ExpertResidual;
using platforms::GemmFigures;

constexpr std::int64_t kMostTokens = 16384;
constexpr std::string_view kLatest = "moe_torch_flow_min_latency";
const std::vector<double> kRowsPerExpert = {0.0625, 1, 8, 32, 128, 512};

bool held_out(const MoeSample& s) {
  std::uint64_t hash = 0;
  for (const std::int64_t part : {s.hidden, s.ffn, s.experts, s.tp, s.ep}) {
    hash = (hash ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 31;
  }
  return (hash >> 32) % 5 == 0;
}

ExpertResidual::Point point_of(const MoeSample& s) {
  const double here = static_cast<double>(s.experts) / static_cast<double>(s.ep);
  return {static_cast<double>(s.tokens * s.per_token) / static_cast<double>(s.experts),
          static_cast<double>(s.ffn / s.tp), here};
}

/// The powers of two from the least to the greatest of an axis, both included.
std::vector<double> powers_of_two(const std::vector<MoeSample>& samples, std::size_t axis) {
  double least = point_of(samples.front())[axis], greatest = least;
  for (const MoeSample& sample : samples) {
    least = std::min(least, point_of(sample)[axis]);
    greatest = std::max(greatest, point_of(sample)[axis]);
  }
  std::vector<double> points{std::exp2(std::round(std::log2(least)))};
  while (points.back() < greatest / 1.5) points.push_back(2 * points.back());
  return points;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <typename Factor>
ExpertResidual residual_of(const std::vector<MoeSample>& samples, const Factor& factor_of) {
  const std::array<std::vector<double>, 3> axes{kRowsPerExpert, powers_of_two(samples, 1), powers_of_two(samples, 2)};
  const ExpertResidual grid(axes, {});
  std::vector<std::vector<double>> factors(grid.size());
  for (const MoeSample& sample : samples) factors[grid.nearest(point_of(sample))].push_back(factor_of(sample));
  // Steps along the axes from one combination to another.
  const auto distance = [&](std::size_t a, std::size_t b) {
    std::size_t sum = 0;
    for (std::size_t axis = 3; axis-- > 0; a /= axes[axis].size(), b /= axes[axis].size()) {
      const std::size_t x = a % axes[axis].size(), y = b % axes[axis].size();
      sum += x > y ? x - y : y - x;
    }
    return sum;
  };
  std::vector<double> values(grid.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t best = i;
    if (factors[i].empty()) {
      std::size_t least = std::numeric_limits<std::size_t>::max();
      for (std::size_t j = 0; j < values.size(); ++j) {
        if (!factors[j].empty() && distance(i, j) < least) least = distance(i, best = j);
      }
    }
    values[i] = median(factors[best]);
  }
  return {axes, std::move(values)};
}

}  // namespace

std::vector<MoeSample> read_moe_samples(const std::filesystem::path& path, std::string_view format) {
  const MeasuredTable table(path);
  std::vector<MoeSample> samples;
  const bool kernels = table.has("kernel_source");
  // Two stacks of kernels may have been measured. Those made for small batches came later and are the ones in use.
  bool latest = false;
  for (std::size_t row = 0; kernels && row < table.rows(); ++row)
    latest |= table.text(row, "moe_dtype") == format && table.text(row, "kernel_source") == kLatest;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (latest && table.text(row, "kernel_source") != kLatest) continue;
    if (table.text(row, "moe_dtype") != format || table.text(row, "distribution") != "balanced") continue;
    const auto whole = [&](const char* column) {
      return static_cast<std::int64_t>(std::llround(table.number(row, column)));
    };
    MoeSample sample{
        whole("num_tokens"),  whole("hidden_size"), whole("inter_size"),  whole("topk"),
        whole("num_experts"), whole("moe_tp_size"), whole("moe_ep_size"), table.number(row, "latency") * 1e-3};
    if (sample.tokens <= kMostTokens) samples.push_back(sample);
  }
  return samples;
}

double moe_seconds(const GemmFigures& figures, const MoeSample& s, double weight_bytes, double input_bytes,
                   const ExpertResidual& residual) {
  const double here = static_cast<double>(s.experts) / static_cast<double>(s.ep);
  const platforms::Experts experts(figures,
                                   {.hidden = s.hidden,
                                    .ffn = s.ffn / s.tp,
                                    .experts = here,
                                    .weight_bytes = weight_bytes,
                                    .input_bytes = input_bytes},
                                   residual);
  const auto copies = static_cast<double>(s.tokens * s.per_token) / static_cast<double>(s.ep);
  return experts.at(copies, std::min(here, std::max(1.0, copies)), copies * static_cast<double>(s.ep)).total();
}

MoeFit fit_moe(const std::vector<MoeSample>& samples, const GemmFigures& figures, double weight_bytes,
               double input_bytes) {
  std::vector<MoeSample> known;
  for (const MoeSample& sample : samples) {
    if (!held_out(sample)) known.push_back(sample);
  }
  const auto seconds = [&](const MoeSample& sample, const ExpertResidual& residual) {
    return moe_seconds(figures, sample, weight_bytes, input_bytes, residual);
  };
  const auto table_of = [&](const std::vector<MoeSample>& used) {
    return residual_of(used, [&](const MoeSample& sample) { return sample.seconds / seconds(sample, {}); });
  };
  const ExpertResidual without = table_of(known);
  MoeFit fit;
  fit.residual = table_of(samples);
  for (const MoeSample& sample : samples) {
    if (held_out(sample)) fit.held_out.add(seconds(sample, without), sample.seconds);
    fit.fitted.add(seconds(sample, fit.residual), sample.seconds);
  }
  return fit;
}

}  // namespace tokenyard::analysis
