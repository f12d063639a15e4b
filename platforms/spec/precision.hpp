#pragma once
/// Number formats of weights, KV cache and arithmetic, as a scenario names them.
///
///   bytes_per_weight(Precision::kFp4) == 0.53125   // MXFP4: 4 bits and an 8-bit scale per 32 weights

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/enum_array.hpp"

namespace tokenyard::platforms {

enum class Precision : std::uint8_t { kBf16, kFp8, kFp4, kInt8 };

inline constexpr std::array<Precision, 4> kPrecisions = {Precision::kBf16, Precision::kFp8, Precision::kFp4,
                                                         Precision::kInt8};
inline constexpr std::array<std::string_view, 4> kPrecisionNames = {"bf16", "fp8", "fp4", "int8"};

constexpr std::string_view name_of(Precision precision) { return kPrecisionNames[static_cast<std::size_t>(precision)]; }

constexpr std::optional<Precision> precision_from_name(std::string_view name) {
  for (Precision precision : kPrecisions) {
    if (name_of(precision) == name) return precision;
  }
  return std::nullopt;
}

/// How many weights of an 8-bit matrix share a scale: a block of 128 x 128, as DeepSeek and Qwen publish theirs, or all,
/// or all of a row. Kernels that change scales on the way through a product take longer.
enum class Fp8Scales : std::uint8_t { kBlock, kTensor };
inline constexpr std::array<std::string_view, 2> kFp8ScalesNames = {"block", "tensor"};

/// The names, for sim::ObjectReader::choice.
inline std::vector<std::string> precision_names() { return {kPrecisionNames.begin(), kPrecisionNames.end()}; }

/// One element of a KV cache or an activation.
constexpr double bytes_per_element(Precision precision) {
  constexpr std::array<double, 4> kBytes = {2.0, 1.0, 0.5, 1.0};
  return kBytes[static_cast<std::size_t>(precision)];
}

/// One weight in memory, with the scales of its block (OCP Microscaling 1.0, 2023-09: one byte per 32 elements). The
/// scales of fp8 and int8 are one per channel or 128x128 tile: under 0.1 %, not counted.
constexpr double bytes_per_weight(Precision precision) {
  return precision == Precision::kFp4 ? 0.5 + 1.0 / 32 : bytes_per_element(precision);
}

constexpr std::size_t enum_size(Precision) { return kPrecisions.size(); }
/// A value for each.
template <typename T>
using PerPrecision = sim::EnumArray<Precision, T>;

}  // namespace tokenyard::platforms
