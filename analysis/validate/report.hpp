#pragma once
/// What validation found, as rows for the terminal and for docs/fidelity.md.

#include <string>
#include <vector>

namespace tokenyard::analysis {

struct ValidationRow {
  /// What a reader of one screen sees of it.
  enum class Glance {
    kNothing,
    kFigure,  ///< the row
    kFarOff   ///< the row, among those where the simulator is not to be trusted
  };
  std::string metric, measured, simulated, error, fitted_on;
  Glance glance = Glance::kNothing;
};

struct ValidationTable {
  std::string title;  ///< the measured system
  std::string note;   ///< how it was simulated, what was left out
  std::vector<ValidationRow> rows;
};

std::string as_text(const ValidationTable& table);
std::string as_markdown(const ValidationTable& table);

/// The rows to be seen at a glance, of all tables: the figures, then what is far off.
std::string glance_as_text(const std::vector<ValidationTable>& tables);
std::string glance_as_markdown(const std::vector<ValidationTable>& tables);

}  // namespace tokenyard::analysis
