#include "analysis/campaign/tables.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

#include "sim/input/json.hpp"
#include "sim/statistics/mean_interval.hpp"
#include "traces/writers/output_file.hpp"
#include "traces/writers/row_text.hpp"

namespace tokenyard::analysis {

using sim::Json;
using traces::csv_field;

namespace {

std::string number_field(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

/// The factors of each cell as fields, commas between and after.
std::string factor_fields(const Campaign& campaign, std::size_t cell) {
  const Setting setting = campaign.factors(cell);
  std::string fields;
  for (const std::string& pointer : campaign.pointers()) {
    const auto found =
        std::find_if(setting.begin(), setting.end(), [&](const auto& pair) { return pair.first == pointer; });
    if (found != setting.end())
      fields += csv_field(found->second.is_string() ? found->second.get<std::string>() : sim::to_text(found->second));
    fields += ',';
  }
  return fields;
}

std::string factor_header(const Campaign& campaign) {
  std::string header;
  for (const std::string& pointer : campaign.pointers()) header += csv_field(campaign.column(pointer)) + ',';
  return header;
}

/// The outputs of all runs, in the order of the campaign's list, then of the summary. Throws sim::InputError where a
/// run is of no cell.
std::vector<std::string> output_columns(const Campaign& campaign, Results& results) {
  std::vector<std::string> columns;
  std::map<std::string, bool> seen;
  results.each_run([&](const StoredRun& run) {
    if (run.id.cell >= campaign.cells()) {
      throw sim::InputError({results.path().string(), "run " + run.key, fmt::format("cell {}", run.id.cell),
                             fmt::format("a cell of this campaign, up to {}: remove {} and run the campaign again",
                                         campaign.cells() - 1, results.path().filename().string())});
    }
    for (const auto& [name, value] : run.outputs) {
      if (seen.emplace(name, true).second) columns.push_back(name);
    }
  });
  const auto rank = [&](const std::string& name) {
    const auto& wanted = campaign.outputs();
    return std::find_if(wanted.begin(), wanted.end(),
                        [&](const std::string& key) { return name == key || name.starts_with(key + '.'); }) -
           wanted.begin();
  };
  std::stable_sort(columns.begin(), columns.end(),
                   [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  const auto unwanted = static_cast<std::ptrdiff_t>(campaign.outputs().size());
  columns.erase(
      std::remove_if(columns.begin(), columns.end(), [&](const std::string& name) { return rank(name) == unwanted; }),
      columns.end());
  return columns;
}

void write_runs(const Campaign& campaign, Results& results, const std::vector<std::string>& columns,
                const std::filesystem::path& path) {
  traces::OutputFile file(path);
  fmt::format_to(file.out(), "cell,repetition,seed,{}status,message,", factor_header(campaign));
  for (const std::string& column : columns) fmt::format_to(file.out(), "{},", csv_field(column));
  fmt::format_to(file.out(), "key\n");
  results.each_run([&](const StoredRun& run) {
    fmt::format_to(file.out(), "{},{},{},{}{},{},", run.id.cell, run.id.repetition, run.seed,
                   factor_fields(campaign, run.id.cell), run.failure.empty() ? "done" : run.failure,
                   csv_field(run.message));
    for (const std::string& column : columns) {
      const auto found = std::find_if(run.outputs.begin(), run.outputs.end(),
                                      [&](const auto& output) { return output.first == column; });
      fmt::format_to(file.out(), "{},", number_field(found == run.outputs.end() ? std::nullopt : found->second));
    }
    fmt::format_to(file.out(), "{}\n", run.key);
    file.flush_if_full();
  });
  file.commit();
}

/// Whether an output, a key of the summary, is a share by definition: never below 0, never above 1.
bool is_share(std::string_view output) {
  constexpr std::array<std::string_view, 8> kShares = {"busy",          "mfu",  "mbu", "kv_utilization",
                                                       "network_share", "time", "met", "least_attainment"};
  const std::string_view last = output.substr(output.rfind('.') + 1);
  return last.starts_with("attainment") || last.ends_with("hit_rate") || output.find(".bound.") != output.npos ||
         std::find(kShares.begin(), kShares.end(), last) != kShares.end();
}

/// The ends of a mean's interval as fields; Student's t knows nothing of the bounds of a share.
std::string interval_fields(const sim::MeanInterval& interval, std::string_view output) {
  if (!interval.half_width) return ",";
  double low = interval.mean - *interval.half_width, high = interval.mean + *interval.half_width;
  if (is_share(output)) {
    low = std::max(low, 0.0);
    high = std::min(high, 1.0);
  }
  return fmt::format("{},{}", low, high);
}

void write_aggregates(const Campaign& campaign, Results& results, const std::vector<std::string>& columns,
                      const std::filesystem::path& path) {
  traces::OutputFile file(path);
  fmt::format_to(file.out(), "cell,{}output,runs,mean,deviation,low_95,high_95\n", factor_header(campaign));
  std::size_t cell = 0;
  std::map<std::string, std::vector<std::optional<double>>> values;
  const auto write_cell = [&] {
    for (const std::string& column : columns) {
      const sim::MeanInterval interval = sim::mean_interval(values[column]);
      if (interval.count == 0) continue;
      fmt::format_to(file.out(), "{},{}{},{},{},", cell, factor_fields(campaign, cell), csv_field(column),
                     interval.count, interval.mean);
      if (interval.half_width) fmt::format_to(file.out(), "{}", interval.deviation);
      fmt::format_to(file.out(), ",{}\n", interval_fields(interval, column));
    }
    values.clear();
    file.flush_if_full();
  };
  results.each_run([&](const StoredRun& run) {
    if (run.id.cell != cell) write_cell();
    cell = run.id.cell;
    for (const auto& [name, value] : run.outputs) values[name].push_back(value);
  });
  write_cell();
  file.commit();
}

/// Runs of two cells are pairs where their seeds are one: they then saw the same work.
void write_differences(const Campaign& campaign, Results& results, const std::vector<std::string>& columns,
                       const std::filesystem::path& path) {
  traces::OutputFile file(path);
  fmt::format_to(file.out(), "cell,{}output,pairs,base,mean,difference,low_95,high_95\n", factor_header(campaign));
  std::map<std::uint64_t, std::map<std::string, double>> base;  // of cell 0, by seed
  struct Pairs {
    double base = 0, other = 0;  ///< sums
    std::vector<double> differences;
  };
  std::map<std::string, Pairs> pairs;
  std::size_t cell = 0;
  const auto write_cell = [&] {
    for (const std::string& column : columns) {
      const auto found = pairs.find(column);
      if (found == pairs.end()) continue;
      const Pairs& of = found->second;
      const sim::MeanInterval interval = sim::mean_interval(of.differences);
      const auto count = static_cast<double>(interval.count);
      fmt::format_to(file.out(), "{},{}{},{},{},{},{},", cell, factor_fields(campaign, cell), csv_field(column),
                     interval.count, of.base / count, of.other / count, interval.mean);
      if (interval.half_width) {
        fmt::format_to(file.out(), "{},{}\n", interval.mean - *interval.half_width,
                       interval.mean + *interval.half_width);
      } else {
        fmt::format_to(file.out(), ",\n");
      }
    }
    pairs.clear();
    file.flush_if_full();
  };
  results.each_run([&](const StoredRun& run) {
    if (run.id.cell != cell) write_cell();
    cell = run.id.cell;
    const auto twin = cell == 0 ? base.try_emplace(run.seed).first : base.find(run.seed);
    if (twin == base.end()) return;
    for (const auto& [name, value] : run.outputs) {
      if (!value) continue;
      if (cell == 0) {
        twin->second[name] = *value;
      } else if (const auto of_base = twin->second.find(name); of_base != twin->second.end()) {
        Pairs& of = pairs[name];
        of.base += of_base->second;
        of.other += *value;
        of.differences.push_back(*value - of_base->second);
      }
    }
  });
  write_cell();
  file.commit();
}

}  // namespace

void export_tables(const Campaign& campaign, Results& results, const std::filesystem::path& folder) {
  const std::vector<std::string> columns = output_columns(campaign, results);
  write_runs(campaign, results, columns, folder / "runs.csv");
  write_aggregates(campaign, results, columns, folder / "aggregates.csv");
  write_differences(campaign, results, columns, folder / "differences.csv");
}

}  // namespace tokenyard::analysis
