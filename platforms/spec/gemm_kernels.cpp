#include "platforms/spec/gemm_kernels.hpp"

#include "platforms/spec/fact.hpp"

namespace tokenyard::platforms {
namespace {

constexpr sim::NumberRule kNotNegative{.minimum = 0}, kPart{.minimum = 0, .maximum = 1},
    kShare{.minimum = 0, .maximum = 1, .exclusive = true};

}  // namespace

const std::array<GemmKernels::Figure, 5> GemmKernels::kFigures = {{
    {"gemm_tile_half", &GemmKernels::tile_half, kNotNegative},
    {"gemm_depth_half", &GemmKernels::depth_half, kNotNegative},
    {"gemm_occupancy", &GemmKernels::occupancy, kNotNegative},
    {"gemm_wave", &GemmKernels::wave, kPart},
    {"gemm_split_s", &GemmKernels::split_s, kNotNegative},
}};

GemmKernels GemmKernels::read(sim::ObjectReader& reader) {
  GemmKernels kernels;
  for (const Figure& figure : kFigures)
    kernels.*figure.value = optional_fact(reader, figure.key, figure.rule).value_or(0);
  return kernels;
}

GemmFormat GemmFormat::read(sim::ObjectReader& reader) {
  return {.tile_half = optional_fact(reader, "tile_half", kNotNegative),
          .split_s = optional_fact(reader, "split_s", kNotNegative),
          .quantise_memory = optional_fact(reader, "quantise_memory", kShare)};
}

}  // namespace tokenyard::platforms
