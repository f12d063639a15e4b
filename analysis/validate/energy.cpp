#include <fmt/format.h>
#include <set>

#include "analysis/calibrate/power_fit.hpp"
#include "analysis/measured/measured_table.hpp"
#include "analysis/validate/measured_systems.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Chip;

/// What a group of points measured and what was simulated, summed, with the errors of each.
struct Group {
  struct Metric {
    FitError error;
    double measured = 0, simulated = 0;
    void add(double real, double model) {
      error.add(model, real);
      measured += real;
      simulated += model;
    }
    ValidationRow row(std::string name, const char* unit, double scale, std::string fitted_on,
                      ValidationRow::Glance glance = ValidationRow::Glance::kNothing) const {
      const double n = static_cast<double>(error.rows()) / scale;
      return {std::move(name),
              fmt::format("{:.3g} {}", measured / n, unit),
              fmt::format("{:.3g} {}", simulated / n, unit),
              error.summary(),
              std::move(fitted_on),
              glance};
    }
  };
  Metric watts, joules, itl;
  void add(const EnergyPoint& point, const SimulatedWork& work, double simulated_watts) {
    const auto chips = static_cast<double>(point.spec.parallelism.chips());
    watts.add(point.watts, simulated_watts);
    joules.add(point.joules_per_token, simulated_watts * chips * work.span_s / work.output_tokens);
    itl.add(point.itl_s, work.itl_s);
  }
  void rows(ValidationTable& table, const std::string& of, const std::string& fitted_on,
            ValidationRow::Glance glance = ValidationRow::Glance::kNothing) const {
    table.rows.push_back(watts.row("watts of a chip, " + of, "W", 1, fitted_on, glance));
    table.rows.push_back(joules.row("joules per token, " + of, "J", 1, fitted_on, glance));
  }
};

double watts_of(const Chip& chip, const EnergyPoint& point, const SimulatedWork& work) {
  const double steps = chip.joules(point.spec.weights, work.of_chip).value_or(0);
  return (steps + chip.power.held_w.value_or(0) * (work.span_s - work.of_chip.busy_s)) / work.span_s;
}

ValidationTable validate_serving(const std::string& gpu, const std::vector<EnergyPoint>& points) {
  const Chip& chip = *points.front().spec.chip;
  const PowerFit fit = fit_power(points, chip);
  ValidationTable table{
      "Energy of serving on " + gpu + " (ML.ENERGY v3)",
      "A closed loop of as many users as calls ran on average, vLLM; means over the rows. Prompts are "
      "not in the data: 250 tokens of chat, 300 of questions, 1,500 of code are assumed.",
      {}};
  Group all, held_out, dense, experts;
  std::map<std::string, Group> models;
  Chip other = chip;
  for (const EnergyPoint& point : points) {
    const SimulatedWork work = simulate(point);
    const double watts = watts_of(chip, point, work);
    all.add(point, work, watts);
    table.served.emplace_back(point.spec, "vllm");
    table.served.back().tpot.add(work.itl_s, point.itl_s);
    models[point.spec.model->name].add(point, work, watts);
    other.power = fit.without.at(point.spec.model->name);
    const double by_others = watts_of(other, point, work);
    held_out.add(point, work, by_others);
    (point.spec.model->moe ? experts : dense).add(point, work, by_others);
  }
  table.rows.push_back({"watts of a chip, in the measured time", fmt::format("{} rows", fit.held_out.rows()),
                        fmt::format("x {:.3f}", fit.held_out.bias()), fit.held_out.summary(),
                        "the other models, for each"});
  held_out.rows(table, "each model by the others", "the other models, for each", ValidationRow::Glance::kFigure);
  for (const auto& [group, what] : {std::pair{&dense, "dense models"}, std::pair{&experts, "models of experts"}}) {
    if (group->joules.error.rows() > 0)
      group->rows(table, fmt::format("{}, each by the others", what), "the other models, for each");
  }
  all.rows(table, "all", "the chip's entry");
  table.rows.push_back(
      all.itl.row("inter-token latency (median), all", "ms", 1e3, "nothing of it", ValidationRow::Glance::kFigure));
  for (const auto& [name, group] : models) {
    group.rows(table, name, "the chip's entry");
    table.rows.push_back(group.itl.row("inter-token latency (median), " + name, "ms", 1e3, "nothing of it"));
  }
  return table;
}

struct Loop {
  const char* table;
  const char* chip;
};
constexpr Loop kLoops[] = {{"h200_sxm__gemm__vllm_0.22.0", "h200-sxm"},
                           {"b200_sxm__gemm__vllm_0.22.0", "b200-sxm"},
                           {"gb200__gemm__vllm_0.22.0", "gb200-nvl72"}};
constexpr double kLongEnoughS = 1e-4;  // shorter kernels leave gaps in the loops that nobody noted

/// Watts of a product in a loop of its own: bf16, two bytes an element.
std::optional<ValidationRow> validate_loop(const std::filesystem::path& path, const Chip& chip) {
  const MeasuredTable table(path);
  FitError error;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto measured = table.optional_number(row, "power");
    const double seconds = table.number(row, "latency") * 1e-3;
    if (!measured || *measured <= 0 || seconds < kLongEnoughS || table.text(row, "gemm_dtype") != "bfloat16") continue;
    const double m = table.number(row, "m"), n = table.number(row, "n"), k = table.number(row, "k");
    const auto joules =
        chip.joules(platforms::Precision::kBf16, {seconds, 0, 2 * m * n * k, 2 * (m * n + n * k + m * k)});
    if (!joules) return {};
    error.add(*joules / seconds, *measured);
  }
  return ValidationRow{path.stem().stem().string(), fmt::format("{} rows", error.rows()),
                       fmt::format("x {:.3f}", error.bias()), error.summary(), "serving, not this"};
}

}  // namespace

std::vector<ValidationTable> validate_energy(const std::filesystem::path& data, const platforms::Catalog& catalog) {
  std::vector<ValidationTable> tables;
  std::set<std::filesystem::path> files;
  if (const auto folder = data / "mlenergy"; std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().filename().string().starts_with("llm_serving_")) files.insert(entry.path());
    }
  }
  for (const std::filesystem::path& file : files) {
    const EnergyTable measured = read_energy_table(file, catalog);
    std::map<std::string, std::vector<EnergyPoint>> by_chip;
    for (const EnergyPoint& point : measured.points) by_chip[point.spec.chip->name].push_back(point);
    for (const auto& [chip, points] : by_chip) {
      tables.push_back(validate_serving(chip, points));
      for (const auto& [reason, count] : measured.left_out)
        tables.back().note += fmt::format(" Left out: {} rows, {}.", count, reason);
    }
  }
  ValidationTable loops{"Watts of long products",
                        "bf16 products of 0.1 ms and more, each in a loop of its own; simulated is the median ratio to "
                        "the measured.",
                        {}};
  for (const Loop& loop : kLoops) {
    const auto path = data / "aiconfigurator" / fmt::format("{}.csv.xz", loop.table);
    const Chip* chip = catalog.find_chip(loop.chip);
    if (chip == nullptr || !std::filesystem::exists(path)) continue;
    if (const auto row = validate_loop(path, *chip)) loops.rows.push_back(*row);
  }
  if (!loops.rows.empty()) tables.push_back(std::move(loops));
  return tables;
}

}  // namespace tokenyard::analysis
