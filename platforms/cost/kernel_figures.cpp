#include "platforms/cost/kernel_figures.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::platforms {
namespace {

/// That of the format, else the 16-bit one, else none.
const KernelResidual* table_of(const std::array<KernelResidual, 4>& by_format, Precision kv) {
  for (const Precision format : {kv, Precision::kBf16}) {
    const KernelResidual& table = by_format[static_cast<std::size_t>(format)];
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
  GemmFigures figures;
  figures.peak_flops_per_s = *chip.peak_flops_per_s[compute];
  figures.bytes_per_s = *chip.memory_bytes_per_s;
  figures.compute = e.gemm_compute[compute].value_or(kAssumedGemmCompute) * e.sustained[compute].value_or(1);
  figures.memory = e.gemm_memory.value_or(kAssumedGemmMemory);
  figures.launch_s = e.launch_s.value_or(kAssumedLaunchS);
  figures.units = chip.compute_units.value_or(0);
  const Chip::Efficiency::GemmFormat& own = e.gemm_formats[static_cast<std::size_t>(compute)];
  figures.tile_half = own.tile_half.value_or(e.gemm_tile_half.value_or(0));
  figures.depth_half = e.gemm_depth_half.value_or(0);
  figures.occupancy = e.gemm_occupancy.value_or(0);
  figures.wave = e.gemm_wave.value_or(0);
  figures.split_s = own.split_s.value_or(e.gemm_split_s.value_or(0));
  figures.quantise = own.quantise_memory.value_or(figures.memory);
  return figures;
}

ExpertFigures expert_figures(const Chip& chip, Precision weights) {
  static const ExpertKernels kUsual;
  const ExpertKernels* fitted = chip.experts(weights);
  return {.peak_flops_per_s = *chip.peak_flops_per_s[chip.compute_precision(weights).value()],
          .bytes_per_s = *chip.memory_bytes_per_s,
          .units = chip.compute_units.value_or(0),
          .kernels = fitted != nullptr ? fitted : &kUsual};
}

AttentionFigures attention_figures(const Chip& chip, Precision compute, Precision kv) {
  const Chip::Efficiency& e = chip.efficiency;
  AttentionFigures figures;
  figures.peak_flops_per_s = *chip.peak_flops_per_s[compute];
  figures.bytes_per_s = *chip.memory_bytes_per_s;
  figures.prefill = e.attention_prefill.value_or(kAssumedPrefill) * e.sustained[compute].value_or(1);
  figures.prefill_wait = e.attention_prefill_wait.value_or(0);
  figures.prefill_tile_s = e.attention_prefill_tile_s;
  figures.prefill_tile_rows = static_cast<double>(e.attention_prefill_tile_rows.value_or(64));
  figures.prefill_tile_heads = static_cast<double>(e.attention_prefill_tile_heads.value_or(1));
  const std::optional<double> usual_write = e.attention_write_s[Precision::kBf16];
  figures.write_s = e.attention_write_s[kv].value_or(usual_write.value_or(0));
  figures.decode = e.attention_decode.value_or(kAssumedDecode);
  figures.decode_tile_s = e.attention_decode_tile_s.value_or(0);
  figures.decode_skew = e.attention_decode_skew.value_or(0);
  figures.decode_key_s = e.attention_decode_key_s.value_or(0);
  figures.decode_split_below = e.attention_decode_split_below.value_or(0);
  figures.prefill_residual = table_of(e.attention_prefill_residual, kv);
  figures.decode_residual = table_of(e.attention_decode_residual, kv);
  figures.undivided_residual = table_of(e.attention_undivided_residual, kv);
  // A tile's time has a kernel's start and end in it, which are all there is to a launch in a captured graph.
  figures.launch_s = e.attention_decode_tile_s ? 0 : e.launch_s.value_or(kAssumedLaunchS);
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
