#include "platforms/cost/media_cost.hpp"

#include <fmt/format.h>

#include "sim/core/rounded.hpp"

namespace tokenyard::platforms {

MediaStep MediaCost::step(const MediaFormat& format) const {
  const Chip& chip = *spec_.chip;
  const Precision compute = *chip.compute_precision(spec_.weights);
  const double peak = *chip.peak_flops_per_s[compute];
  const MediaModel::StepFlop flop = spec_.model->step_flop(format);
  const double alone_s = flop.products / (peak * *chip.efficiency.gemm_compute[compute]) +
                         flop.attention / (peak * *chip.efficiency.attention_prefill);
  const auto chips = static_cast<double>(spec_.chips);
  const double seconds = alone_s / (chips * spec_.model->efficiency_of(chip) * *spec_.model->share(spec_.chips));
  return {sim::FineTime::ticks_in(seconds), sim::counted(flop.total() / chips)};
}

std::vector<std::string> missing_numbers(const MediaSpec& spec) {
  std::vector<std::string> missing;
  const Chip& chip = *spec.chip;
  const auto lacks = [&](const std::string& key) { missing.push_back(fmt::format("chip {}: {}", chip.name, key)); };
  const auto compute = chip.compute_precision(spec.weights);
  if (!compute) {
    lacks(fmt::format("peak_flops_per_s/{}", name_of(spec.weights)));
  } else if (!chip.efficiency.gemm_compute[*compute]) {
    lacks(fmt::format("efficiency/gemm_compute/{}", name_of(*compute)));
  }
  if (!chip.efficiency.attention_prefill) lacks("efficiency/attention_prefill");
  if (!chip.memory_bytes) lacks("memory_bytes");
  if (!spec.model->share(spec.chips))
    missing.push_back(fmt::format("media model {}: sharing/{}", spec.model->name, spec.chips));
  return missing;
}

double weight_bytes(const MediaSpec& spec) { return spec.model->parameters_total * bytes_per_weight(spec.weights); }

}  // namespace tokenyard::platforms
