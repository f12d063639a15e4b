#include "platforms/spec/expert_kernels.hpp"

#include <nlohmann/json.hpp>

#include "platforms/spec/fact.hpp"

namespace tokenyard::platforms {
namespace {

constexpr sim::NumberRule kNotNegative{.minimum = 0}, kPart{.minimum = 0, .maximum = 1},
    kShare{.minimum = 0, .maximum = 1, .exclusive = true};

}  // namespace

const std::array<ExpertKernels::Figure, 12> ExpertKernels::kFigures = {{
    {"compute", &ExpertKernels::compute, kShare},
    {"memory", &ExpertKernels::memory, kShare},
    {"tile_half", &ExpertKernels::tile_half, kNotNegative},
    {"depth_half", &ExpertKernels::depth_half, kNotNegative},
    {"occupancy", &ExpertKernels::occupancy, kNotNegative},
    {"launch_s", &ExpertKernels::launch_s, kNotNegative},
    {"expert_s", &ExpertKernels::expert_s, kNotNegative},
    {"copy_ffn", &ExpertKernels::copy_ffn, kNotNegative},
    {"copy_hidden", &ExpertKernels::copy_hidden, kNotNegative},
    {"token_hidden", &ExpertKernels::token_hidden, kNotNegative},
    {"elsewhere", &ExpertKernels::elsewhere, kPart},
    {"unaligned", &ExpertKernels::unaligned, kNotNegative},
}};

ExpertKernels ExpertKernels::read(sim::ObjectReader& reader) {
  ExpertKernels kernels;
  reader.object("value", [&](sim::ObjectReader& at) {
    for (const Figure& figure : kFigures) {
      sim::NumberRule rule = figure.rule;
      rule.fallback = kernels.*figure.value;
      kernels.*figure.value = at.number(figure.key, rule);
    }
  });
  reader.object("residual", [&](sim::ObjectReader& at) { kernels.residual = KernelResidual::read(at, kExpertAxes); });
  read_provenance(reader, true);
  return kernels;
}

sim::Json ExpertKernels::to_json() const {
  sim::Json entry;
  for (const Figure& figure : kFigures) entry["value"][figure.key] = this->*figure.value;
  if (!residual.empty()) residual.write(entry["residual"], kExpertAxes);
  return entry;
}

}  // namespace tokenyard::platforms
