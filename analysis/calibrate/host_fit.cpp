#include "analysis/calibrate/host_fit.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/calibrate/nelder_mead.hpp"

namespace tokenyard::analysis {
namespace {

// What the points do not say (a time that kernels always hide) stays what engines usually take: the weight of being
// strange beside the mean error.
constexpr double kStrange = 0.01;
constexpr std::size_t kFittedPoints = 150;
// Of a point's error, what counts: some points are of another world (an engine without tuned kernels for a model).
constexpr double kTokenCap = 0.25, kFirstTokenCap = 0.5;
constexpr double kFirstTokenWeight = 0.5;  // TTFT shows what a step with prompts costs; it depends on the client, too

}  // namespace

double mean_error(std::span<const ServingPoint> points, const platforms::EngineDefaults::Host& host) {
  double sum = 0;
  for (const ServingPoint& point : points) {
    const ServedMeans means = simulate_point(point, host);
    sum += std::min(kTokenCap, std::abs(std::log(means.tpot_s / point.tpot_s)));
    sum += kFirstTokenWeight * std::min(kFirstTokenCap, std::abs(std::log(means.ttft_s / point.ttft_s)));
  }
  return sum / static_cast<double>(points.size());
}

platforms::EngineDefaults::Host fit_host(const std::vector<ServingPoint>& points) {
  const auto host_of = [&](std::span<const double> v) {
    platforms::EngineDefaults::Host host;
    host.step_s = 1e-3 * v[0];
    host.sequence_s = 1e-6 * v[1];
    host.prefill_step_s = 1e-3 * v[2];
    host.layer_s = 1e-3 * v[3];
    host.expert_layer_s = 1e-3 * v[4];
    host.asynchronous = points.front().defaults->host.asynchronous;
    return host;
  };
  const std::size_t stride = std::max<std::size_t>(1, points.size() / kFittedPoints);
  std::vector<ServingPoint> fitted;
  for (std::size_t i = 0; i < points.size(); i += stride) fitted.push_back(points[i]);
  const std::vector<double> usual{1, 20, 5, 0.3, 0.3}, steps{1, 15, 4, 0.2, 0.2};
  const auto error = [&](std::span<const double> v) {
    double strange = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      if (v[i] < 0) return 1e3;
      const double apart = (v[i] - usual[i]) / (v[i] + usual[i]);
      strange += apart * apart;
    }
    return mean_error(fitted, host_of(v)) + kStrange * strange;
  };
  return host_of(minimize(error, usual, steps, {.restarts = 2, .evaluations_per_variable = 30}));
}

}  // namespace tokenyard::analysis
