#include "analysis/validate/report.hpp"

#include <cmath>
#include <fmt/format.h>
#include <map>
#include <tuple>
#include <utility>

#include "sim/input/json.hpp"

namespace tokenyard::analysis {
namespace {

using Glance = ValidationRow::Glance;

constexpr const char* kTitles[] = {"At a glance", "Far off"};
constexpr const char* kNotes[] = {
    "", "Median errors above a fifth. Something of what was measured there is not modelled, or not known."};
constexpr Glance kParts[] = {Glance::kFigure, Glance::kFarOff};

/// Each table's rows of that kind; `show` gets its title with the first of them, then nothing.
template <typename Show>
std::string shown(const std::vector<ValidationTable>& tables, Glance glance, const Show& show) {
  std::string text;
  for (const ValidationTable& table : tables) {
    std::string title = table.title;
    for (const ValidationRow& row : table.rows) {
      if (row.glance == glance) text += show(std::exchange(title, ""), row);
    }
  }
  return text;
}

}  // namespace

ServedModel::ServedModel(const platforms::ReplicaSpec& spec, std::string by_engine)
    : chip(spec.chip->name), model(spec.model->name), engine(std::move(by_engine)), weights(spec.weights) {}

std::string as_text(const ValidationTable& table) {
  std::string text = fmt::format("\n{}\n  {}\n  {:58} {:>12} {:>12} {:>26}  {}\n", table.title, table.note, "metric",
                                 "measured", "simulated", "error", "fitted on");
  for (const ValidationRow& row : table.rows) {
    text += fmt::format("  {:58} {:>12} {:>12} {:>26}  {}\n", row.metric, row.measured, row.simulated, row.error,
                        row.fitted_on);
  }
  return text;
}

std::string as_markdown(const ValidationTable& table) {
  std::string text =
      fmt::format("\n## {}\n\n{}\n\n| metric | measured | simulated | error | fitted on |\n|---|---|---|---|---|\n",
                  table.title, table.note);
  for (const ValidationRow& row : table.rows) {
    text +=
        fmt::format("| {} | {} | {} | {} | {} |\n", row.metric, row.measured, row.simulated, row.error, row.fitted_on);
  }
  return text;
}

std::string glance_as_text(const std::vector<ValidationTable>& tables) {
  std::string text;
  for (std::size_t part = 0; part < std::size(kParts); ++part) {
    const std::string rows = shown(tables, kParts[part], [](const std::string& title, const ValidationRow& row) {
      return fmt::format("{}{}    {:72} {:>12} {}\n", title.empty() ? "" : "  " + title, title.empty() ? "" : "\n",
                         row.metric, row.simulated, row.error);
    });
    if (!rows.empty()) text += fmt::format("\n{}\n{}", kTitles[part], rows);
  }
  return text;
}

std::string glance_as_markdown(const std::vector<ValidationTable>& tables) {
  std::string text;
  for (std::size_t part = 0; part < std::size(kParts); ++part) {
    const std::string rows = shown(tables, kParts[part], [](const std::string& title, const ValidationRow& row) {
      return fmt::format("| {} | {} | {} | {} | {} |\n", title, row.metric, row.simulated, row.error, row.fitted_on);
    });
    if (rows.empty()) continue;
    text += fmt::format("\n## {}\n\n{}{}| system | metric | simulated | error | fitted on |\n|---|---|---|---|---|\n{}",
                        kTitles[part], kNotes[part], *kNotes[part] != '\0' ? "\n\n" : "", rows);
  }
  return text;
}

std::string track_record_text(const std::vector<ValidationTable>& tables) {
  struct Errors {
    FitError tpot, ttft, rate;
    bool static_shapes = false;
  };
  std::map<std::tuple<std::string, std::string, std::string, std::string>, Errors> models;
  for (const ValidationTable& table : tables) {
    for (const ServedModel& served : table.served) {
      Errors& errors =
          models[{served.chip, served.model, served.engine, std::string(platforms::name_of(served.weights))}];
      errors.static_shapes = served.static_shapes;
      errors.tpot.add(served.tpot);
      errors.ttft.add(served.ttft);
      errors.rate.add(served.rate);
    }
  }
  const auto figures = [](const FitError& error) {
    if (error.rows() == 0) return sim::Json();
    const auto rounded = [](double x) { return std::round(1000 * x) / 1000; };
    return sim::Json{{"points", error.rows()}, {"ratio", rounded(error.bias())}, {"error", rounded(error.median())}};
  };
  std::string rows;
  for (const auto& [key, errors] : models) {
    const auto& [chip, model, engine, weights] = key;
    const sim::Json row = {{"chip", chip},
                           {"model", model},
                           {"engine", engine},
                           {"weights", weights},
                           {"static_shapes", errors.static_shapes},
                           {"tpot", figures(errors.tpot)},
                           {"ttft", figures(errors.ttft)},
                           {"rate", figures(errors.rate)}};
    rows += fmt::format("{}    {}", rows.empty() ? "" : ",\n", sim::to_text(row));
  }
  return fmt::format(
      "{{\n  \"source\": \"./dev validate, which writes this file and docs/fidelity.md\",\n  \"served\": [\n{}\n  "
      "]\n}}\n",
      rows);
}

}  // namespace tokenyard::analysis
