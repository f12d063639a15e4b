#include "platforms/spec/attention_kernels.hpp"

#include "platforms/spec/fact.hpp"

namespace tokenyard::platforms {
namespace {

constexpr sim::NumberRule kNotNegative{.minimum = 0}, kPart{.minimum = 0, .maximum = 1}, kAtLeastOne{.minimum = 1};

}  // namespace

AttentionKernels AttentionKernels::read(sim::ObjectReader& reader) {
  AttentionKernels kernels;
  const auto take = [&](const char* key, double& value, const sim::NumberRule& rule) {
    value = optional_fact(reader, key, rule).value_or(value);
  };
  const auto take_count = [&](const char* key, double& value) {
    if (const auto count = optional_count(reader, key, kAtLeastOne)) value = static_cast<double>(*count);
  };
  take_count("attention_prefill_tile_rows", kernels.prefill_tile_rows);
  take_count("attention_prefill_tile_heads", kernels.prefill_tile_heads);
  kernels.prefill_tile_s = optional_fact(reader, "attention_prefill_tile_s", kNotNegative);
  take("attention_prefill_wait", kernels.prefill_wait, kNotNegative);
  kernels.decode_tile_s = optional_fact(reader, "attention_decode_tile_s", kNotNegative);
  take("attention_decode_skew", kernels.decode_skew, kPart);
  take("attention_decode_key_s", kernels.decode_key_s, kNotNegative);
  take("attention_decode_split_below", kernels.decode_split_below, kNotNegative);
  return kernels;
}

}  // namespace tokenyard::platforms
