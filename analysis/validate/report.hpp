#pragma once
/// What validation found, as rows for the terminal and for docs/fidelity.md.

#include <string>
#include <vector>

namespace tokenyard::analysis {

struct ValidationRow {
  std::string metric, measured, simulated, error, fitted_on;
};

struct ValidationTable {
  std::string title;  ///< the measured system
  std::string note;   ///< how it was simulated, what was left out
  std::vector<ValidationRow> rows;
};

std::string as_text(const ValidationTable& table);
std::string as_markdown(const ValidationTable& table);

}  // namespace tokenyard::analysis
