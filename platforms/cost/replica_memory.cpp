#include "platforms/cost/replica_memory.hpp"

#include <algorithm>

namespace tokenyard::platforms {

double kv_divisor(const ModelArchitecture& model, std::int64_t tp) {
  return model.mla ? 1 : static_cast<double>(std::min(tp, model.full_kv_heads));
}

double kv_bytes_per_token_per_chip(const ReplicaSpec& spec) {
  const auto of = [&](const ModelArchitecture& model) {
    return model.kv_bytes_per_token(spec.kv) /
           (kv_divisor(model, spec.parallelism.tp) * static_cast<double>(spec.parallelism.pp));
  };
  const double bytes = of(*spec.model) + (spec.speculation.drafter != nullptr ? of(*spec.speculation.drafter) : 0);
  constexpr double kOfNothing = 1024;
  return bytes > 0 ? bytes : kOfNothing;
}

BoundedKv bounded_kv(const ReplicaSpec& spec) {
  const auto tp = static_cast<double>(spec.parallelism.tp);
  const double of_token = kv_bytes_per_token_per_chip(spec) * static_cast<double>(spec.parallelism.pp);
  BoundedKv bounded;
  double windows = 0;  // full ones, of the model and its drafter
  const auto add = [&](const ModelArchitecture& model) {
    const double of_heads = model.mla ? 1 : std::min(tp, static_cast<double>(model.kv_heads));
    windows += static_cast<double>(model.window) * model.sliding_kv_bytes_per_token(spec.kv) / of_heads / of_token;
    bounded.window = std::max(bounded.window, model.window);
    bounded.state += model.linear_state_bytes() / tp / of_token;
  };
  add(*spec.model);
  if (spec.speculation.drafter != nullptr) add(*spec.speculation.drafter);
  if (bounded.window > 0) bounded.of_window_token = windows / static_cast<double>(bounded.window);
  return bounded;
}

double weight_bytes_per_chip(const ReplicaSpec& spec) {
  const Parallelism& p = spec.parallelism;
  const auto of = [&](const ModelArchitecture& model) {
    const ModelArchitecture::Parameters all = model.parameters();
    const double experts = all.experts * bytes_per_weight(spec.weights);
    const double whole = model.undivided_parameters() * bytes_per_weight(spec.weights) +
                         (all.router + all.norms) * bytes_per_weight(Precision::kBf16);
    const double rest = model.weight_bytes(spec.weights) - experts - whole;
    const auto copied = [&](std::int64_t layers, std::int64_t kv_heads, std::int64_t width) {
      const auto holders = static_cast<double>(std::max<std::int64_t>(1, std::min(p.tp, kv_heads)));
      return 2 * static_cast<double>(layers * model.hidden * kv_heads * width) *
             (1 / holders - 1 / static_cast<double>(p.tp));
    };
    const double copies = model.mla ? 0
                                    : copied(model.full_layers, model.full_kv_heads, model.full_head_dim) +
                                          copied(model.sliding_layers, model.kv_heads, model.head_dim.value_or(0));
    return (rest / static_cast<double>(p.tp) + whole + copies * bytes_per_weight(spec.weights)) /
               static_cast<double>(p.pp) +
           experts / static_cast<double>(p.chips());
  };
  double bytes = of(*spec.model);
  if (const ModelArchitecture* drafter = spec.speculation.drafter.get()) {
    bytes += of(*drafter);
    if (spec.speculation.shares_vocabulary) {
      const auto d = static_cast<double>(drafter->hidden);
      const double vocabulary = drafter->parameters().embedding + drafter->parameters().lm_head;
      bytes += bytes_per_weight(Precision::kBf16) * (2 * d * d - vocabulary / static_cast<double>(p.tp * p.pp));
    }
  }
  return bytes;
}

double kv_capacity_tokens(const ReplicaSpec& spec, double memory_utilization, double reserved_bytes) {
  const double room = *spec.chip->memory_bytes * memory_utilization - weight_bytes_per_chip(spec) - reserved_bytes;
  return room / kv_bytes_per_token_per_chip(spec);
}

}  // namespace tokenyard::platforms
