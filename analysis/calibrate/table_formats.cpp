#include "analysis/calibrate/table_formats.hpp"

namespace tokenyard::analysis {

using platforms::Precision;

std::string_view table_format(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return "bfloat16";
    case Precision::kFp4:
      return "nvfp4";
    default:
      return platforms::name_of(precision);
  }
}

std::vector<std::string_view> expert_formats(Precision precision) {
  switch (precision) {
    case Precision::kFp8:
      return {kBlockScaled, kTensorScaled};
    case Precision::kFp4:
      return {"nvfp4", "w4a16_mxfp4", "int4_wo"};
    default:
      return {table_format(precision)};
  }
}

std::optional<Precision> latent_weights(std::string_view gemm_type) {
  if (gemm_type == "bfloat16") return Precision::kBf16;
  if (gemm_type == kTensorScaled || gemm_type == kBlockScaled) return Precision::kFp8;
  if (gemm_type == "nvfp4") return Precision::kFp4;
  return std::nullopt;
}

}  // namespace tokenyard::analysis
