#include "analysis/calibrate/calibrate.hpp"

#include <cmath>
#include <fmt/format.h>

#include "analysis/calibrate/attention_fit.hpp"
#include "analysis/calibrate/collective_table.hpp"
#include "analysis/calibrate/expert_fit.hpp"
#include "analysis/calibrate/gemm_fit.hpp"
#include "analysis/calibrate/latent_fit.hpp"
#include "analysis/calibrate/measured_table.hpp"
#include "analysis/calibrate/power_fit.hpp"
#include "analysis/calibrate/profile_reader.hpp"
#include "platforms/cost/kernel_figures.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

/// How tables of experts name a precision of ours, the best known first.
std::vector<const char*> expert_formats(platforms::Precision precision) {
  switch (precision) {
    case platforms::Precision::kBf16:
      return {"bfloat16"};
    case platforms::Precision::kFp8:
      return {"fp8_block", "fp8"};
    case platforms::Precision::kFp4:
      return {"nvfp4", "w4a16_mxfp4", "int4_wo"};
    case platforms::Precision::kInt8:
      return {"int8"};
  }
  return {};
}

/// Whose layers the tables of MLA measure.
constexpr const char* kLatentModel = "deepseek-v3";

/// Names of the tables for a precision of ours.
std::string format_of(const std::string& precision) {
  return precision == "bf16" ? "bfloat16" : precision == "fp4" ? "nvfp4" : precision;
}

[[noreturn]] void refuse(const CalibrateOptions& options, std::string found, std::string allowed) {
  throw sim::InputError({options.table.string(), "", std::move(found), std::move(allowed)});
}

/// What both ways begin with.
struct Base {
  const platforms::Chip* chip;
  platforms::Precision precision;
  Json entry;
};
Base base_of(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  const platforms::Chip* chip = catalog.find_chip(options.base);
  const Json* raw = catalog.raw(platforms::CatalogKind::kChip, options.base);
  if (chip == nullptr || raw == nullptr)
    throw sim::InputError(
        {"", "--chip", '"' + options.base + '"', catalog.allowed(platforms::CatalogKind::kChip, options.base)});
  const auto precision = platforms::precision_from_name(options.precision);
  if (!precision || !chip->compute_precision(*precision) || !chip->memory_bytes_per_s) {
    throw sim::InputError({"", "--precision", '"' + options.precision + '"',
                           "a number format in which " + options.base + " can hold weights"});
  }
  Json entry = *raw;
  if (!options.name.empty()) entry["name"] = options.name;
  return {chip, *precision, std::move(entry)};
}

/// The measured times themselves.
CalibratedEntry take_all_reduce(const CalibrateOptions& options, const platforms::Chip& chip, Json entry) {
  CollectiveTable measured = read_all_reduce(options.table);
  if (measured.empty()) refuse(options, "no all-reduce of 16-bit numbers", "rows of op_name all_reduce");
  const FitError between = error_between_sizes(measured);
  const std::string stack = options.stack.empty() ? options.table.filename().string() : options.stack;
  Json& by_chips = entry["all_reduce"]["by_chips"];
  CollectiveTable old;
  for (const platforms::Chip::AllReduce& known : chip.collectives.by_chips) old[known.chips] = known.seconds;
  for (const auto& [chips, curve] : options.lower ? lower_of(measured, old) : measured) {
    Json rows = Json::array();
    for (const auto& [bytes, seconds] : curve.points()) rows.push_back({bytes, in_three_digits(seconds)});
    Json& at = by_chips[std::to_string(chips)];
    const std::string earlier = options.lower && at.contains("source") ? at["source"].get<std::string>() + "; " : "";
    at = {{"value", std::move(rows)}, {"source", earlier + "tokenyard calibrate: " + stack}};
  }
  return {std::move(entry), "all-reduces: taken as measured, each size " + between.summary() + " from its neighbours"};
}

}  // namespace

double in_three_digits(double value) {
  if (value == 0) return 0;
  const double scale = std::pow(10, 3 - std::ceil(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

Json expert_entry(const platforms::ExpertKernels& kernels, const std::string& source) {
  Json entry = kernels.to_json();
  for (Json& value : entry["value"]) value = in_three_digits(value);
  if (entry.contains("residual")) {
    for (Json& value : entry["residual"]["value"]) value = in_three_digits(value);
  }
  entry["source"] = source;
  return entry;
}

CalibratedEntry take_profile(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  Base base = base_of(options, catalog);
  if (catalog.find_model(options.model) == nullptr)
    throw sim::InputError(
        {"", "--model", '"' + options.model + '"', catalog.allowed(platforms::CatalogKind::kModel, options.model)});
  const platforms::KernelProfile profile =
      read_kernel_profile(options.table.parent_path(), options.table.filename().string());
  Json entry = {{"model", options.model},
                {"tp", options.tp},
                {"weights", options.precision},
                {"kv", "bf16"},
                {"source", options.stack.empty() ? options.table.filename().string() : options.stack}};
  profile.write(entry);
  Json& profiles = base.entry["kernel_profiles"];
  if (!profiles.is_array()) profiles = Json::array();
  for (std::size_t i = profiles.size(); i-- > 0;) {
    const bool same = profiles[i].value("model", "") == options.model &&
                      profiles[i].value("tp", std::int64_t{1}) == options.tp &&
                      profiles[i].value("weights", "bf16") == options.precision;
    if (same) profiles.erase(i);
  }
  profiles.push_back(std::move(entry));
  return {std::move(base.entry),
          fmt::format("kernels of {} at tensor parallelism {}: taken as measured", options.model, options.tp)};
}

CalibratedEntry calibrate_power(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  Base base = base_of(options, catalog);
  if (!base.chip->power.tdp_w || !base.chip->power.idle_w)
    refuse(options, "watts of " + options.base, "a chip whose entry has power/tdp_w and power/idle_w");
  const EnergyTable table = read_energy_table(options.table, catalog, base.chip);
  if (table.points.empty())
    refuse(options, "no row that can be simulated", "rows of text tasks on models of the catalogue");
  const PowerFit fit = fit_power(table.points, *base.chip);
  const std::string stack = options.stack.empty() ? options.table.filename().string() : options.stack;
  const std::string source =
      fmt::format("tokenyard calibrate: watts of serving, {}; {} leaving one model out", stack, fit.held_out.summary());
  Json& power = base.entry["power"];
  for (const auto& [key, value] :
       {std::pair{"active_w", fit.power.active_w}, std::pair{"compute_w", fit.power.compute_w},
        std::pair{"memory_w", fit.power.memory_w}})
    power[key] = {{"value", in_three_digits(value.value_or(0))}, {"source", source}};
  const double peak = *base.chip->peak_flops_per_s[base.precision];
  return {std::move(base.entry), fmt::format("watts of serving: {} on what was fitted, {} leaving one model out; "
                                             "{:.3g} W while kernels run, {:.3g} pJ a {} operation, {:.3g} pJ a byte",
                                             fit.fitted.summary(), fit.held_out.summary(), *fit.power.active_w,
                                             1e12 * *fit.power.compute_w / peak, options.precision,
                                             1e12 * *fit.power.memory_w / *base.chip->memory_bytes_per_s)};
}

CalibratedEntry calibrate(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  Base base = base_of(options, catalog);
  const platforms::Chip* chip = base.chip;
  const platforms::Precision precision = base.precision;
  CalibratedEntry result;
  result.entry = std::move(base.entry);
  const std::string stack = options.stack.empty() ? options.table.filename().string() : options.stack;
  Json& efficiency = result.entry["efficiency"];
  std::string source;
  const auto put = [&](Json& at, const char* key, double value) {
    at[key] = {{"value", in_three_digits(value)}, {"source", source}};  // its date nobody told us
  };
  const auto put_residual = [&](const char* key, const platforms::ResidualAxes& axes,
                                const platforms::KernelResidual& residual) {
    Json& at = efficiency[key][options.precision];
    at = {{"source", source}};
    residual.write(at, axes);
    for (Json& factor : at["value"]) factor = in_three_digits(factor);
  };
  const auto describe = [&](const char* what, const FitError& fitted, const FitError& held_out) {
    result.what =
        fmt::format("{}: {} on what was fitted, {} on what was held out", what, fitted.summary(), held_out.summary());
    source = fmt::format("tokenyard calibrate: {}, {}; {} on held-out shapes", what, stack, held_out.summary());
  };

  const MeasuredTable table(options.table);
  if (table.has("message_size")) return take_all_reduce(options, *chip, std::move(result.entry));
  const double weight = platforms::bytes_per_weight(precision);
  // What is fitted to 16-bit tables holds for other formats, too, but for what they say of themselves.
  const bool shares = precision == platforms::Precision::kBf16;
  const platforms::Precision dense =
      chip->peak_flops_per_s[platforms::Precision::kBf16] ? platforms::Precision::kBf16 : precision;
  if (table.has("gemm_dtype")) {
    const auto samples = read_gemm_samples(options.table, format_of(options.precision));
    if (samples.empty()) refuse(options, "no rows of " + options.precision, "rows of it in gemm_dtype");
    const GemmFit fit =
        fit_gemm(samples, platforms::gemm_figures(*chip, precision), weight, platforms::input_bytes(precision));
    describe("dense products", fit.fitted, fit.held_out);
    put(efficiency["gemm_compute"], options.precision.c_str(), fit.figures.compute);
    if (shares) {
      put(efficiency, "gemm_memory", fit.figures.memory);
      put(efficiency, "gemm_tile_half", fit.figures.tile_half);
      put(efficiency, "gemm_depth_half", fit.figures.depth_half);
      put(efficiency, "gemm_occupancy", fit.figures.occupancy);
      put(efficiency, "gemm_wave", fit.figures.wave);
      put(efficiency, "gemm_split_s", fit.figures.split_s);
      put(efficiency, "launch_s", fit.figures.launch_s);
    } else {
      Json& own = efficiency["gemm_formats"][options.precision];
      put(own, "tile_half", fit.figures.tile_half);
      put(own, "split_s", fit.figures.split_s);
      put(own, "quantise_memory", fit.figures.quantise);
    }
  } else if (table.has("moe_dtype")) {
    const platforms::ExpertFigures known = platforms::expert_figures(*chip, precision);
    std::vector<ExpertSample> samples;
    for (const char* format : expert_formats(precision)) {
      if (samples.empty()) samples = read_expert_samples(options.table, format, known, weight);
    }
    if (samples.empty())
      refuse(options, "no rows of " + options.precision + " with balanced routing",
             "rows of it in moe_dtype and distribution");
    const ExpertFit fit =
        fit_experts(samples, known, weight, platforms::input_bytes(chip->compute_precision(precision).value()));
    describe("layers of experts", fit.fitted, fit.held_out);
    efficiency["experts"][options.precision] = expert_entry(fit.kernels, source);
  } else if (table.has("gemm_type") && table.has("step") && !table.has("isl")) {
    const platforms::ModelArchitecture* model = catalog.find_model(kLatentModel);
    const auto samples = read_latent_decode(options.table, format_of(options.precision));
    if (model == nullptr || samples.empty())
      refuse(options, "no rows of " + options.precision, "rows of it in kv_cache_dtype");
    const LatentFit fit = fit_latent_decode(samples, *chip, *model, precision);
    describe("latent attention", fit.fitted, fit.held_out);
    put_residual("latent_decode_residual", platforms::kLatentAxes, fit.residual);
  } else if (table.has("isl") && table.has("num_heads")) {
    const auto samples = read_prefill_attention(options.table, format_of(options.precision));
    if (samples.empty()) refuse(options, "no rows of " + options.precision, "rows of it in kv_cache_dtype");
    const AttentionFit fit =
        fit_prefill_attention(samples, platforms::attention_figures(*chip, dense, precision), shares);
    describe("prefill attention", fit.fitted, fit.held_out);
    put_residual("attention_prefill_residual", platforms::kPrefillAxes, fit.residual);
    if (shares) {
      put(efficiency, "attention_prefill", fit.figures.prefill);
      put(efficiency, "attention_prefill_wait", fit.figures.prefill_wait);
      put(efficiency, "attention_prefill_tile_s", fit.figures.prefill_tile_s.value_or(0));
      for (const auto& [key, count] : {std::pair{"attention_prefill_tile_rows", fit.figures.prefill_tile_rows},
                                       std::pair{"attention_prefill_tile_heads", fit.figures.prefill_tile_heads}})
        efficiency[key] = {{"value", std::llround(count)}, {"source", source}};
    }
    if (fit.figures.write_s) put(efficiency["attention_write_s"], options.precision.c_str(), *fit.figures.write_s);
  } else if (table.has("step") && table.has("num_heads")) {
    const auto samples = read_decode_attention(options.table, format_of(options.precision));
    if (samples.empty()) refuse(options, "no rows of " + options.precision, "rows of it in kv_cache_dtype");
    const AttentionFit fit =
        fit_decode_attention(samples, platforms::attention_figures(*chip, dense, precision), shares);
    describe("decode attention", fit.fitted, fit.held_out);
    put_residual("attention_decode_residual", platforms::kDecodeAxes, fit.residual);
    if (shares) {
      put(efficiency, "attention_decode", fit.figures.decode);
      put(efficiency, "attention_decode_tile_s", fit.figures.decode_tile_s);
    }
  } else {
    refuse(options, "columns of another kind",
           "a table of products (gemm_dtype, m, n, k), of experts (moe_dtype), of attention (num_heads, step or isl), "
           "of MLA (gemm_type, step) or of collectives (num_gpus, message_size)");
  }
  return result;
}

}  // namespace tokenyard::analysis
