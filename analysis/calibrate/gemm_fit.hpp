#pragma once
/// Fits the figures of platforms/cost/gemm.hpp to measured products.
///
/// Least mean |log(modelled / measured)|, each row's capped at 0.5 so that throttled and odd kernels do not bend the
/// rest. One shape (n, k) in five is held out, chosen by a hash of the shape: the error on them is the one to quote.

#include <filesystem>
#include <string_view>
#include <vector>

#include "analysis/measured/fit_error.hpp"
#include "platforms/cost/gemm.hpp"

namespace tokenyard::analysis {

struct GemmSample {
  std::int64_t m = 0, n = 0, k = 0;
  double seconds = 0;
};

struct GemmFit {
  platforms::GemmFigures figures;
  double quantise_s = 0;  ///< to launch the kernel that quantises the inputs, which tables of less than 16 bits include
  FitError fitted, held_out;
};

/// Rows of one number format ("bfloat16", "fp8") of a table in the format of aiconfigurator: m, n, k, latency in ms.
/// Products with a side below 512 are left out: no layer of a served model is as small.
std::vector<GemmSample> read_gemm_samples(const std::filesystem::path& path, std::string_view format);

/// A product and, where its inputs have less than 16 bits, the kernel before it.
double gemm_seconds(const GemmFit& fit, const GemmSample& sample, double weight_bytes, double input_bytes);

/// Peak, bandwidth and units of `known` stay; the rest is fitted: of inputs of less than 16 bits the share of the peak,
/// tiles, splitting and the kernel that quantises; what else a shape costs stays what 16-bit products say.
GemmFit fit_gemm(const std::vector<GemmSample>& samples, const platforms::GemmFigures& known, double weight_bytes,
                 double input_bytes);

}  // namespace tokenyard::analysis
