#include <fmt/format.h>

#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/serving_table.hpp"
#include "analysis/validate/measured_systems.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Chip;

const std::map<std::string, const char*, std::less<>> kChips = {
    {"v5e", "tpu-v5e"}, {"v5p", "tpu-v5p"}, {"v6e", "tpu-v6e"}, {"tpu7x", "tpu-v7"}};
const std::map<std::string, const char*, std::less<>> kModels = {{"Llama-3.3-70B-Instruct", "llama-3.3-70b"},
                                                                 {"Llama-3.1-70B-Instruct", "llama-3.1-70b"},
                                                                 {"Llama-3.1-8B-Instruct", "llama-3.1-8b"}};

/// The reason to leave a row out; empty: `point` is complete.
std::string read_point(const MeasuredTable& table, std::size_t row, const platforms::Catalog& catalog,
                       ServingPoint& point) {
  const auto chip = kChips.find(table.text(row, "chip"));
  const auto model = kModels.find(table.text(row, "model"));
  if (!table.optional_number(row, "mean_tpot_ms")) return "without latencies";
  if (chip == kChips.end() || model == kModels.end() || table.text(row, "precision") != "bf16")
    return "not in the catalogue";
  point.defaults = catalog.find_engine("vllm");
  point.spec.chip = catalog.find_chip(chip->second);
  point.spec.model = catalog.find_model(model->second);
  if (point.defaults == nullptr || point.spec.chip == nullptr || point.spec.model == nullptr)
    return "not in the catalogue";
  point.spec.parallelism.tp = static_cast<std::int64_t>(table.number(row, "tp"));
  point.system = point.spec.chip->name;
  point.model = point.spec.model->name;
  if (std::string reason = set_up(point); !reason.empty()) return reason;
  point.load.users = static_cast<std::int64_t>(table.number(row, "concurrency"));
  point.load.prompt_tokens = static_cast<platforms::Tokens>(table.number(row, "isl"));
  point.load.output_tokens = static_cast<platforms::Tokens>(table.number(row, "osl"));
  point.load.requests = static_cast<std::int64_t>(table.number(row, "num_prompts"));
  return {};
}

/// With the band in which the measured value is expected.
ValidationRow row_of(std::string metric, const char* unit, double measured, double simulated, double low, double high) {
  return {std::move(metric),
          fmt::format("{:.4g} {}", measured, unit),
          fmt::format("{:.4g} {}", simulated, unit),
          fmt::format("{:+.1f} %", 100 * (simulated / measured - 1)),
          fmt::format("nothing of it; the band is {:.4g} to {:.4g} {}, which {} it", low, high, unit,
                      measured >= low && measured <= high ? "covers" : "does not cover"),
          ValidationRow::Glance::kFigure};
}

}  // namespace

std::vector<ValidationTable> validate_extrapolation(const std::filesystem::path& data,
                                                    const platforms::Catalog& catalog) {
  std::vector<ValidationTable> tables;
  if (const auto path = data / "tpu" / "serving.csv"; std::filesystem::exists(path)) {
    ValidationTable table{"TPU serving, from the spec sheet and transferred efficiencies",
                          "A closed loop with the host times of vLLM on H100 and H200.",
                          {}};
    const MeasuredTable measured(path);
    for (std::size_t row = 0; row < measured.rows(); ++row) {
      ServingPoint point;
      const std::string system = fmt::format("{} on {} {}", measured.text(row, "model"), measured.text(row, "chips"),
                                             measured.text(row, "chip"));
      if (const std::string reason = read_point(measured, row, catalog, point); !reason.empty()) {
        table.note += fmt::format(" Left out: {}, {}.", system, reason);
        continue;
      }
      const ServingResult result = serve(point, point.defaults->host);
      const ServedMeans means = means_of(result);
      const double tpot = 1e3 * means.tpot_s, ttft = 1e3 * means.ttft_s;
      table.served.emplace_back(point.spec, point.defaults->name);
      table.served.back().tpot.add(tpot, measured.number(row, "mean_tpot_ms"));
      table.served.back().ttft.add(ttft, measured.number(row, "mean_ttft_ms"));
      const double rate = result.output_tokens_per_s();
      const double u = point.spec.chip->step_time_uncertainty.value_or(0);
      table.rows.push_back(row_of("TPOT mean, " + system, "ms", measured.number(row, "mean_tpot_ms"), tpot,
                                  tpot * (1 - u), tpot * (1 + u)));
      table.rows.push_back(row_of("TTFT mean, " + system, "ms", measured.number(row, "mean_ttft_ms"), ttft,
                                  ttft * (1 - u), ttft * (1 + u)));
      table.rows.push_back(row_of("output tokens per second, " + system, "/s", measured.number(row, "output_tok_s"),
                                  rate, rate / (1 + u), rate / (1 - u)));
    }
    if (!table.rows.empty()) tables.push_back(std::move(table));
  }
  return tables;
}

ValidationTable extrapolated_chips(const platforms::Catalog& catalog) {
  ValidationTable table{"Chips without kernel data",
                        "On these a run is an extrapolation: peaks and bandwidths of the spec sheet, realised ceilings "
                        "where somebody published them, efficiencies of other chips. Each run says so in `validity`.",
                        {}};
  for (const std::string& name : catalog.names(platforms::CatalogKind::kChip)) {
    const Chip* chip = catalog.find_chip(name);
    if (chip == nullptr || !chip->step_time_uncertainty) continue;
    std::string source;
    for (const platforms::Fact& fact : catalog.facts(platforms::CatalogKind::kChip, name)) {
      if (fact.key == "step_time_uncertainty") source = fact.source;
    }
    table.rows.push_back({"step times of " + name, "nothing", "transferred",
                          fmt::format("± {:.0f} %, assumed", 100 * *chip->step_time_uncertainty), source});
  }
  return table;
}

}  // namespace tokenyard::analysis
