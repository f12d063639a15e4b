#pragma once
/// Fits the figures of platforms/cost/attention.hpp to measured kernels, then their table of measured over modelled
/// time (residual_fit.hpp); how, and what is held out, as gemm_fit.hpp (here one configuration of batch, heads and KV
/// heads in five, compared with a table made without it).
///
/// The kernels of these tables are launched one by one. What that takes is fitted, too, and goes no further. How
/// prompts are divided into tiles is what misses a table least; whether writing the cache was timed with them, too (in
/// vLLM 0.14 it was part of the kernel's call, later not of all), shows in what remains with the table. So does whether
/// decoding never divides contexts whose heads share no cached one (FlashAttention-2 on A100): those rows then have a
/// table of their own.
///
/// Tables in the format of aiconfigurator: generation_attention (batch_size, num_heads, num_key_value_heads, head_dim,
/// step = context - 1, latency in ms) and context_attention (isl in place of step; nothing cached before).

#include <filesystem>
#include <string_view>
#include <vector>

#include "analysis/measured/fit_error.hpp"
#include "platforms/cost/attention.hpp"

namespace tokenyard::analysis {

struct AttentionSample {
  std::int64_t batch = 0, heads = 0, kv_heads = 0, head_dim = 0;
  std::int64_t tokens = 0;  ///< of context (decode) or of each prompt (prefill)
  double kv_bytes = 2;      ///< of one element
  double seconds = 0;
};

struct AttentionFit {
  platforms::AttentionFigures figures;  ///< only those of the fitted side are of use
  double error = 0;                     ///< of the figures alone: mean |log(modelled / measured)|, each up to 0.5
  platforms::KernelResidual residual;   ///< of all samples, but
  platforms::KernelResidual undivided;  ///< those of heads that share no cached one, where nothing divides contexts
  bool divides = false;                 ///< such samples are there, and as any other
  FitError fitted, held_out;
};

/// What serving meets: contexts up to 32,768, batches up to 512, full attention.
std::vector<AttentionSample> read_decode_attention(const std::filesystem::path& path, std::string_view kv_format);
std::vector<AttentionSample> read_prefill_attention(const std::filesystem::path& path, std::string_view kv_format);

/// One kernel of a whole batch, as the tables have it.
double decode_seconds(const platforms::AttentionFigures& figures, const AttentionSample& sample);
double prefill_seconds(const platforms::AttentionFigures& figures, const AttentionSample& sample);

/// What is fitted beside a kernel's launch and the time to write the cache. `kTableAlone` leaves shares and tiles as they
/// are known: for a further format of the KV.
enum class Fitted : std::uint8_t { kFiguresAndTable, kTableAlone };

AttentionFit fit_decode_attention(const std::vector<AttentionSample>& samples, const platforms::AttentionFigures& known,
                                  Fitted fitted);
AttentionFit fit_prefill_attention(const std::vector<AttentionSample>& samples,
                                   const platforms::AttentionFigures& known, Fitted fitted);

}  // namespace tokenyard::analysis
