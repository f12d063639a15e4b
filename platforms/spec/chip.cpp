#include "platforms/spec/chip.hpp"

#include <algorithm>
#include <limits>

namespace tokenyard::platforms {

bool Chip::is_assumed(std::string_view key) const {
  return std::find(assumed.begin(), assumed.end(), key) != assumed.end();
}

const KernelProfile* Chip::profile(std::string_view model, std::int64_t tp, Precision weights, Precision kv) const {
  for (const Profile& profile : kernel_profiles) {
    if (profile.model == model && profile.tp == tp && profile.weights == weights && profile.kv == kv)
      return profile.kernels.get();
  }
  return nullptr;
}

std::optional<Precision> Chip::compute_precision(Precision weights) const {
  auto first_of = [&](std::initializer_list<Precision> candidates) -> std::optional<Precision> {
    for (Precision candidate : candidates) {
      if (peak_flops_per_s[candidate]) return candidate;
    }
    return std::nullopt;
  };
  switch (weights) {
    case Precision::kBf16:
      return first_of({Precision::kBf16});
    case Precision::kFp8:
      return first_of({Precision::kFp8, Precision::kBf16});
    case Precision::kFp4:
      return first_of({Precision::kFp4, Precision::kBf16, Precision::kFp8});
    case Precision::kInt8:
      return first_of({Precision::kInt8, Precision::kBf16});
  }
  return std::nullopt;
}

std::vector<std::string> Chip::missing(Precision weights, std::int64_t chips) const {
  std::vector<std::string> keys;
  auto need = [&keys](bool there, const std::string& key) {
    if (!there) keys.push_back(key);
  };
  need(memory_bytes.has_value(), "memory_bytes");
  need(memory_bytes_per_s.has_value(), "memory_bytes_per_s");
  std::optional<Precision> compute = compute_precision(weights);
  need(compute.has_value(), "peak_flops_per_s/" + std::string(name_of(weights)));
  if (compute) {
    need(efficiency.gemm_compute[*compute].has_value(), "efficiency/gemm_compute/" + std::string(name_of(*compute)));
  }
  need(efficiency.gemm_memory.has_value(), "efficiency/gemm_memory");
  need(efficiency.attention_prefill.has_value(), "efficiency/attention_prefill");
  need(efficiency.attention_decode.has_value(), "efficiency/attention_decode");
  if (chips > 1) {
    need(scale_up.bytes_per_s.has_value(), "scale_up/bytes_per_s");
    need(scale_up.domain_chips.has_value(), "scale_up/domain_chips");
    need(!collectives.by_chips.empty() || collectives.link_efficiency.has_value(), "all_reduce/link_efficiency");
    need(!collectives.by_chips.empty() || collectives.alpha_s.has_value(), "all_reduce/alpha_s");
  }
  return keys;
}

bool Chip::is_among(const std::vector<std::string>& names) const {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return n == name || n == base; });
}

const ExpertKernels* Chip::experts(Precision weights, Fp8Scales scales) const {
  if (weights == Precision::kFp8 && scales == Fp8Scales::kTensor && efficiency.experts_fp8_tensor)
    return &*efficiency.experts_fp8_tensor;
  for (const Precision format : {weights, compute_precision(weights).value_or(weights), Precision::kBf16}) {
    const std::optional<ExpertKernels>& fitted = efficiency.experts[format];
    if (fitted) return &*fitted;
  }
  return nullptr;
}

std::optional<StepPower> Chip::step_power(Precision weights) const {
  auto precision = compute_precision(weights);
  if (precision != weights && peak_flops_per_s[Precision::kBf16]) precision = Precision::kBf16;
  if (!power.active_w || !power.compute_w || !power.memory_w || !memory_bytes_per_s || !precision) return std::nullopt;
  const double flop_j = *power.compute_w / *peak_flops_per_s[*precision];
  return StepPower{.active_w = *power.active_w,
                   .waiting_w = power.waiting_w.value_or(*power.active_w),
                   .flop_j = flop_j,
                   .byte_j = *power.memory_w / *memory_bytes_per_s,
                   .weight_j = power.unpack_flop.value_or(0) * flop_j,
                   .limit_w = power.tdp_w.value_or(std::numeric_limits<double>::infinity())};
}

std::optional<double> Chip::joules(Precision weights, const StepWork& work) const {
  const std::optional<StepPower> step = step_power(weights);
  if (!step) return std::nullopt;
  return step->limited() ? std::min(step->unlimited_joules(work), step->limit_w * work.busy_s)
                         : step->unlimited_joules(work);
}

}  // namespace tokenyard::platforms
