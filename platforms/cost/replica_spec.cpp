#include "platforms/cost/replica_spec.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace tokenyard::platforms {

void serve_with(const EngineDefaults& engine, ReplicaSpec& spec) {
  spec.host = engine.host;
  spec.buckets = engine.buckets_on(*spec.chip);
  spec.padded_experts = engine.padded_experts_on(*spec.chip, spec.weights, spec.parallelism.expert_slices());
}

std::vector<std::string> missing_numbers(const ReplicaSpec& spec) {
  std::vector<std::string> missing;
  for (const std::string& key : spec.chip->missing(spec.weights, spec.parallelism.chips())) {
    missing.push_back(fmt::format("chip {}: {}", spec.chip->name, key));
  }
  if (spec.span.crosses(spec.parallelism.chips()) && spec.span.bytes_per_s <= 0) {
    missing.push_back(fmt::format(
        "chip {}: scale_out_bytes_per_s, which a replica on several nodes needs (or the fabric's bytes_per_s),",
        spec.chip->name));
  }
  for (const std::string& key : spec.model->missing())
    missing.push_back(fmt::format("model {}: {}", spec.model->name, key));
  if (spec.speculation.drafter != nullptr) {
    for (const std::string& key : spec.speculation.drafter->missing())
      missing.push_back(fmt::format("model {}: {}", spec.speculation.drafter->name, key));
  }
  return missing;
}

double kv_divisor(const ModelArchitecture& model, std::int64_t tp) {
  return model.mla ? 1 : static_cast<double>(std::min(tp, model.full_kv_heads));
}

double kv_bytes_per_token_per_chip(const ReplicaSpec& spec) {
  const auto of = [&](const ModelArchitecture& model) {
    return model.kv_bytes_per_token(spec.kv) /
           (kv_divisor(model, spec.parallelism.tp) * static_cast<double>(spec.parallelism.pp));
  };
  return of(*spec.model) + (spec.speculation.drafter != nullptr ? of(*spec.speculation.drafter) : 0);
}

BoundedKv bounded_kv(const ReplicaSpec& spec) {
  const ModelArchitecture& model = *spec.model;
  const double of_token = model.kv_bytes_per_token(spec.kv) / kv_divisor(model, spec.parallelism.tp);
  if (of_token <= 0) return {};
  const auto tp = static_cast<double>(spec.parallelism.tp);
  const double of_heads = model.mla ? 1 : std::min(tp, static_cast<double>(model.kv_heads));
  return {.of_window_token = model.sliding_kv_bytes_per_token(spec.kv) / of_heads / of_token,
          .window = model.window,
          .state = model.linear_state_bytes() / tp / of_token};
}

double weight_bytes_per_chip(const ReplicaSpec& spec) {
  const Parallelism& p = spec.parallelism;
  const auto of = [&](const ModelArchitecture& model) {
    const ModelArchitecture::Parameters all = model.parameters();
    const double experts = all.experts * bytes_per_weight(spec.weights);
    const double whole = model.undivided_parameters() * bytes_per_weight(spec.weights) +
                         (all.router + all.norms) * bytes_per_weight(Precision::kBf16);
    const double rest = model.weight_bytes(spec.weights) - experts - whole;
    return (rest / static_cast<double>(p.tp) + whole) / static_cast<double>(p.pp) +
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
