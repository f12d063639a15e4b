#pragma once
/// Names that aiconfigurator's tables have for number formats.

#include <optional>
#include <string_view>
#include <vector>

#include "platforms/spec/precision.hpp"

namespace tokenyard::analysis {

/// Of products, and of KV caches.
std::string_view table_format(platforms::Precision precision);
/// 8 bits, by what shares a scale.
inline constexpr std::string_view kBlockScaled = "fp8_block", kTensorScaled = "fp8";
/// Of layers of experts, the best known first.
std::vector<std::string_view> expert_formats(platforms::Precision precision);
/// The weights of a module of latent attention by its gemm_type; nothing if it is another.
std::optional<platforms::Precision> latent_weights(std::string_view gemm_type);

}  // namespace tokenyard::analysis
