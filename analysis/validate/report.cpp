#include "analysis/validate/report.hpp"

#include <fmt/format.h>

namespace tokenyard::analysis {

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

}  // namespace tokenyard::analysis
