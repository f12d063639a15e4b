#include "analysis/calibrate/calibrate.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "analysis/calibrate/attention_fit.hpp"
#include "analysis/calibrate/collective_table.hpp"
#include "analysis/calibrate/copy_fit.hpp"
#include "analysis/calibrate/entry_writer.hpp"
#include "analysis/calibrate/expert_fit.hpp"
#include "analysis/calibrate/gemm_fit.hpp"
#include "analysis/calibrate/latent_fit.hpp"
#include "analysis/calibrate/power_fit.hpp"
#include "analysis/calibrate/profile_reader.hpp"
#include "analysis/calibrate/table_formats.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"
#include "platforms/cost/kernel_figures.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using sim::Json;

// Fitted to 16-bit tables (gemm_fit.cpp, attention_fit.cpp).
constexpr std::size_t kGemmFigures = 8, kPrefillFigures = 5, kDecodeFigures = 3;

/// Whose layers the tables of MLA measure.
constexpr const char* kLatentModel = "deepseek-v3";

[[noreturn]] void refuse(const CalibrateOptions& options, std::string found, std::string allowed) {
  throw sim::InputError({options.table.string(), "", std::move(found), std::move(allowed)});
}

/// Of the precision, for a fit of so many figures.
void need_rows(const CalibrateOptions& options, std::size_t rows, std::size_t figures, const char* column) {
  if (rows == 0) refuse(options, "no rows of " + options.precision, fmt::format("rows of it in {}", column));
  if (rows < figures) {
    refuse(options, fmt::format("{} {} of {}", rows, rows == 1 ? "row" : "rows", options.precision),
           fmt::format("at least {}, as many as there are figures to fit", figures));
  }
}

/// What a table is brought into: the entry of a chip, at the precision asked for.
struct Target {
  const CalibrateOptions& options;
  const platforms::Catalog& catalog;
  platforms::Chip chip;
  platforms::Precision precision;
  bool sustained = false;  ///< the table has watts: its loops were long enough for the chip's power limit to tell

  /// The chip's, under the new name.
  Json entry() const { return renamed_entry(*catalog.raw(platforms::CatalogKind::kChip, options.base), options); }
};
Target target_of(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  const platforms::Chip* chip = catalog.find_chip(options.base);
  if (chip == nullptr || catalog.raw(platforms::CatalogKind::kChip, options.base) == nullptr)
    throw sim::InputError(
        {"", "--chip", '"' + options.base + '"', catalog.allowed(platforms::CatalogKind::kChip, options.base)});
  const auto precision = platforms::precision_from_name(options.precision);
  if (!precision || !chip->compute_precision(*precision) || !chip->memory_bytes_per_s) {
    throw sim::InputError({"", "--precision", '"' + options.precision + '"',
                           "a number format in which " + options.base + " can hold weights"});
  }
  return {options, catalog, *chip, *precision};
}

/// The measured times themselves.
void take_all_reduce(const Target& target, EntryWriter& writer) {
  const CalibrateOptions& options = target.options;
  CollectiveTable measured = read_all_reduce(options.table);
  if (measured.empty()) refuse(options, "no all-reduce of 16-bit numbers", "rows of op_name all_reduce");
  CollectiveTable old;
  for (const platforms::Chip::AllReduce& known : target.chip.collectives.by_chips) old[known.chips] = known.seconds;
  Json& by_chips = writer.entry()["all_reduce"]["by_chips"];
  for (const auto& [chips, curve] : options.lower ? lower_of(measured, old) : measured) {
    Json rows = Json::array();
    for (const auto& [bytes, seconds] : curve.points()) rows.push_back({bytes, in_digits(seconds, 3)});
    Json& at = by_chips[std::to_string(chips)];
    const std::string earlier = options.lower && at.contains("source") ? at["source"].get<std::string>() + "; " : "";
    at = {{"value", std::move(rows)}, {"source", earlier + "tokenyard calibrate: " + options.stack_name()}};
  }
  writer.report("all-reduces: taken as measured, each size " + error_between_sizes(measured).summary() +
                " from its neighbours");
}

void calibrate_copies(const Target& target, EntryWriter& writer) {
  const CopyFit fit = fit_copies(target.options.table);
  writer.describe("copies to and from the host", fit.fitted, {});
  writer.report(fmt::format("copies to and from the host: {} on what was fitted", fit.fitted.summary()));
  writer.put(writer.entry(), "host_bytes_per_s", fit.bytes_per_s);
  writer.entry()["host_bytes_per_s"]["note"] = fmt::format("each copy takes {:.2g} us more", fit.start_s * 1e6);
}

/// What is fitted to 16-bit tables holds for other formats, too, but for what their own tables say.
bool fits_all_formats(const Target& target) { return target.precision == platforms::Precision::kBf16; }
Fitted fitted_of(const Target& target) {
  return fits_all_formats(target) ? Fitted::kFiguresAndTable : Fitted::kTableAlone;
}

void calibrate_products(const Target& target, EntryWriter& writer) {
  const CalibrateOptions& options = target.options;
  const auto samples = read_gemm_samples(options.table, table_format(target.precision));
  need_rows(options, samples.size(), kGemmFigures, "gemm_dtype");
  const GemmFit fit = fit_gemm(samples, platforms::gemm_figures(target.chip, target.precision),
                               platforms::bytes_per_weight(target.precision), platforms::input_bytes(target.precision));
  writer.describe("dense products", fit.fitted, fit.held_out);
  writer.put_own("gemm_compute", fit.figures.compute);
  if (target.sustained) writer.put_own("sustained", 1);
  if (fits_all_formats(target)) {
    Json& all = writer.efficiency();
    writer.put(all, "gemm_memory", fit.figures.memory);
    for (const platforms::GemmKernels::Figure& figure : platforms::GemmKernels::kFigures)
      writer.put(all, figure.key, fit.figures.*figure.value);
    writer.put(all, "launch_s", fit.figures.launch_s);
  } else {
    Json& own = writer.efficiency()["gemm_formats"][options.precision];
    writer.put(own, "tile_half", fit.figures.tile_half);
    writer.put(own, "split_s", fit.figures.split_s);
    writer.put(own, "quantise_memory", fit.figures.quantise);
  }
}

void calibrate_experts(const Target& target, EntryWriter& writer) {
  const CalibrateOptions& options = target.options;
  const platforms::ExpertFigures known = platforms::expert_figures(target.chip, target.precision);
  const double weight_bytes = platforms::bytes_per_weight(target.precision);
  const double input_bytes = platforms::input_bytes(target.chip.compute_precision(target.precision).value());
  const auto samples_of = [&](std::string_view format) {
    return read_expert_samples(options.table, format, known, weight_bytes);
  };
  const auto fit = [&](const std::vector<ExpertSample>& samples, const char* what, const std::string& key) {
    need_rows(options, samples.size(), platforms::ExpertKernels::kFigures.size(),
              "moe_dtype, with balanced routing in distribution");
    const ExpertFit fitted = fit_experts(samples, known, weight_bytes, input_bytes);
    writer.describe(what, fitted.fitted, fitted.held_out);
    writer.efficiency()["experts"][key] = expert_entry(fitted.kernels, writer.source());
  };
  std::string_view best;
  std::vector<ExpertSample> samples;
  for (const std::string_view format : expert_formats(target.precision)) {
    if (samples.empty()) samples = samples_of(best = format);
  }
  fit(samples, "layers of experts", options.precision);
  if (best != kBlockScaled) return;
  const std::vector<ExpertSample> one_scale = samples_of(kTensorScaled);
  if (!one_scale.empty()) fit(one_scale, "layers of experts with a scale for a tensor", "fp8_tensor");
}

void calibrate_latent(const Target& target, EntryWriter& writer) {
  const CalibrateOptions& options = target.options;
  const platforms::ModelArchitecture* model = target.catalog.find_model(kLatentModel);
  const auto samples = read_latent_decode(options.table, table_format(target.precision));
  if (model == nullptr || samples.empty())
    refuse(options, "no rows of " + options.precision, "rows of it in kv_cache_dtype");
  const LatentFit fit = fit_latent_decode(samples, target.chip, *model, target.precision);
  writer.describe("latent attention", fit.fitted, fit.held_out);
  writer.put_residual("latent_decode_residual", platforms::kLatentAxes, fit.residual);
}

/// Attention multiplies in 16 bits where the chip can, whatever the precision of the KV.
platforms::AttentionFigures known_attention(const Target& target) {
  const platforms::Precision compute =
      target.chip.peak_flops_per_s[platforms::Precision::kBf16] ? platforms::Precision::kBf16 : target.precision;
  return platforms::attention_figures(target.chip, compute, target.precision);
}

void calibrate_prefill(const Target& target, EntryWriter& writer) {
  const CalibrateOptions& options = target.options;
  const auto samples = read_prefill_attention(options.table, table_format(target.precision));
  need_rows(options, samples.size(), kPrefillFigures, "kv_cache_dtype");
  const AttentionFit fit = fit_prefill_attention(samples, known_attention(target), fitted_of(target));
  writer.describe("prefill attention", fit.fitted, fit.held_out);
  writer.put_residual("attention_prefill_residual", platforms::kPrefillAxes, fit.residual);
  if (fits_all_formats(target)) {
    Json& all = writer.efficiency();
    writer.put(all, "attention_prefill", fit.figures.prefill);
    writer.put(all, "attention_prefill_wait", fit.figures.prefill_wait);
    writer.put(all, "attention_prefill_tile_s", fit.figures.prefill_tile_s.value_or(0));
    writer.put_whole(all, "attention_prefill_tile_rows", fit.figures.prefill_tile_rows);
    writer.put_whole(all, "attention_prefill_tile_heads", fit.figures.prefill_tile_heads);
  }
  if (fit.figures.write_s) writer.put_own("attention_write_s", *fit.figures.write_s);
}

/// FlashAttention-2's own rule (platforms/cost/attention.hpp): tiles for each unit with which contexts are divided.
constexpr double kFlashAttention2Tiles = 1.6;

void calibrate_decode(const Target& target, EntryWriter& writer) {
  const CalibrateOptions& options = target.options;
  const auto samples = read_decode_attention(options.table, table_format(target.precision));
  need_rows(options, samples.size(), kDecodeFigures, "kv_cache_dtype");
  const AttentionFit fit = fit_decode_attention(samples, known_attention(target), fitted_of(target));
  writer.describe("decode attention", fit.fitted, fit.held_out);
  writer.put_residual("attention_decode_residual", platforms::kDecodeAxes, fit.residual);
  if (fits_all_formats(target)) {
    writer.put(writer.efficiency(), "attention_decode", fit.figures.decode);
    writer.put(writer.efficiency(), "attention_decode_tile_s", fit.figures.decode_tile_s.value_or(0));
  }
  if (fit.divides && fits_all_formats(target)) {
    for (const char* key : {"attention_undivided_residual", "attention_decode_key_s", "attention_decode_split_below"})
      writer.efficiency().erase(key);
  }
  if (fit.undivided.empty()) return;
  writer.put_residual("attention_undivided_residual", platforms::kDecodeAxes, fit.undivided);
  if (fits_all_formats(target)) {
    writer.put(writer.efficiency(), "attention_decode_key_s", fit.figures.decode_key_s);
    writer.put(writer.efficiency(), "attention_decode_split_below", kFlashAttention2Tiles);
  }
}

/// Told by the columns that a table has; where those are another kind's, too, also by what it has not. Behind each,
/// aiconfigurator's name for its tables.
struct TableKind {
  std::vector<std::string_view> with;
  void (*calibrate)(const Target& target, EntryWriter& writer);
  std::string_view precisions;  ///< the column that has them; none: 16 bits
  std::vector<std::string_view> without = {};

  bool holds(const MeasuredTable& table) const {
    const auto has = [&](std::string_view column) { return table.has(column); };
    return std::all_of(with.begin(), with.end(), has) && std::none_of(without.begin(), without.end(), has);
  }
};
const std::vector<TableKind> kTableKinds = {
    {{"message_size"}, take_all_reduce, ""},                                            // custom_allreduce
    {{"segment_bytes"}, calibrate_copies, ""},                                          // none: measure_gpu.py's
    {{"gemm_dtype"}, calibrate_products, "gemm_dtype"},                                 // gemm
    {{"moe_dtype"}, calibrate_experts, "moe_dtype"},                                    // moe
    {{"gemm_type", "step"}, calibrate_latent, "kv_cache_dtype", {"isl"}},               // mla_generation_module
    {{"num_heads", "isl"}, calibrate_prefill, "kv_cache_dtype"},                        // context_attention
    {{"num_heads", "step"}, calibrate_decode, "kv_cache_dtype", {"isl", "gemm_type"}},  // generation_attention
};

/// Null: of no kind.
const TableKind* kind_of(const MeasuredTable& table) {
  const auto kind =
      std::find_if(kTableKinds.begin(), kTableKinds.end(), [&](const TableKind& k) { return k.holds(table); });
  return kind == kTableKinds.end() ? nullptr : &*kind;
}

/// Whether the table has rows of the precision.
bool has_precision(const MeasuredTable& table, const TableKind& kind, platforms::Precision precision) {
  if (kind.precisions.empty()) return precision == platforms::Precision::kBf16;
  const std::vector<std::string_view> formats =
      kind.precisions == "moe_dtype" ? expert_formats(precision) : std::vector{table_format(precision)};
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (std::find(formats.begin(), formats.end(), table.text(row, kind.precisions)) != formats.end()) return true;
  }
  return false;
}

bool has_watts(const MeasuredTable& table) {
  if (!table.has("power")) return false;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (table.optional_number(row, "power").value_or(0) > 0) return true;
  }
  return false;
}

CalibratedEntry calibrate_table(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  Target target = target_of(options, catalog);
  target.chip = platforms::in_short_runs(std::move(target.chip));
  const MeasuredTable table(options.table);
  target.sustained = has_watts(table);
  if (const TableKind* kind = kind_of(table)) {
    EntryWriter writer(options, target.entry());
    kind->calibrate(target, writer);
    return std::move(writer).result();
  }
  refuse(options, "columns of another kind",
         "a table of products (gemm_dtype, m, n, k), of experts (moe_dtype), of attention (num_heads, step or isl), "
         "of MLA (gemm_type, step), of collectives (num_gpus, message_size) or of copies (segment_bytes)");
}

/// Of a folder's tables of kernels, which precisions are where; what else lies there as CSV is named in `left_out`.
struct FolderTables {
  std::map<std::pair<platforms::Precision, const TableKind*>, std::filesystem::path> tables;
  std::string left_out;

  explicit FolderTables(const std::filesystem::path& folder) {
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".csv") || name.ends_with(".csv.xz")) files.insert(entry.path());
    }
    for (const std::filesystem::path& path : files) {
      if (!std::filesystem::is_regular_file(path)) {
        leave_out(path, "not a file");
        continue;
      }
      const MeasuredTable table(path);
      const TableKind* kind = kind_of(table);
      bool taken = false;
      for (const platforms::Precision precision : platforms::kPrecisions) {
        if (kind == nullptr || !has_precision(table, *kind, precision)) continue;
        const auto [first, alone] = tables.emplace(std::pair(precision, kind), path);
        if (!alone) {
          throw sim::InputError({path.string(), "", "a second table of what " + first->second.string() + " has",
                                 "one of each kind in a folder"});
        }
        taken = true;
      }
      if (!taken) leave_out(path, kind == nullptr ? "columns of another kind" : "no rows in a known precision");
    }
  }

  void leave_out(const std::filesystem::path& path, const char* why) {
    left_out += fmt::format("\n  left out: {}, {}", path.filename().string(), why);
  }
};

CalibratedEntry calibrate_folder(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  const FolderTables found(options.table);
  if (found.tables.empty())
    refuse(options, "no table of kernels" + found.left_out, "a folder with some, as measure_gpu.py writes it");
  CalibratedEntry result{target_of(options, catalog).entry(), "the tables of " + options.table.string()};
  CalibrateOptions one = options;
  one.base = one.name = result.entry["name"].get<std::string>();
  sim::Faults faults;
  platforms::Catalog made = platforms::Catalog::load(faults);
  for (const auto& [what, path] : found.tables) {
    made.add(sim::to_text(result.entry), options.table.string(), platforms::CatalogKind::kChip, faults);
    faults.throw_if_any();
    one.table = path;
    one.precision = platforms::name_of(what.first);
    CalibratedEntry fitted = calibrate_table(one, made);
    result.entry = std::move(fitted.entry);
    const std::string precision = what.second->precisions.empty() ? "" : one.precision + " ";
    result.what += fmt::format("\n  {}, {}{}", path.filename().string(), precision, fitted.what);
  }
  result.what += found.left_out;
  return result;
}

}  // namespace

CalibratedEntry take_profile(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  const Target target = target_of(options, catalog);
  if (catalog.find_model(options.model) == nullptr)
    throw sim::InputError(
        {"", "--model", '"' + options.model + '"', catalog.allowed(platforms::CatalogKind::kModel, options.model)});
  const platforms::KernelProfile profile =
      read_kernel_profile(options.table.parent_path(), options.table.filename().string());
  Json taken = {{"model", options.model},
                {"tp", options.tp},
                {"weights", options.precision},
                {"kv", "bf16"},
                {"source", options.stack_name()}};
  profile.write(taken);
  Json entry = target.entry();
  Json& profiles = entry["kernel_profiles"];
  if (!profiles.is_array()) profiles = Json::array();
  for (std::size_t i = profiles.size(); i-- > 0;) {
    const bool same = profiles[i].value("model", "") == options.model &&
                      profiles[i].value("tp", std::int64_t{1}) == options.tp &&
                      profiles[i].value("weights", "bf16") == options.precision;
    if (same) profiles.erase(i);
  }
  profiles.push_back(std::move(taken));
  return {std::move(entry),
          fmt::format("kernels of {} at tensor parallelism {}: taken as measured", options.model, options.tp)};
}

CalibratedEntry calibrate_power(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  const Target target = target_of(options, catalog);
  const platforms::Chip& chip = target.chip;
  if (!chip.power.tdp_w || !chip.power.idle_w)
    refuse(options, "watts of " + options.base, "a chip whose entry has power/tdp_w and power/idle_w");
  const EnergyTable table = read_energy_table(options.table, catalog, &chip);
  if (table.points.empty())
    refuse(options, "no row that can be simulated", "rows of text tasks on models of the catalogue");
  const PowerFit fit = fit_power(table.points, chip);
  if (fit.fitted.rows() == 0)
    refuse(options, "no row whose steady time can be simulated", "rows of more output tokens");
  const std::string source = fmt::format("tokenyard calibrate: watts of serving, {}; {} leaving one model out",
                                         options.stack_name(), fit.held_out.summary());
  Json entry = target.entry();
  Json& power = entry["power"];
  for (const auto& [key, value] :
       {std::pair{"active_w", fit.power.active_w}, std::pair{"compute_w", fit.power.compute_w},
        std::pair{"memory_w", fit.power.memory_w}})
    power[key] = {{"value", in_digits(value.value_or(0), 3)}, {"source", source}};
  if (fit.power.unpack_flop)
    power["unpack_flop"] = {{"value", in_digits(*fit.power.unpack_flop, 3)}, {"source", source}};
  const double peak = *chip.peak_flops_per_s[target.precision];
  return {std::move(entry), fmt::format("watts of serving: {} on what was fitted, {} leaving one model out; "
                                        "{:.3g} W while kernels run, {:.3g} pJ a {} operation, {:.3g} pJ a byte",
                                        fit.fitted.summary(), fit.held_out.summary(), *fit.power.active_w,
                                        1e12 * *fit.power.compute_w / peak, options.precision,
                                        1e12 * *fit.power.memory_w / *chip.memory_bytes_per_s)};
}

CalibratedEntry calibrate(const CalibrateOptions& options, const platforms::Catalog& catalog) {
  return std::filesystem::is_directory(options.table) ? calibrate_folder(options, catalog)
                                                      : calibrate_table(options, catalog);
}

}  // namespace tokenyard::analysis
