/// A chip as its entry in the catalogue says it.

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "platforms/spec/chip.hpp"
#include "platforms/spec/fact.hpp"
#include "sim/input/enum_choice.hpp"

namespace tokenyard::platforms {

namespace {

using sim::NumberRule;
using sim::ObjectReader;

// What is read and not kept is only checked: no model needs it, the entry itself shows it to whoever asks.

constexpr NumberRule kPositive = {.fallback = {}, .minimum = 0, .exclusive = true};
constexpr NumberRule kNotNegative = {.fallback = {}, .minimum = 0};
constexpr double kMostWatts = 1e6;
constexpr NumberRule kWatts = {.fallback = {}, .minimum = 0, .maximum = kMostWatts};
constexpr NumberRule kOperations = {.fallback = {}, .minimum = 0, .maximum = 1e6};
constexpr NumberRule kSomeWatts = {.fallback = {}, .minimum = 0, .maximum = kMostWatts, .exclusive = true};
constexpr NumberRule kAtLeastOne = {.fallback = {}, .minimum = 1};
constexpr NumberRule kShare = {.fallback = {}, .minimum = 0, .maximum = 1, .exclusive = true};

PerPrecision<std::optional<double>> read_per_precision(ObjectReader& reader, std::string_view key,
                                                       const NumberRule& rule) {
  PerPrecision<std::optional<double>> result;
  reader.object(key, [&](ObjectReader& at) {
    for (Precision precision : kPrecisions) result[precision] = optional_fact(at, name_of(precision), rule);
  });
  return result;
}

/// An object for each precision that has one.
template <typename Entry, typename Read>
void read_entries(ObjectReader& by_format, PerPrecision<Entry>& entries, const Read& read) {
  for (const Precision precision : kPrecisions)
    by_format.object(name_of(precision), [&](ObjectReader& entry) { entries[precision] = read(entry); });
}

template <typename Entry, typename Read>
void read_by_precision(ObjectReader& reader, std::string_view key, PerPrecision<Entry>& entries, const Read& read) {
  reader.object(key, [&](ObjectReader& by_format) { read_entries(by_format, entries, read); });
}

ScaleUp read_scale_up(ObjectReader& reader) {
  ScaleUp result;
  reader.object("scale_up", [&](ObjectReader& at) {
    result.topology = sim::enum_choice<ScaleUpTopology>(at, "topology", kScaleUpTopologyNames);
    result.bytes_per_s = optional_fact(at, "bytes_per_s", kPositive);
    result.domain_chips = optional_count(at, "domain_chips", kAtLeastOne);
    result.shape = optional_counts(at, "shape");
    result.ring_every = optional_count(at, "ring_every", kAtLeastOne);
    const auto dimensions = static_cast<std::size_t>(result.torus_dimensions());
    if (!result.shape.empty() && result.shape.size() != dimensions) {
      at.fault("shape", std::to_string(result.shape.size()) + " dimensions",
               std::to_string(dimensions) + " of them, as the topology says");
    }
  });
  return result;
}

void read_residuals(ObjectReader& reader, const char* key, const ResidualAxes& axes,
                    PerPrecision<KernelResidual>& tables) {
  read_by_precision(reader, key, tables, [&](ObjectReader& table) { return KernelResidual::read(table, axes); });
}

Chip::Efficiency read_efficiency(ObjectReader& reader) {
  Chip::Efficiency result;
  reader.object("efficiency", [&](ObjectReader& at) {
    result.gemm_compute = read_per_precision(at, "gemm_compute", kShare);
    result.sustained = read_per_precision(at, "sustained", kShare);
    result.gemm_memory = optional_fact(at, "gemm_memory", kShare);
    at.object("experts", [&](ObjectReader& by_format) {
      read_entries(by_format, result.experts, ExpertKernels::read);
      by_format.object("fp8_tensor", [&](ObjectReader& e) { result.experts_fp8_tensor = ExpertKernels::read(e); });
    });
    read_residuals(at, "attention_prefill_residual", kPrefillAxes, result.attention_prefill_residual);
    read_residuals(at, "attention_decode_residual", kDecodeAxes, result.attention_decode_residual);
    read_residuals(at, "attention_undivided_residual", kDecodeAxes, result.attention_undivided_residual);
    read_residuals(at, "latent_decode_residual", kLatentAxes, result.latent_decode_residual);
    result.attention_prefill = optional_fact(at, "attention_prefill", kShare);
    result.attention_decode = optional_fact(at, "attention_decode", kShare);
    result.launch_s = optional_fact(at, "launch_s", kNotNegative);
    result.gemm = GemmKernels::read(at);
    read_by_precision(at, "gemm_formats", result.gemm_formats, GemmFormat::read);
    result.attention = AttentionKernels::read(at);
    result.attention_write_s = read_per_precision(at, "attention_write_s", kNotNegative);
  });
  return result;
}

Chip::Collectives read_collectives(ObjectReader& reader) {
  Chip::Collectives result;
  reader.object("all_reduce", [&](ObjectReader& at) {
    result.link_efficiency = optional_fact(at, "link_efficiency", kShare);
    result.alpha_s = optional_fact(at, "alpha_s", kNotNegative);
    at.members("by_chips", [&](const std::string& name, ObjectReader& row) {
      Chip::AllReduce entry;
      const char* end = name.data() + name.size();
      auto [rest, error] = std::from_chars(name.data(), end, entry.chips);
      if (error != std::errc() || rest != end || entry.chips < 2) {
        row.fault("", "\"" + name + "\"", "a number of chips of at least 2 as the key");
      }
      read_provenance(row, false);
      const auto alpha_s = optional_fact(row, "alpha_s", kNotNegative);
      const auto bytes_per_s = optional_fact(row, "bytes_per_s", kPositive);
      if (row.raw("value") == nullptr && alpha_s && bytes_per_s) {
        constexpr double kBytes = 1e9;
        const auto n = static_cast<double>(entry.chips);
        entry.seconds.add(0, *alpha_s);
        entry.seconds.add(kBytes, *alpha_s + 2 * (n - 1) / n * kBytes / *bytes_per_s);
      } else {
        entry.seconds = ProfileCurve::read(row, "value");
      }
      result.by_chips.push_back(std::move(entry));
    });
  });
  std::sort(result.by_chips.begin(), result.by_chips.end(),
            [](const Chip::AllReduce& a, const Chip::AllReduce& b) { return a.chips < b.chips; });
  return result;
}

Chip::Power read_power(ObjectReader& reader) {
  Chip::Power result;
  reader.object("power", [&](ObjectReader& at) {
    result.tdp_w = optional_fact(at, "tdp_w", kSomeWatts);
    result.idle_w = optional_fact(at, "idle_w", kWatts);
    result.held_w = optional_fact(at, "held_w", kWatts);
    result.waiting_w = optional_fact(at, "waiting_w", kWatts);
    result.active_w = optional_fact(at, "active_w", kWatts);
    result.compute_w = optional_fact(at, "compute_w", kWatts);
    result.memory_w = optional_fact(at, "memory_w", kWatts);
    result.unpack_flop = optional_fact(at, "unpack_flop", kOperations);
    optional_fact(at, "allin_w", kSomeWatts);  // with its share of host, network and cooling
    const auto at_most_tdp = [&](const char* key, const std::optional<double>& watts) {
      if (result.tdp_w && watts && *watts > *result.tdp_w) at.fault(key, "more than tdp_w", "at most tdp_w");
    };
    at_most_tdp("idle_w", result.idle_w);
    at_most_tdp("held_w", result.held_w);
    if (!result.held_w) result.held_w = result.idle_w;
    if (result.idle_w && *result.held_w >= 0 && *result.held_w < *result.idle_w)
      at.fault("held_w", "less than idle_w", "at least idle_w");
  });
  return result;
}

Chip::Price read_price(ObjectReader& reader) {
  Chip::Price result;
  reader.object("price", [&](ObjectReader& at) {
    result.usd_per_hour = optional_fact(at, "usd_per_hour", kNotNegative);
    for (const char* key :
         {"rental_3yr_usd_per_hour", "owned_usd_per_hour", "on_demand_low_usd_per_hour", "on_demand_high_usd_per_hour"})
      optional_fact(at, key, kNotNegative);
    result.unit_low_usd = optional_fact(at, "unit_low_usd", kNotNegative);
    result.unit_high_usd = optional_fact(at, "unit_high_usd", kNotNegative);
  });
  return result;
}

/// How many there are.
void check_supply(ObjectReader& reader) {
  reader.object("supply", [](ObjectReader& at) {
    for (const char* key : {"made", "made_low", "made_high"}) optional_fact(at, key, kNotNegative);
  });
}

std::vector<Chip::Profile> read_profiles(ObjectReader& reader) {
  std::vector<Chip::Profile> result;
  reader.each("kernel_profiles", [&](ObjectReader& at) {
    for (const char* note : {"source", "date", "note"}) at.string(note, std::string());
    Chip::Profile profile;
    profile.model = at.string("model");
    profile.tp = at.integer("tp", {.fallback = 1, .minimum = 1});
    profile.weights = precision_from_name(at.choice("weights", precision_names(), "bf16")).value_or(Precision::kBf16);
    profile.kv = precision_from_name(at.choice("kv", precision_names(), "bf16")).value_or(Precision::kBf16);
    profile.kernels = std::make_shared<const KernelProfile>(KernelProfile::read(at));
    result.push_back(std::move(profile));
  });
  return result;
}

/// No chip has so little: it was told in another unit. `place`: of the number, a JSON pointer.
void require_base_unit(ObjectReader& reader, const std::string& place, const std::optional<double>& value, double least,
                       const char* unit) {
  if (value && *value > 0 && *value < least)
    reader.faults().add(reader.file(), place, fmt::format("{:g}", *value), unit);
}

}  // namespace

Chip Chip::read(ObjectReader& reader) {
  Chip chip;
  chip.name = reader.string("name");
  chip.vendor = reader.string("vendor", "");
  chip.base = reader.string("base", "");
  for (const char* key : {"title", "launch", "note"}) reader.string(key, "");
  optional_fact(reader, "process_nm", kPositive);
  chip.compute_units = optional_count(reader, "compute_units", kAtLeastOne);
  chip.memory_bytes = optional_fact(reader, "memory_bytes", kPositive);
  require_base_unit(reader, reader.pointer_to("memory_bytes"), chip.memory_bytes, 1e7, "bytes: 80 GB are 8e10");
  chip.memory_bytes_per_s = optional_fact(reader, "memory_bytes_per_s", kPositive);
  require_base_unit(reader, reader.pointer_to("memory_bytes_per_s"), chip.memory_bytes_per_s, 1e9,
                    "bytes a second: 3.35 TB/s are 3.35e12");
  chip.peak_flops_per_s = read_per_precision(reader, "peak_flops_per_s", kPositive);
  for (const Precision precision : kPrecisions) {
    require_base_unit(reader, fmt::format("{}/{}", reader.pointer_to("peak_flops_per_s"), name_of(precision)),
                      chip.peak_flops_per_s[precision], 1e9, "operations a second: 989 TFLOP/s are 9.89e14");
  }
  chip.scale_up = read_scale_up(reader);
  chip.scale_out_bytes_per_s = optional_fact(reader, "scale_out_bytes_per_s", kPositive);
  chip.host_bytes_per_s = optional_fact(reader, "host_bytes_per_s", kPositive);
  chip.efficiency = read_efficiency(reader);
  chip.collectives = read_collectives(reader);
  chip.power = read_power(reader);
  chip.price = read_price(reader);
  check_supply(reader);
  chip.kernel_profiles = read_profiles(reader);
  chip.step_time_uncertainty = optional_fact(reader, "step_time_uncertainty", kNotNegative);
  return chip;
}

}  // namespace tokenyard::platforms
