/// Serving that others measured and published, each point with its source: published_serving.csv beside this file.
///
/// A closed loop of so many users; as many users as requests are requests that come all at once. Lengths are uniform
/// from `shortest` of them up. What a row leaves empty is the engine's default, or was not published. TTFT and TPOT are
/// means or medians, as their source has them.

#include <fmt/format.h>
#include <map>

#include "analysis/measured/fit_error.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/serving_table.hpp"
#include "analysis/validate/measured_systems.hpp"

namespace tokenyard::analysis {
namespace {

template <typename T>
const T& named(const MeasuredTable& table, std::size_t row, const char* column, const T* found) {
  if (found != nullptr) return *found;
  throw sim::InputError({table.path().string(), fmt::format("row {}, {}", row + 1, column),
                         '"' + std::string(table.text(row, column)) + '"', "an entry of the catalogue"});
}

platforms::Precision precision(const MeasuredTable& table, std::size_t row, const char* column) {
  const auto found = platforms::precision_from_name(table.text(row, column));
  return named(table, row, column, found ? &*found : nullptr);
}

ServingPoint read_point(const MeasuredTable& table, std::size_t row, const platforms::Catalog& catalog) {
  ServingPoint point;
  platforms::ReplicaSpec& spec = point.spec;
  spec.chip = &named(table, row, "chip", catalog.find_chip(table.text(row, "chip")));
  spec.model = &named(table, row, "model", catalog.find_model(table.text(row, "model")));
  point.defaults = &named(table, row, "engine", catalog.find_engine(table.text(row, "engine")));
  point.system = spec.chip->name;
  point.model = spec.model->name;
  spec.parallelism = {.tp = table.whole(row, "tp"), .dp = table.whole(row, "dp"), .ep = table.whole(row, "ep")};
  spec.weights = precision(table, row, "weights");
  spec.kv = precision(table, row, "kv");
  if (std::string reason = set_up(point, table.optional_number(row, "gpu_memory_utilization")); !reason.empty())
    throw sim::InputError({table.path().string(), fmt::format("row {}", row + 1), reason, "what can be simulated"});
  platforms::BatchingOptions& batching = point.bench.batching;
  if (const auto calls = table.optional_number(row, "max_num_seqs"))
    batching.max_num_seqs = static_cast<std::int32_t>(*calls);
  if (const auto tokens = table.optional_number(row, "max_num_batched_tokens"))
    batching.max_num_batched_tokens = static_cast<platforms::Tokens>(*tokens);
  batching.max_num_batched_tokens = std::max<platforms::Tokens>(batching.max_num_batched_tokens, batching.max_num_seqs);
  point.load = {.users = table.whole(row, "users"),
                .prompt_tokens = table.whole(row, "prompt_tokens"),
                .output_tokens = table.whole(row, "output_tokens"),
                .requests = table.whole(row, "requests"),
                .shortest = table.positive(row, "shortest")};
  return point;
}

/// Of one chip, model and source.
struct System {
  FitError ttft, tpot, e2e, rate;
  bool fitted = false;
  std::vector<ValidationRow> rows(const std::string& name) const {
    std::vector<ValidationRow> rows;
    for (const auto& [metric, error] : {std::pair{"TPOT", &tpot}, std::pair{"TTFT", &ttft},
                                        std::pair{"end to end", &e2e}, std::pair{"output tokens/s", &rate}}) {
      if (error->rows() == 0) continue;
      rows.push_back({fmt::format("{}, {}", name, metric), fmt::format("{} points", error->rows()),
                      fmt::format("x {:.2f}", error->bias()), error->summary(),
                      fitted ? "figures of the chip: some of these points" : "nothing of it"});
    }
    return rows;
  }
};

}  // namespace

std::vector<ValidationTable> validate_published_serving(const std::filesystem::path& points,
                                                        const platforms::Catalog& catalog) {
  if (!std::filesystem::exists(points)) return {};
  const MeasuredTable table(points);
  ValidationTable result{"Serving that others published",
                         fmt::format("{} lists each point with its source. Versions of engines are the nearest of the "
                                     "catalogue's, not those measured; \"x\" is simulated over measured.",
                                     points.generic_string()),
                         {}};
  std::map<std::string, System> systems;
  FitError untouched_latency, untouched_rate;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const ServingPoint point = read_point(table, row, catalog);
    const ServingResult served = serve(point, point.defaults->host);
    const ServedMeans means = means_of(served);
    const platforms::Parallelism& p = point.spec.parallelism;
    System& system =
        systems[fmt::format("{} on {} {} ({}, {})", point.spec.model->name, p.chips(), point.spec.chip->name,
                            point.defaults->name, platforms::name_of(point.spec.weights))];
    const bool fitted = table.text(row, "fitted") == "yes";
    system.fitted = system.fitted || fitted;
    result.served.emplace_back(point.spec, point.defaults->name);
    ServedModel& record = result.served.back();
    record.static_shapes = point.defaults->static_shapes;
    const auto add = [&](const char* column, double scale, double simulated, FitError& of_system, FitError* of_record,
                         FitError& of_untouched) {
      const auto measured = table.optional_number(row, column);
      if (!measured) return;
      of_system.add(simulated, *measured * scale);
      if (of_record != nullptr) of_record->add(simulated, *measured * scale);
      if (!fitted) of_untouched.add(simulated, *measured * scale);
    };
    add("ttft_ms", 1e-3, means.ttft_s, system.ttft, &record.ttft, untouched_latency);
    add("tpot_ms", 1e-3, means.tpot_s, system.tpot, &record.tpot, untouched_latency);
    add("e2e_s", 1, means.e2e_s, system.e2e, nullptr, untouched_latency);
    add("output_tokens_per_s", 1, served.output_tokens_per_s(), system.rate, &record.rate, untouched_rate);
  }
  for (const auto& [name, error] :
       {std::pair{"latencies of points that nothing was fitted to", &untouched_latency},
        std::pair{"output tokens/s of points that nothing was fitted to", &untouched_rate}}) {
    result.rows.push_back({name, fmt::format("{} points", error->rows()), fmt::format("x {:.2f}", error->bias()),
                           error->summary(), "nothing of it", ValidationRow::Glance::kFigure});
  }
  for (const auto& [name, system] : systems) {
    for (ValidationRow& row : system.rows(name)) result.rows.push_back(std::move(row));
  }
  return {result};
}

}  // namespace tokenyard::analysis
