#include "platforms/cost/kernel_figures.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {
namespace {

/// That of the format, else the 16-bit one, else none.
const KernelResidual* table_of(const PerPrecision<KernelResidual>& by_format, Precision kv) {
  for (const Precision format : {kv, Precision::kBf16}) {
    const KernelResidual& table = by_format[format];
    if (!table.empty()) return &table;
  }
  return nullptr;
}

}  // namespace

Chip in_short_runs(Chip chip) {
  chip.efficiency.sustained = {};
  return chip;
}

GemmFigures gemm_figures(const Chip& chip, Precision compute) {
  const Chip::Efficiency& e = chip.efficiency;
  GemmFigures figures{e.gemm};
  figures.peak_flops_per_s = *chip.peak_flops_per_s[compute];
  figures.bytes_per_s = *chip.memory_bytes_per_s;
  figures.compute = e.gemm_compute[compute].value_or(kAssumedGemmCompute) * e.sustained[compute].value_or(1);
  figures.memory = e.gemm_memory.value_or(kAssumedGemmMemory);
  figures.launch_s = e.launch_s.value_or(kAssumedLaunchS);
  figures.units = chip.compute_units.value_or(0);
  const GemmFormat& own = e.gemm_formats[compute];
  figures.tile_half = own.tile_half.value_or(figures.tile_half);
  figures.split_s = own.split_s.value_or(figures.split_s);
  figures.quantise = own.quantise_memory.value_or(figures.memory);
  return figures;
}

ExpertFigures expert_figures(const Chip& chip, Precision weights, Fp8Scales scales) {
  static const ExpertKernels kUsual;
  const ExpertKernels* fitted = chip.experts(weights, scales);
  return {.peak_flops_per_s = *chip.peak_flops_per_s[chip.compute_precision(weights).value()],
          .bytes_per_s = *chip.memory_bytes_per_s,
          .units = chip.compute_units.value_or(0),
          .kernels = fitted != nullptr ? fitted : &kUsual};
}

AttentionFigures attention_figures(const Chip& chip, Precision compute, Precision kv) {
  const Chip::Efficiency& e = chip.efficiency;
  AttentionFigures figures{e.attention};
  figures.peak_flops_per_s = *chip.peak_flops_per_s[compute];
  figures.bytes_per_s = *chip.memory_bytes_per_s;
  figures.prefill = e.attention_prefill.value_or(kAssumedPrefill) * e.sustained[compute].value_or(1);
  const std::optional<double> usual_write = e.attention_write_s[Precision::kBf16];
  figures.write_s = e.attention_write_s[kv].value_or(usual_write.value_or(0));
  figures.decode = e.attention_decode.value_or(kAssumedDecode);
  figures.prefill_residual = table_of(e.attention_prefill_residual, kv);
  figures.decode_residual = table_of(e.attention_decode_residual, kv);
  figures.undivided_residual = table_of(e.attention_undivided_residual, kv);
  // A tile's time has a kernel's start and end in it, which are all there is to a launch in a captured graph.
  figures.launch_s = figures.decode_tile_s ? 0 : e.launch_s.value_or(kAssumedLaunchS);
  figures.units = chip.compute_units.value_or(0);
  return figures;
}

const KernelResidual* latent_table(const Chip& chip, Precision kv) {
  return table_of(chip.efficiency.latent_decode_residual, kv);
}

double input_bytes(Precision weights) { return std::min(kActivationBytes, std::ceil(bytes_per_weight(weights))); }

Gemm product_of(const GemmFigures& figures, Precision weights, std::int64_t n, std::int64_t k) {
  return {figures, n, k, bytes_per_weight(weights), input_bytes(weights)};
}

}  // namespace tokenyard::platforms
