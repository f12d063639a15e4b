#pragma once
/// What validation found, as rows for the terminal and for docs/fidelity.md, and as the record that runs quote.

#include <string>
#include <vector>

#include "analysis/measured/fit_error.hpp"
#include "platforms/cost/replica_spec.hpp"

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

/// Points of one model on one chip with one engine, of the catalogue, as they stand.
struct ServedModel {
  std::string chip, model, engine;
  platforms::Precision weights = platforms::Precision::kBf16;
  bool static_shapes = false;  ///< of the engine
  FitError tpot, ttft, rate;   ///< of times per output token and to first token, and of output tokens a second

  ServedModel(const platforms::ReplicaSpec& spec, std::string engine);
};

struct ValidationTable {
  std::string title;  ///< the measured system
  std::string note;   ///< how it was simulated, what was left out
  std::vector<ValidationRow> rows;
  std::vector<ServedModel> served = {};
};

std::string as_text(const ValidationTable& table);
std::string as_markdown(const ValidationTable& table);

/// The rows to be seen at a glance, of all tables: the figures, then what is far off.
std::string glance_as_text(const std::vector<ValidationTable>& tables);
std::string glance_as_markdown(const std::vector<ValidationTable>& tables);

/// JSON, one model a line, which the next build holds (analysis/run/track_record.hpp). Points of the same chip, model,
/// engine and weights are put together.
std::string track_record_text(const std::vector<ValidationTable>& tables);

}  // namespace tokenyard::analysis
