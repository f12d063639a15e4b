/// Steps of whole decoders on GPUs, measured for this project with analysis/calibrate/measure_gpu.py: a folder for each
/// chip, gpus/CHIP beside this file, with steps.csv and the tables of the same card's kernels.
///
/// Two ways: with the chip as the catalogue has it, to which nothing of this was fitted, and with what `tokenyard
/// calibrate` makes of the kernels' tables.

#include <fmt/format.h>
#include <map>
#include <set>

#include "analysis/calibrate/calibrate.hpp"
#include "analysis/measured/decoder_steps.hpp"
#include "analysis/measured/fit_error.hpp"
#include "analysis/validate/measured_systems.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using platforms::Chip;

/// By what kind of steps they are of.
using Errors = std::map<std::string, FitError>;

void add_errors(const std::vector<DecoderStep>& steps, const Chip& chip, Errors& times, Errors& watts) {
  for (const DecoderStep& step : steps) {
    const SimulatedStep simulated = simulate_step(step, chip);
    const char* what = step.calls > 0 ? "decoding" : "prompts";
    const char* experts = step.spec.model->moe ? ", with experts" : "";
    if (step.pause_s == 0) {
      times[fmt::format("{} in {}{}", what, platforms::name_of(step.spec.weights), experts)].add(simulated.seconds,
                                                                                                 step.seconds);
    }
    watts[step.pause_s > 0 ? "steps with pauses" : fmt::format("{}{}", what, experts)].add(simulated.watts, step.watts);
  }
}

void add_rows(ValidationTable& table, const std::string& metric, const Errors& errors, const char* fitted_on) {
  for (const auto& [kind, error] : errors) {
    table.rows.push_back({fmt::format("{}, {}", metric, kind), fmt::format("{} loops", error.rows()),
                          fmt::format("x {:.3f}", error.bias()), error.summary(), fitted_on,
                          metric == "watts" && !kind.starts_with("decoding") ? ValidationRow::Glance::kNothing
                                                                             : ValidationRow::Glance::kFigure});
  }
}

}  // namespace

std::vector<ValidationTable> validate_gpu_steps(const std::filesystem::path& folder,
                                                const platforms::Catalog& catalog) {
  if (!std::filesystem::is_directory(folder)) return {};
  std::set<std::filesystem::path> cards;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (std::filesystem::exists(entry.path() / "steps.csv")) cards.insert(entry.path());
  }
  std::vector<ValidationTable> tables;
  for (const std::filesystem::path& card : cards) {
    const std::string name = card.filename().string();
    const Chip* chip = catalog.find_chip(name);
    if (chip == nullptr)
      throw sim::InputError({card.string(), "", "", catalog.allowed(platforms::CatalogKind::kChip, name)});
    const CalibratedEntry fitted = calibrate({.table = card, .base = name}, catalog);
    sim::Faults faults;
    platforms::Catalog calibrated;
    calibrated.add(sim::to_text(fitted.entry), name, platforms::CatalogKind::kChip, faults);
    faults.throw_if_any();
    const std::vector<DecoderStep> steps = read_decoder_steps(card / "steps.csv", catalog);
    Errors times, calibrated_times, watts, ignored;
    add_errors(steps, *chip, times, watts);
    add_errors(steps, *calibrated.find_chip(name), calibrated_times, ignored);
    ValidationTable table{
        "Steps of whole decoders on " + name,
        "Llama 3.1 8B and 70B, Qwen3 32B and, with experts, Qwen3 30B-A3B and Mixtral 8x7B, of random weights, "
        "measured for this project on one GPU with analysis/calibrate/measure_gpu.py (PyTorch 2.11, 2026-11-27), every "
        "step a captured graph. In fp8 the inputs are quantised by kernels that engines fuse with others; the experts "
        "of Qwen3 have a scale for each block of weights, as the catalogue's figures, those of Mixtral one each.",
        {}};
    add_rows(table, "time", times, "nothing of it");
    add_rows(table, "time, calibrated", calibrated_times, "this card's kernels, each by itself");
    add_rows(table, "watts", watts, "held_w alone");
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace tokenyard::analysis
