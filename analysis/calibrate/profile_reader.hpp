#pragma once
/// Reads kernel profiles in the format of LLMServingSim's profiler into platforms/spec/kernel_profile.hpp.
///
/// PREFIX_dense (layer, tokens, time_us), PREFIX_per_sequence (layer, sequences, time_us), PREFIX_attention
/// (prefill_chunk, kv_prefill, n_decode, kv_decode, time_us) and, for experts, PREFIX_moe (tokens, activated_experts,
/// time_us); each .csv or .csv.xz. One layer was profiled: `embedding` and `final_layernorm` run once a step,
/// `layernorm` twice a layer, the rest once.

#include <filesystem>
#include <string>

#include "platforms/spec/kernel_profile.hpp"

namespace tokenyard::analysis {

platforms::KernelProfile read_kernel_profile(const std::filesystem::path& folder, const std::string& prefix);

}  // namespace tokenyard::analysis
