#include "analysis/calibrate/serving_calibration.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "analysis/calibrate/entry_writer.hpp"
#include "analysis/calibrate/host_fit.hpp"
#include "analysis/calibrate/nelder_mead.hpp"
#include "analysis/measured/fit_error.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"
#include "platforms/cost/kernel_figures.hpp"
#include "sim/input/faults.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Catalog;
using platforms::CatalogKind;
using platforms::Chip;
using platforms::Precision;
using sim::Json;

template <typename T>
const T& named(const T* found, const char* option, const std::string& name, CatalogKind kind, const Catalog& catalog) {
  if (found != nullptr) return *found;
  throw sim::InputError({"", option, '"' + name + '"', catalog.allowed(kind, name)});
}

std::vector<ServingPoint> read_benchmark(const CalibrateOptions& options, const Catalog& catalog) {
  ServingPoint like;
  like.spec.chip = &named(catalog.find_chip(options.base), "--chip", options.base, CatalogKind::kChip, catalog);
  like.spec.model = &named(catalog.find_model(options.model), "--model", options.model, CatalogKind::kModel, catalog);
  like.defaults =
      &named(catalog.find_engine(options.engine), "--engine", options.engine, CatalogKind::kEngine, catalog);
  const auto precision = platforms::precision_from_name(options.precision);
  if (!precision) throw sim::InputError({"", "--precision", '"' + options.precision + '"', "bf16, fp8, fp4 or int8"});
  like.spec.weights = *precision;
  like.spec.parallelism.tp = options.tp;
  like.spec.host = like.defaults->host;
  if (const auto missing = platforms::missing_numbers(like.spec); !missing.empty())
    throw sim::InputError({"", "--chip", missing.front() + " is unknown", "a chip and model whose entries have it"});
  const auto bench = bench_of(*like.defaults, like.spec);
  if (!bench) {
    throw sim::InputError({"", "--tp", fmt::format("{} on {} x {}", options.model, options.tp, options.base),
                           "as many chips as hold the weights"});
  }
  like.bench = *bench;

  const MeasuredTable table(options.table);
  std::vector<ServingPoint> points;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    ServingPoint& point = points.emplace_back(like);
    point.load.users = table.whole(row, "concurrency");
    point.load.prompt_tokens = table.whole(row, "prompt_tokens");
    point.load.output_tokens = table.whole(row, "output_tokens");
    point.load.requests = table.has("requests") ? table.whole(row, "requests") : 10 * point.load.users;
    if (!like.defaults->static_shapes)
      point.bench.batching.max_model_len = point.load.prompt_tokens + point.load.output_tokens;
    point.ttft_s = table.positive(row, "ttft_s");
    point.tpot_s = table.positive(row, "tpot_s");
  }
  if (points.empty())
    throw sim::InputError({options.table.string(), "", "no rows", "a row for each concurrency of the benchmark"});
  return points;
}

std::string errors_of(const CalibrateOptions& options, const std::vector<ServingPoint>& points,
                      const platforms::EngineDefaults::Host& host) {
  FitError tpot, ttft;
  for (const ServingPoint& point : points) {
    const ServedMeans means = simulate_point(point, host);
    tpot.add(means.tpot_s, point.tpot_s);
    ttft.add(means.ttft_s, point.ttft_s);
  }
  refuse_bad_fit(options, "times per output token", tpot,
                 "the units (ttft_s and tpot_s are seconds), the chip, the model, its precision and --tp");
  return fmt::format("TPOT {}, TTFT {}", tpot.summary(), ttft.summary());
}

std::string source_of(const CalibrateOptions& options, const std::string& errors) {
  return fmt::format("tokenyard calibrate: serving of {} on {} x {}, {}; {} on what was fitted", options.model,
                     options.base, options.tp, options.stack_name(), errors);
}

/// The chip with other shares of its bandwidth and its peaks, for weights of that format; none above all of it.
Chip with_shares(const Chip& chip, Precision weights, double memory, double arithmetic) {
  const Precision compute = chip.compute_precision(weights).value();
  Chip result = chip;
  Chip::Efficiency& e = result.efficiency;
  const auto scale = [](std::optional<double>& share, double usual, double factor) {
    share = std::min(1.0, share.value_or(usual) * factor);
  };
  const Chip as_measured = platforms::in_short_runs(chip);  // what it sustains of that is left as it is
  const platforms::GemmFigures gemm = platforms::gemm_figures(as_measured, compute);
  const platforms::AttentionFigures attention = platforms::attention_figures(as_measured, compute, compute);
  scale(e.gemm_memory, gemm.memory, memory);
  scale(e.attention_decode, attention.decode, memory);
  scale(e.gemm_compute[compute], gemm.compute, arithmetic);
  scale(e.attention_prefill, attention.prefill, arithmetic);
  platforms::ExpertKernels experts = *platforms::expert_figures(chip, weights).kernels;
  experts.memory = std::min(1.0, experts.memory * memory);
  experts.compute = std::min(1.0, experts.compute * arithmetic);
  e.experts[weights] = std::move(experts);
  return result;
}

}  // namespace

CalibratedEntry calibrate_engine(const CalibrateOptions& options, const Catalog& catalog) {
  const std::vector<ServingPoint> points = read_benchmark(options, catalog);
  const platforms::EngineDefaults::Host& before = points.front().defaults->host;
  platforms::EngineDefaults::Host host = fit_host(points);
  if (points.front().spec.model->dense_layers() == 0) host.layer_s = before.layer_s;
  if (points.front().spec.model->moe_layers() == 0) host.expert_layer_s = before.expert_layer_s;
  const std::string errors = errors_of(options, points, host), source = source_of(options, errors);
  CalibratedEntry result;
  result.kind = CatalogKind::kEngine;
  result.entry = *catalog.raw(CatalogKind::kEngine, options.engine);
  if (!options.name.empty()) result.entry["name"] = options.name;
  for (const auto& [key, value] : {std::pair{"step_s", host.step_s}, std::pair{"sequence_s", host.sequence_s},
                                   std::pair{"prefill_step_s", host.prefill_step_s}, std::pair{"layer_s", host.layer_s},
                                   std::pair{"expert_layer_s", host.expert_layer_s}})
    result.entry["host"][key] = {{"value", in_digits(value, 3)}, {"source", source}};
  result.what = fmt::format(
      "host times of {}: {:.3g} ms a step, {:.3g} us a sequence, {:.3g} ms more with prompts, "
      "{:.3g} us to launch a layer, {:.3g} us one with experts; {}",
      options.engine, 1e3 * host.step_s, 1e6 * host.sequence_s, 1e3 * host.prefill_step_s, 1e6 * host.layer_s,
      1e6 * host.expert_layer_s, errors);
  return result;
}

CalibratedEntry calibrate_served_chip(const CalibrateOptions& options, const Catalog& catalog) {
  std::vector<ServingPoint> points = read_benchmark(options, catalog);
  const Chip& chip = *points.front().spec.chip;
  const Precision weights = points.front().spec.weights, compute = chip.compute_precision(weights).value();
  const auto on = [&](std::span<const double> v) { return with_shares(chip, weights, v[0], v[1]); };
  const platforms::EngineDefaults::Host& host = points.front().defaults->host;
  const auto error = [&](std::span<const double> v) {
    if (v[0] <= 0.05 || v[1] <= 0.05) return 1e3;
    const Chip scaled = on(v);
    for (ServingPoint& point : points) point.spec.chip = &scaled;
    return mean_error(points, host);
  };
  const std::vector<double> best = minimize(error, {1, 1}, std::vector<double>{0.2, 0.2}, {.restarts = 2});
  const Chip scaled = on(best);
  for (ServingPoint& point : points) point.spec.chip = &scaled;
  const std::string errors = errors_of(options, points, host), source = source_of(options, errors);
  CalibratedEntry result;
  result.entry = renamed_entry(*catalog.raw(CatalogKind::kChip, options.base), options);
  Json& at = result.entry["efficiency"];
  const auto put = [&](Json& to, const char* key, const std::optional<double>& share) {
    to[key] = {{"value", in_digits(share.value_or(1), 3)}, {"source", source}};
  };
  const Chip::Efficiency& e = scaled.efficiency;
  put(at, "gemm_memory", e.gemm_memory);
  put(at, "attention_decode", e.attention_decode);
  put(at["gemm_compute"], std::string(platforms::name_of(compute)).c_str(), e.gemm_compute[compute]);
  put(at, "attention_prefill", e.attention_prefill);
  if (points.front().spec.model->moe)
    at["experts"][options.precision] = expert_entry(*platforms::expert_figures(scaled, weights).kernels, source);
  result.what = fmt::format("shares of its bandwidth x {:.3g}, of its peaks x {:.3g}; {}", best[0], best[1], errors);
  return result;
}

}  // namespace tokenyard::analysis
