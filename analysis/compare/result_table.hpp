#pragma once
/// calls.csv or tasks.csv of a result folder, read again to be compared.
///
/// Throws sim::InputError, with file and line, if the file is missing or malformed. Columns that no table of ours has
/// are figures: a folder may be of another version.
///
///   const ResultTable tasks = read_tasks("results/base");
///   tasks.values[0][7];   // the first figure of the eighth task

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace tokenyard::analysis {

/// By columns, its rows in the order of their ids.
struct ResultTable {
  static constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

  std::vector<std::string> figures;
  std::vector<std::uint64_t> ids, tasks;
  std::vector<double> arrival_s;
  std::vector<std::vector<double>> values;  ///< by figure, then row; kNothing where the field is empty
};

ResultTable read_tasks(const std::filesystem::path& folder);
/// Calls are numbered as they come, in all of a run: which task's is next depends on the cluster. Here they are as their
/// tasks make them: the third of task 7 in both runs.
ResultTable read_calls(const std::filesystem::path& folder);

}  // namespace tokenyard::analysis
