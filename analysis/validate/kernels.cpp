#include <fmt/format.h>
#include <functional>

#include "analysis/calibrate/attention_fit.hpp"
#include "analysis/calibrate/collective_table.hpp"
#include "analysis/calibrate/expert_fit.hpp"
#include "analysis/calibrate/gemm_fit.hpp"
#include "analysis/calibrate/nelder_mead.hpp"
#include "analysis/calibrate/table_formats.hpp"
#include "analysis/validate/measured_systems.hpp"
#include "platforms/cost/kernel_figures.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Precision;

struct Source {
  const char* table;  ///< without the kernel's name: SYSTEM__%s__STACK
  const char* chip;
  const char* format;
  Precision precision;
  const char* fitted_on;      ///< of the catalogue's figures
  bool writes_cache = false;  ///< attention of prompts timed with the writing of their KV
};

constexpr Source kProducts[] = {
    {"a100_sxm__gemm__vllm_0.14.0", "a100-80-sxm", "bfloat16", Precision::kBf16, "four shapes in five of it"},
    {"a100_sxm__gemm__trtllm_1.0.0", "a100-80-sxm", "bfloat16", Precision::kBf16, "vLLM 0.14"},
    {"h100_sxm__gemm__vllm_0.14.0", "h100-sxm", "bfloat16", Precision::kBf16, "four shapes in five of it"},
    {"h100_sxm__gemm__vllm_0.24.0", "h100-sxm", "bfloat16", Precision::kBf16, "vLLM 0.14"},
    {"h100_sxm__gemm__trtllm_1.2.0rc5", "h100-sxm", "bfloat16", Precision::kBf16, "vLLM 0.14"},
    {"h200_sxm__gemm__vllm_0.22.0", "h200-sxm", "bfloat16", Precision::kBf16, "four shapes in five of it"},
    {"h200_sxm__gemm__vllm_0.14.0", "h200-sxm", "bfloat16", Precision::kBf16, "vLLM 0.22"},
    {"b200_sxm__gemm__vllm_0.22.0", "b200-sxm", "bfloat16", Precision::kBf16, "four shapes in five of it"},
    {"b200_sxm__gemm__trtllm_1.3.0rc20", "b200-sxm", "bfloat16", Precision::kBf16, "vLLM 0.22"},
    {"gb200__gemm__vllm_0.22.0", "gb200-nvl72", "bfloat16", Precision::kBf16, "four shapes in five of it"},
    {"gb200__gemm__trtllm_1.3.0rc17", "gb200-nvl72", "bfloat16", Precision::kBf16, "vLLM 0.22"},
    {"gb300__gemm__vllm_0.24.0", "gb300-nvl72", "bfloat16", Precision::kBf16, "four shapes in five of it"},
    {"h100_sxm__gemm__trtllm_1.2.0rc5", "h100-sxm", "fp8", Precision::kFp8, "four shapes in five of it"},
    {"h100_sxm__gemm__vllm_0.24.0", "h100-sxm", "fp8", Precision::kFp8, "TensorRT-LLM 1.2"},
    {"b200_sxm__gemm__trtllm_1.3.0rc20", "b200-sxm", "fp8", Precision::kFp8, "four shapes in five of it"},
    {"gb200__gemm__trtllm_1.3.0rc17", "gb200-nvl72", "fp8", Precision::kFp8, "four shapes in five of it"},
    {"gb300__gemm__vllm_0.24.0", "gb300-nvl72", "fp8", Precision::kFp8, "four shapes in five of it"},
    {"b200_sxm__gemm__trtllm_1.3.0rc20", "b200-sxm", "nvfp4", Precision::kFp4, "its large products; GB300"},
    {"gb200__gemm__trtllm_1.3.0rc17", "gb200-nvl72", "nvfp4", Precision::kFp4, "its large products; GB300"},
    {"gb300__gemm__vllm_0.24.0", "gb300-nvl72", "nvfp4", Precision::kFp4, "four shapes in five of it"},
};

constexpr Source kAttention[] = {
    {"a100_sxm__{}_attention__vllm_0.14.0", "a100-80-sxm", "bfloat16", Precision::kBf16, "it", true},
    {"h100_sxm__{}_attention__vllm_0.14.0", "h100-sxm", "bfloat16", Precision::kBf16,
     "it; decoding: and H200, vLLM 0.22", true},
    {"h200_sxm__{}_attention__vllm_0.14.0", "h200-sxm", "bfloat16", Precision::kBf16, "vLLM 0.22", true},
    {"h200_sxm__{}_attention__vllm_0.22.0", "h200-sxm", "bfloat16", Precision::kBf16, "it"},
    {"b200_sxm__{}_attention__vllm_0.22.0", "b200-sxm", "bfloat16", Precision::kBf16, "it"},
    {"gb300__{}_attention__vllm_0.24.0", "gb300-nvl72", "bfloat16", Precision::kBf16, "it", true},
};

constexpr Source kExperts[] = {
    {"h100_sxm__moe__vllm_0.14.0", "h100-sxm", "bfloat16", Precision::kBf16, "H200, vLLM 0.22"},
    {"h100_sxm__moe__vllm_0.14.0", "h100-sxm", "fp8_block", Precision::kFp8, "it"},
    {"h100_sxm__moe__vllm_0.14.0", "h100-sxm", "int4_wo", Precision::kFp4, "it"},
    {"h200_sxm__moe__vllm_0.22.0", "h200-sxm", "bfloat16", Precision::kBf16, "it"},
    {"h200_sxm__moe__vllm_0.22.0", "h200-sxm", "fp8_block", Precision::kFp8, "it"},
    {"h200_sxm__moe__vllm_0.22.0", "h200-sxm", "fp8", Precision::kFp8, "it"},
    {"h200_sxm__moe__vllm_0.14.0", "h200-sxm", "bfloat16", Precision::kBf16, "vLLM 0.22"},
    {"h200_sxm__moe__vllm_0.14.0", "h200-sxm", "fp8_block", Precision::kFp8, "vLLM 0.22"},
    {"h200_sxm__moe__vllm_0.14.0", "h200-sxm", "int4_wo", Precision::kFp4, "it"},
    {"b200_sxm__moe__trtllm_1.3.0rc15", "b200-sxm", "bfloat16", Precision::kBf16, "vLLM 0.22"},
    {"b200_sxm__moe__trtllm_1.3.0rc15", "b200-sxm", "fp8_block", Precision::kFp8, "it"},
    {"b200_sxm__moe__trtllm_1.3.0rc15", "b200-sxm", "fp8", Precision::kFp8, "it"},
    {"b200_sxm__moe__trtllm_1.3.0rc15", "b200-sxm", "nvfp4", Precision::kFp4, "GB300, vLLM 0.24"},
    {"b200_sxm__moe__vllm_0.22.0", "b200-sxm", "bfloat16", Precision::kBf16, "it"},
    {"b200_sxm__moe__vllm_0.22.0", "b200-sxm", "fp8_block", Precision::kFp8, "TensorRT-LLM 1.3"},
    {"gb300__moe__vllm_0.24.0", "gb300-nvl72", "bfloat16", Precision::kBf16, "it"},
    {"gb300__moe__vllm_0.24.0", "gb300-nvl72", "fp8_block", Precision::kFp8, "it"},
    {"gb300__moe__vllm_0.24.0", "gb300-nvl72", "fp8", Precision::kFp8, "it"},
    {"gb300__moe__vllm_0.24.0", "gb300-nvl72", "nvfp4", Precision::kFp4, "it"},
};

constexpr const char* kCollectives[] = {"a100_sxm__custom_allreduce__vllm_0.14.0",
                                        "h100_sxm__custom_allreduce__vllm_0.14.0",
                                        "h100_sxm__custom_allreduce__trtllm_1.3.0rc20",
                                        "h200_sxm__custom_allreduce__vllm_0.14.0",
                                        "b200_sxm__custom_allreduce__vllm_0.19.0",
                                        "gb200__custom_allreduce__vllm_0.14.0",
                                        "a100_sxm__nccl__nccl_2.27.3",
                                        "h100_sxm__nccl__nccl_2.27.3",
                                        "h200_sxm__nccl__nccl_2.29.2",
                                        "b200_sxm__nccl__nccl_2.29.2",
                                        "gb200__nccl__nccl_2.29.2",
                                        "gb300__nccl__nccl_2.27"};

ValidationRow row_of(std::string metric, const FitError& error, const char* fitted_on) {
  return {std::move(metric), fmt::format("{} rows", error.rows()), fmt::format("x {:.3f}", error.bias()),
          error.summary(), fitted_on};
}

/// Above the tables of one kind, all of them together.
void put_all_above(ValidationTable& table, const FitError& all) {
  if (all.rows() == 0) return;
  ValidationRow row = row_of("all of these tables", all, "as said below");
  row.glance = ValidationRow::Glance::kFigure;
  table.rows.insert(table.rows.begin(), std::move(row));
}

/// Of a kernel launched by itself: what brings the median of `error_of` down most.
double best_launch_s(const std::function<FitError(double)>& error_of) {
  const double steps[] = {4};
  return 1e-6 * minimize([&](std::span<const double> v) { return error_of(1e-6 * v[0]).median(); }, {8}, steps,
                         {.restarts = 1})[0];
}

/// Calls `row` with the path of the source's table and its chip as tables have it, where both are known.
template <typename Row>
void look_up(const Source& source, const std::string& table, const std::filesystem::path& folder,
             const platforms::Catalog& catalog, const Row& row) {
  const std::filesystem::path path = folder / (table + ".csv.xz");
  const platforms::Chip* chip = catalog.find_chip(source.chip);
  if (chip != nullptr && std::filesystem::exists(path)) row(path, platforms::in_short_runs(*chip));
}

ValidationTable products(const std::filesystem::path& folder, const platforms::Catalog& catalog) {
  ValidationTable table{"Kernel tables: dense products",
                        "The catalogue's figures on whole tables (products of at least 512 x 512); simulated is the "
                        "median ratio to the measured. Tables in 8 and 4 bits include the kernel that quantises the "
                        "inputs, whose launch by itself is fitted to each.",
                        {}};
  FitError all;
  for (const Source& source : kProducts) {
    look_up(source, source.table, folder, catalog, [&](const std::filesystem::path& path, const platforms::Chip& chip) {
      const GemmFit fit{.figures = platforms::gemm_figures(chip, source.precision)};
      std::vector<std::pair<double, double>> times;
      for (const GemmSample& s : read_gemm_samples(path, source.format))
        times.emplace_back(gemm_seconds(fit, s, platforms::bytes_per_weight(source.precision),
                                        platforms::input_bytes(source.precision)),
                           s.seconds);
      const auto error_of = [&](double launch_s) {
        FitError error;
        for (const auto& [modelled, measured] : times) error.add(modelled + launch_s, measured);
        return error;
      };
      const FitError error = error_of(source.precision != Precision::kBf16 ? best_launch_s(error_of) : 0);
      all.add(error);
      table.rows.push_back(row_of(fmt::format("{} {}", source.table, source.format), error, source.fitted_on));
    });
  }
  put_all_above(table, all);
  return table;
}

ValidationTable attention(const std::filesystem::path& folder, const platforms::Catalog& catalog) {
  ValidationTable table{"Kernel tables: attention",
                        "The catalogue's figures and tables, with one more fitted to each: the time of a kernel "
                        "launched by itself, which captured graphs do not take. Tables made without one "
                        "configuration in five miss these by what their sources in the catalogue say.",
                        {}};
  FitError all;
  for (const bool decode : {true, false}) {
    for (const Source& source : kAttention) {
      const std::string name = fmt::format(fmt::runtime(source.table), decode ? "generation" : "context");
      look_up(source, name, folder, catalog, [&](const std::filesystem::path& path, const platforms::Chip& chip) {
        platforms::AttentionFigures figures = platforms::attention_figures(chip, source.precision, source.precision);
        if (!source.writes_cache) figures.write_s.reset();
        const auto samples =
            decode ? read_decode_attention(path, source.format) : read_prefill_attention(path, source.format);
        const auto error_of = [&](double launch_s) {
          figures.launch_s = launch_s;
          FitError error;
          for (const AttentionSample& s : samples)
            error.add(decode ? decode_seconds(figures, s) : prefill_seconds(figures, s), s.seconds);
          return error;
        };
        const FitError error = error_of(best_launch_s(error_of));
        all.add(error);
        table.rows.push_back(row_of(name, error, source.fitted_on));
      });
    }
  }
  put_all_above(table, all);
  return table;
}

ValidationTable experts(const std::filesystem::path& folder, const platforms::Catalog& catalog) {
  ValidationTable table{
      "Kernel tables: layers of experts",
      "The catalogue's figures with their tables of measured over modelled time, balanced routing, up to 16,384 "
      "tokens, without models that were routed otherwise (rows faster than reading the experts that the table says "
      "were hit). Models and divisions held out are missed by what the sources in the catalogue say.",
      {}};
  FitError all;
  for (const Source& source : kExperts) {
    look_up(source, source.table, folder, catalog, [&](const std::filesystem::path& path, const platforms::Chip& chip) {
      const double bytes = platforms::bytes_per_weight(source.precision),
                   inputs = platforms::input_bytes(chip.compute_precision(source.precision).value());
      const platforms::Fp8Scales scales =
          source.format == kTensorScaled ? platforms::Fp8Scales::kTensor : platforms::Fp8Scales::kBlock;
      const platforms::ExpertFigures figures = platforms::expert_figures(chip, source.precision, scales);
      FitError few, many;
      for (const ExpertSample& s : read_expert_samples(path, source.format, figures, bytes))
        (s.tokens <= 256 ? few : many).add(expert_seconds(figures, s, bytes, inputs), s.seconds);
      const std::string name = fmt::format("{} {}", source.table, source.format);
      table.rows.push_back(row_of(name + ", up to 256 tokens", few, source.fitted_on));
      table.rows.push_back(row_of(name + ", more", many, source.fitted_on));
      all.add(few);
      all.add(many);
    });
  }
  put_all_above(table, all);
  return table;
}

ValidationTable collectives(const std::filesystem::path& folder) {
  ValidationTable table{"Kernel tables: all-reduces",
                        "Catalogue entries hold measured times, linear between sizes. Here each size is compared "
                        "with what its neighbours in the table say without it (4 KiB to 256 MiB, 2 to 8 chips).",
                        {}};
  FitError all;
  for (const char* name : kCollectives) {
    const std::filesystem::path path = folder / fmt::format("{}.csv.xz", name);
    if (!std::filesystem::exists(path)) continue;
    const FitError error = error_between_sizes(read_all_reduce(path));
    all.add(error);
    table.rows.push_back(row_of(name, error, "the sizes around it"));
  }
  put_all_above(table, all);
  return table;
}

}  // namespace

std::vector<ValidationTable> validate_kernels(const std::filesystem::path& data, const platforms::Catalog& catalog) {
  const std::filesystem::path folder = data / "aiconfigurator";
  std::vector<ValidationTable> tables{experts(folder, catalog), products(folder, catalog), attention(folder, catalog),
                                      collectives(folder)};
  std::erase_if(tables, [](const ValidationTable& table) { return table.rows.empty(); });
  return tables;
}

}  // namespace tokenyard::analysis
