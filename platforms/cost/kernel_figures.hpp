#pragma once
/// A chip's catalogue entry as the kernel models take it: peaks, units, and what its software makes of them, with an
/// assumed number for each that is absent.
///
/// Figures are those of the speed that the chip sustains (Efficiency::sustained); `in_short_runs(chip)` has the speed at
/// which its tables were measured. `compute`: a format that the chip has a peak for.

#include "platforms/cost/attention.hpp"
#include "platforms/cost/experts.hpp"
#include "platforms/cost/gemm.hpp"
#include "platforms/spec/chip.hpp"

namespace tokenyard::platforms {

inline constexpr double kActivationBytes = 2;  // bf16

// For numbers that an entry lacks, all assumed: of the order of those that built-in entries have. The figures of the
// format in which a replica's weights are multiplied are never among them: Chip::missing asks for those. What remains
// are launch_s, 16-bit products beside weights in fewer bits, and chips whose figures are about to be fitted.
inline constexpr double kAssumedGemmCompute = 0.7;  ///< share of the peak
inline constexpr double kAssumedGemmMemory = 0.8;   ///< share of the bandwidth
inline constexpr double kAssumedPrefill = 0.5;      ///< share of the peak
inline constexpr double kAssumedDecode = 0.7;       ///< share of the bandwidth
inline constexpr double kAssumedLaunchS = 2e-6;     ///< seconds

/// The same chip where no power limit slows it down.
Chip in_short_runs(Chip chip);
GemmFigures gemm_figures(const Chip& chip, Precision compute);
/// By the weights' format. The chip must outlive the figures.
ExpertFigures expert_figures(const Chip& chip, Precision weights, Fp8Scales scales = Fp8Scales::kBlock);
AttentionFigures attention_figures(const Chip& chip, Precision compute, Precision kv);
/// The table of latent_attention.hpp for a KV format; null: none.
const KernelResidual* latent_table(const Chip& chip, Precision kv);

/// Bytes of one input of a product whose weights are in a format: no wider than that asks for.
double input_bytes(Precision weights);
/// The product with n columns of k weights in a format.
Gemm product_of(const GemmFigures& figures, Precision weights, std::int64_t n, std::int64_t k);

}  // namespace tokenyard::platforms
