#pragma once
/// A result folder as the report reads it: manifest.json, summary.json and series.csv.
///
/// Folders outlive versions: a key that is missing or of another type reads as "not there" and is shown as such, never
/// as an error. A folder that is no result (files missing, not JSON, another schema) is the user's fault.

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/report/pool_series.hpp"
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

using JsonPath = std::initializer_list<std::string_view>;

/// The value under keys within keys; null where there is none.
const sim::Json& value_at(const sim::Json& json, JsonPath keys);
/// The value of a dotted key, null where there is none; names that hold dots themselves (a pool "llama-3.1") are found,
/// too.
const sim::Json* find_key(const sim::Json& json, std::string_view key);
std::optional<double> number_at(const sim::Json& json, JsonPath keys);
/// Empty if there is no text there.
std::string text_at(const sim::Json& json, JsonPath keys);

}  // namespace tokenyard::analysis
