#include "analysis/calibrate/measured_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <lzma.h>

#include "sim/core/error.hpp"
#include "sim/input/faults.hpp"
#include "traces/readers/fields.hpp"

namespace tokenyard::analysis {
namespace {

std::string decompress(const std::string& packed, const std::filesystem::path& path) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK)
    throw sim::InternalError("xz: no decoder");
  stream.next_in = reinterpret_cast<const std::uint8_t*>(packed.data());
  stream.avail_in = packed.size();
  std::string text;
  std::string block(std::size_t{1} << 20, '\0');
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK) {
    stream.next_out = reinterpret_cast<std::uint8_t*>(block.data());
    stream.avail_out = block.size();
    status = lzma_code(&stream, LZMA_FINISH);
    text.append(block, 0, block.size() - stream.avail_out);
  }
  lzma_end(&stream);
  if (status != LZMA_STREAM_END)
    throw sim::InputError({path.string(), "", "not a whole xz file", "a file as xz writes it"});
  return text;
}

}  // namespace

std::string read_measured_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw sim::InputError({path.string(), "", "it cannot be read", "a table of measurements"});
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) throw sim::InputError({path.string(), "", "it cannot be read", "a table of measurements"});
  return path.extension() == ".xz" ? decompress(bytes, path) : bytes;
}

MeasuredTable::MeasuredTable(const std::filesystem::path& path) : path_(path), text_(read_measured_file(path)) {
  std::string_view rest = text_;
  std::vector<std::string_view> fields;
  for (std::uint64_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view row = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
    if (row.empty()) continue;
    if (!traces::split_csv(row, fields))
      throw sim::InputError({path_.string(), fmt::format("line {}", line), "an open quote", "a row of CSV"});
    if (header_.empty()) header_ = fields;
    if (fields.size() != header_.size()) {
      throw sim::InputError({path_.string(), fmt::format("line {}", line), fmt::format("{} fields", fields.size()),
                             fmt::format("{}, as in the header", header_.size())});
    }
    fields_.insert(fields_.end(), fields.begin(), fields.end());
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
  const auto [rest, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || rest != field.data() + field.size() || !std::isfinite(value)) {
    throw sim::InputError(
        {path_.string(), fmt::format("row {}, {}", row + 1, name), fmt::format("\"{}\"", field), "a number"});
  }
  return value;
}

double MeasuredTable::number(std::size_t row, std::string_view name) const {
  const std::optional<double> value = optional_number(row, name);
  if (!value) throw sim::InputError({path_.string(), fmt::format("row {}, {}", row + 1, name), "nothing", "a number"});
  return *value;
}

}  // namespace tokenyard::analysis
