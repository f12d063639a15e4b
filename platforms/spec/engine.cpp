#include "platforms/spec/engine.hpp"

#include <algorithm>

#include "platforms/spec/chip.hpp"
#include "platforms/spec/fact.hpp"
#include "sim/input/enum_choice.hpp"

namespace tokenyard::platforms {
namespace {

using sim::NumberRule;
using sim::ObjectReader;

constexpr NumberRule kSeconds = {.fallback = {}, .minimum = 0, .maximum = 100};
constexpr NumberRule kBytes = {.fallback = {}, .minimum = 0, .maximum = 1e15};
constexpr NumberRule kPart = {.fallback = {}, .minimum = 0, .maximum = 1};
constexpr NumberRule kShare = {.fallback = {}, .minimum = 0, .maximum = 1, .exclusive = true};

constexpr NumberRule count_up_to(double most) { return {.fallback = {}, .minimum = 1, .maximum = most}; }

bool are_of(const std::vector<std::string>& vendors, const Chip& chip) {
  return std::find(vendors.begin(), vendors.end(), chip.vendor) != vendors.end();
}

void read_arguments(ObjectReader& at, EngineDefaults& engine) {
  engine.max_num_seqs = required_count(at, "max_num_seqs", count_up_to(1e6));
  engine.max_num_batched_tokens = required_count(at, "max_num_batched_tokens", count_up_to(1e7));
  engine.block_size = required_count(at, "block_size", count_up_to(4096));
  engine.gpu_memory_utilization = required_fact(at, "gpu_memory_utilization", kShare);
  engine.enable_chunked_prefill = flag_fact(at, "enable_chunked_prefill", true);
  engine.enable_prefix_caching = flag_fact(at, "enable_prefix_caching", true);
  engine.host.asynchronous = flag_fact(at, "async_scheduling", false);
  engine.scheduler_reserve_full_isl = flag_fact(at, "scheduler_reserve_full_isl", false);
  engine.enable_mixed_chunk = flag_fact(at, "enable_mixed_chunk", true);
  engine.max_model_len = optional_count(at, "max_model_len", count_up_to(1e7));
  engine.static_shapes = flag_fact(at, "static_shapes", false);
}

EngineDefaults::SmallChips read_small_chips(ObjectReader& at) {
  EngineDefaults::SmallChips small;
  small.below_bytes = required_fact(at, "below_bytes", kBytes);
  small.also = at.strings("also");
  small.max_num_batched_tokens = required_count(at, "max_num_batched_tokens", count_up_to(1e7));
  return small;
}

EngineDefaults::Buckets read_buckets(ObjectReader& at) {
  EngineDefaults::Buckets buckets;
  buckets.vendors = at.strings("vendors");
  if (buckets.vendors.empty()) at.fault("vendors", "nobody", "the vendors on whose chips it does so");
  const auto power_of_two = [&](const char* key) {
    const std::int64_t tokens = required_count(at, key, count_up_to(1e6));
    if (tokens != bucket_of(tokens, 1)) at.fault(key, std::to_string(tokens), "a power of two");
    return tokens;
  };
  buckets.smallest = {power_of_two("decoding"), power_of_two("prompts")};
  return buckets;
}

EngineDefaults::Padding read_padding(ObjectReader& at) {
  EngineDefaults::Padding padding;
  padding.chips = at.strings("chips");
  if (padding.chips.empty()) at.fault("chips", "none", "the chips on which it does so");
  padding.weights = sim::enum_choice<Precision>(at, "weights", kPrecisionNames);
  padding.below_slices = optional_count(at, "below_slices", count_up_to(1e6)).value_or(0);
  padding.experts = {required_fact(at, "rows", count_up_to(1e6)), required_fact(at, "share", kShare)};
  return padding;
}

OutputReserve read_output_reserve(ObjectReader& at) {
  const OutputReserve reserve{required_fact(at, "start", kPart), required_fact(at, "least", kPart),
                              required_count(at, "steps", count_up_to(1e6)),
                              required_count(at, "most", count_up_to(1e9))};
  if (reserve.least > reserve.start) at.fault("least", "more than start", "at most start");
  return reserve;
}

void read_host(ObjectReader& at, EngineDefaults::Host& host) {
  host.step_s = required_fact(at, "step_s", kSeconds);
  host.sequence_s = required_fact(at, "sequence_s", kSeconds);
  host.prefill_step_s = optional_fact(at, "prefill_step_s", kSeconds).value_or(0);
  host.layer_s = optional_fact(at, "layer_s", kSeconds).value_or(0);
  host.expert_layer_s = optional_fact(at, "expert_layer_s", kSeconds).value_or(host.layer_s);
  host.prompt_token_s = optional_fact(at, "prompt_token_s", kSeconds).value_or(0);
}

}  // namespace

bool EngineDefaults::runs_on(const Chip& chip) const {
  return vendors.empty() || chip.vendor.empty() || are_of(vendors, chip);
}

std::int64_t EngineDefaults::budget_on(const Chip& chip) const {
  if (!small_chips) return max_num_batched_tokens;
  const bool small = chip.memory_bytes.value_or(0) < small_chips->below_bytes || chip.is_among(small_chips->also);
  return small ? small_chips->max_num_batched_tokens : max_num_batched_tokens;
}

TokenBuckets EngineDefaults::buckets_on(const Chip& chip) const {
  return buckets && are_of(buckets->vendors, chip) ? buckets->smallest : TokenBuckets{};
}

PaddedExperts EngineDefaults::padded_experts_on(const Chip& chip, Precision weights, std::int64_t slices) const {
  if (!padded_experts || weights != padded_experts->weights || !chip.is_among(padded_experts->chips)) return {};
  const bool few_slices = padded_experts->below_slices == 0 || slices < padded_experts->below_slices;
  return few_slices ? padded_experts->experts : PaddedExperts{};
}

EngineDefaults EngineDefaults::read(ObjectReader& reader) {
  EngineDefaults engine;
  engine.name = reader.string("name");
  for (const char* key : {"title", "note"}) reader.string(key, "");  // the entry itself shows them
  engine.vendors = reader.strings("vendors");
  reader.object(
      "arguments", [&](ObjectReader& at) { read_arguments(at, engine); }, true);
  reader.object("small_chips", [&](ObjectReader& at) { engine.small_chips = read_small_chips(at); });
  reader.object("buckets", [&](ObjectReader& at) { engine.buckets = read_buckets(at); });
  reader.object("padded_experts", [&](ObjectReader& at) { engine.padded_experts = read_padding(at); });
  reader.object("new_token_ratio", [&](ObjectReader& at) { engine.output_reserve = read_output_reserve(at); });
  reader.object("host", [&](ObjectReader& at) { read_host(at, engine.host); });
  engine.reserved_bytes = optional_fact(reader, "reserved_bytes", kBytes).value_or(0);
  return engine;
}

}  // namespace tokenyard::platforms
