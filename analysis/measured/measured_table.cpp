#include "analysis/measured/measured_table.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "sim/input/csv.hpp"
#include "sim/input/faults.hpp"
#include "sim/input/numbers.hpp"
#include "traces/readers/unpacked_file.hpp"

namespace tokenyard::analysis {
namespace {

constexpr double kMost = 1e9;  // of whatever unit a table has

}  // namespace

MeasuredTable::MeasuredTable(const std::filesystem::path& path) : path_(path), text_(traces::read_unpacked(path)) {
  std::string_view rest = text_;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // a spreadsheet's byte order mark
  std::vector<std::string_view> fields;
  for (std::uint64_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view row = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
    if (row.empty()) continue;
    if (!sim::split_csv(row, fields))
      throw sim::InputError({path_.string(), fmt::format("line {}", line), "an open quote", "a row of CSV"});
    if (header_.empty()) header_ = fields;
    if (fields.size() != header_.size()) {
      throw sim::InputError({path_.string(), fmt::format("line {}", line), fmt::format("{} fields", fields.size()),
                             fmt::format("{}, as in the header", header_.size())});
    }
    fields_.insert(fields_.end(), fields.begin(), fields.end());
    lines_.push_back(line);
  }
  if (header_.empty()) throw sim::InputError({path_.string(), "", "an empty file", "a table with a header line"});
}

bool MeasuredTable::has(std::string_view name) const {
  return std::find(header_.begin(), header_.end(), name) != header_.end();
}

std::size_t MeasuredTable::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end())
    throw sim::InputError({path_.string(), "line 1", "no such column", fmt::format("a column \"{}\"", name)});
  return static_cast<std::size_t>(found - header_.begin());
}

std::string_view MeasuredTable::text(std::size_t row, std::string_view name) const {
  return fields_[(row + 1) * header_.size() + column(name)];
}

std::optional<double> MeasuredTable::optional_number(std::size_t row, std::string_view name) const {
  const std::string_view field = text(row, name);
  if (field.empty()) return {};
  double value = 0;
  if (!sim::read_number(field, value)) refuse(row, name, "a number");
  return value;
}

double MeasuredTable::number(std::size_t row, std::string_view name) const {
  const std::optional<double> value = optional_number(row, name);
  if (!value) refuse(row, name, "a number");
  return *value;
}

double MeasuredTable::positive(std::size_t row, std::string_view name) const {
  const double value = number(row, name);
  if (!(value > 0 && value <= kMost)) refuse(row, name, fmt::format("a number above 0, at most {}", kMost));
  return value;
}

std::int64_t MeasuredTable::whole(std::size_t row, std::string_view name, std::int64_t least, std::int64_t most) const {
  const double value = number(row, name);
  const bool possible = value >= static_cast<double>(least) && value <= static_cast<double>(most);
  if (!possible || value != std::floor(value))
    refuse(row, name, fmt::format("a whole number from {} to {}", least, most));
  return static_cast<std::int64_t>(value);
}

void MeasuredTable::refuse(std::size_t row, std::string_view name, std::string allowed) const {
  const std::string_view field = text(row, name);
  throw sim::InputError({path_.string(), fmt::format("line {}, {}", lines_[row + 1], name),
                         field.empty() ? "nothing" : fmt::format("\"{}\"", field), std::move(allowed)});
}

}  // namespace tokenyard::analysis
