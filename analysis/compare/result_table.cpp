#include "analysis/compare/result_table.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <numeric>
#include <unordered_map>

#include "sim/input/csv.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/numbers.hpp"
#include "sim/input/text.hpp"
#include "traces/readers/line_file.hpp"
#include "traces/writers/table_columns.hpp"

namespace tokenyard::analysis {
namespace {

bool is_figure(std::string_view column) {
  for (const std::span<const traces::Column> columns :
       {std::span<const traces::Column>(traces::kCallColumns), std::span<const traces::Column>(traces::kTaskColumns)}) {
    for (const traces::Column& known : columns) {
      if (column == known.name) return known.says == traces::Says::kHow;
    }
  }
  return true;
}

void sort(ResultTable& table) {
  std::vector<std::size_t> order(table.ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return table.ids[a] < table.ids[b]; });
  const auto sorted = [&](const auto& column) {
    auto copy = column;
    for (std::size_t i = 0; i < order.size(); ++i) copy[i] = column[order[i]];
    return copy;
  };
  table.ids = sorted(table.ids);
  table.tasks = sorted(table.tasks);
  table.arrival_s = sorted(table.arrival_s);
  for (auto& column : table.values) column = sorted(column);
}

class TableReader {
 public:
  TableReader(const std::filesystem::path& path, std::string id) : file_(path.string()), id_(std::move(id)) {}

  ResultTable read() {
    std::string_view line;
    if (file_.next(line)) read_header(line);
    if (id_column_ == kAbsent || arrival_column_ == kAbsent || task_column_ == kAbsent)
      fail("no such columns", fmt::format("a header with {} and arrival_s, as tokenyard run writes it", id_));
    while (file_.next(line)) read_row(line);
    sort(table_);
    return std::move(table_);
  }

 private:
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

  [[noreturn]] void fail(std::string found, std::string allowed) const {
    throw sim::InputError({file_.path(), fmt::format("line {}", file_.number()), std::move(found), std::move(allowed)});
  }
  void read_header(std::string_view line) {
    std::vector<std::string_view> fields;
    sim::split_csv(line, fields);
    columns_ = fields.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i] == id_) id_column_ = i;
      if (fields[i] == "task_id") task_column_ = i;
      if (fields[i] == "arrival_s") arrival_column_ = i;
      if (!is_figure(fields[i])) continue;
      figure_columns_.push_back(i);
      table_.figures.emplace_back(fields[i]);
    }
    table_.values.resize(table_.figures.size());
  }
  double number(std::string_view text) const {
    if (text.empty()) return ResultTable::kNothing;
    double value = 0;
    if (!sim::read_number(text, value)) fail(sim::shown_text(text), "a number, or nothing");
    return value;
  }
  std::uint64_t whole(std::string_view text, std::string_view what) const {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      fail(sim::shown_text(text), fmt::format("a whole number, the {}", what));
    return value;
  }
  void read_row(std::string_view line) {
    if (!sim::split_csv(line, fields_) || fields_.size() != columns_)
      fail(fmt::format("{} fields", fields_.size()), fmt::format("{} fields, as in the header", columns_));
    table_.ids.push_back(whole(fields_[id_column_], id_));
    table_.tasks.push_back(whole(fields_[task_column_], "task_id"));
    table_.arrival_s.push_back(number(fields_[arrival_column_]));
    for (std::size_t i = 0; i < figure_columns_.size(); ++i)
      table_.values[i].push_back(number(fields_[figure_columns_[i]]));
  }

  traces::LineFile file_;
  std::string id_;
  std::size_t columns_ = 0, id_column_ = kAbsent, task_column_ = kAbsent, arrival_column_ = kAbsent;
  std::vector<std::size_t> figure_columns_;
  std::vector<std::string_view> fields_;
  ResultTable table_;
};

/// Runs write tables unless --write leaves them out.
std::filesystem::path table_of(const std::filesystem::path& folder, const char* name) {
  std::filesystem::path path = folder / name;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw sim::InputError({path.string(), "", "no such file",
                           std::filesystem::is_directory(folder, ignored)
                               ? "the result folder of a run that wrote it: run it again with --write calls,tasks"
                               : "the result folder of a run"});
  }
  return path;
}

}  // namespace

ResultTable read_tasks(const std::filesystem::path& folder) {
  return TableReader(table_of(folder, "tasks.csv"), "task_id").read();
}

ResultTable read_calls(const std::filesystem::path& folder) {
  ResultTable calls = TableReader(table_of(folder, "calls.csv"), "call_id").read();
  std::unordered_map<std::uint64_t, std::uint64_t> made;
  for (std::size_t i = 0; i < calls.ids.size(); ++i) calls.ids[i] = calls.tasks[i] << 24 | made[calls.tasks[i]]++;
  sort(calls);
  return calls;
}

}  // namespace tokenyard::analysis
