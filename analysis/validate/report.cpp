#include "analysis/validate/report.hpp"

#include <fmt/format.h>
#include <utility>

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

}  // namespace tokenyard::analysis
