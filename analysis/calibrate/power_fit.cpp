#include "analysis/calibrate/power_fit.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/calibrate/nelder_mead.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Chip;

struct Sample {
  std::string model;
  platforms::Precision weights;
  platforms::StepWork work;  ///< in the time measured
  double watts = 0;
};

double watts(const Chip& chip, const Sample& s) { return chip.joules(s.weights, s.work).value_or(0) / s.work.busy_s; }

/// `chip` with the power that suits all samples but those of one model.
Chip fit(const std::vector<Sample>& samples, Chip chip, const std::string& left_out) {
  const double tdp = chip.power.tdp_w.value_or(1);
  const auto set = [&](std::span<const double> v) {
    chip.power.active_w = v[0];
    chip.power.compute_w = v[1];
    chip.power.memory_w = v[2];
    if (v.size() > 3) chip.power.unpack_flop = v[3];
  };
  const auto error = [&](std::span<const double> v) {
    if (std::any_of(v.begin(), v.end(), [](double x) { return x < 0; })) return 1e3;
    set(v);
    double sum = 0, rows = 0;
    for (const Sample& s : samples) {
      if (s.model == left_out) continue;
      sum += std::abs(std::log(watts(chip, s) / s.watts));
      ++rows;
    }
    return sum / std::max(1.0, rows);
  };
  std::vector<double> start = {0.6 * tdp, 0.6 * tdp, 0.1 * tdp}, steps = {0.1 * tdp, 0.2 * tdp, 0.1 * tdp};
  const bool unpacks = std::any_of(samples.begin(), samples.end(), [](const Sample& s) { return s.work.unpacked > 0; });
  if (unpacks) {
    start.push_back(40);
    steps.push_back(30);
  }
  set(minimize(error, start, steps));
  return chip;
}

}  // namespace

PowerFit fit_power(const std::vector<EnergyPoint>& points, const Chip& chip) {
  std::vector<Sample> samples;
  std::set<std::string> models;
  for (const EnergyPoint& point : points) {
    const SimulatedWork work = simulate(point);
    Sample sample{point.spec.model->name, point.spec.weights, work.of_chip, point.watts};
    const double measured_s = work.output_tokens / point.tokens_per_s;
    if (!(measured_s > 0)) continue;
    sample.work.waiting_s *= measured_s / work.span_s;
    sample.work.busy_s = measured_s;
    models.insert(sample.model);
    samples.push_back(std::move(sample));
  }
  PowerFit result;
  const Chip fitted = fit(samples, chip, {});
  result.power = fitted.power;
  for (const Sample& s : samples) result.fitted.add(watts(fitted, s), s.watts);
  for (const std::string& model : models) {
    const Chip others = fit(samples, chip, model);
    result.without[model] = others.power;
    for (const Sample& s : samples) {
      if (s.model == model && models.size() > 1) result.held_out.add(watts(others, s), s.watts);
    }
  }
  return result;
}

}  // namespace tokenyard::analysis
