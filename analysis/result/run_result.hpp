#pragma once
/// A result folder, read again: manifest.json, summary.json and series.csv.
///
/// Folders outlive versions: what they hold is asked for by `value_at` and its like. A folder that is no result (files
/// missing, not JSON, another schema) is the user's fault.

#include <filesystem>
#include <optional>
#include <vector>

#include "analysis/result/pool_series.hpp"
#include "sim/input/json_reader.hpp"

namespace tokenyard::analysis {

struct RunResult {
  std::filesystem::path path;
  sim::JsonFile manifest_file, summary_file;
  std::optional<std::vector<PoolSeries>> series;  ///< absent: the run wrote none

  const sim::Json& manifest() const { return manifest_file.value(); }
  const sim::Json& summary() const { return summary_file.value(); }
  bool has(const char* file) const;

  /// Throws sim::InputError naming every faulty file.
  static RunResult read(const std::filesystem::path& folder);
};

/// summary.json of a result folder. A fault where it is none, or of another schema.
sim::JsonFile load_summary(const std::filesystem::path& folder, sim::Faults& faults);

}  // namespace tokenyard::analysis
