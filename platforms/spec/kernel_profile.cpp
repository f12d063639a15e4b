#include "platforms/spec/kernel_profile.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace tokenyard::platforms {
namespace {

using sim::Json;
using sim::ObjectReader;

void add_row(ProfileCurve& curve, std::span<const double> row) { curve.add(row[0], row[1]); }
template <typename Inner>
void add_row(ProfileGrid<Inner>& grid, std::span<const double> row) {
  add_row(grid[row[0]], row.subspan(1));
}

template <typename Table>
void read_table(ObjectReader& reader, const char* key, Table& table, bool required) {
  const Json* rows = reader.raw(key);
  const std::string allowed = "a list of rows of " + std::to_string(Table::kColumns) +
                              " numbers of at least 0, the last one seconds, up to 100";
  if (rows == nullptr || !rows->is_array() || (required && rows->empty())) {
    if (required || rows != nullptr) reader.fault(key, rows == nullptr ? "nothing" : sim::shown(*rows), allowed);
    return;
  }
  std::vector<double> numbers(Table::kColumns);
  for (const Json& row : *rows) {
    const bool good =
        row.is_array() && row.size() == Table::kColumns &&
        std::all_of(row.begin(), row.end(), [](const Json& x) { return x.is_number() && x.get<double>() >= 0; }) &&
        row.back().get<double>() <= 100;
    if (!good) return reader.fault(key, sim::shown(row), allowed);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = row[i].get<double>();
    add_row(table, numbers);
  }
}

void write_rows(const ProfileCurve& curve, std::vector<double>& row, Json& rows) {
  for (const auto& [x, seconds] : curve.points()) {
    row.insert(row.end(), {x, seconds});
    rows.push_back(row);
    row.resize(row.size() - 2);
  }
}
template <typename Inner>
void write_rows(const ProfileGrid<Inner>& grid, std::vector<double>& row, Json& rows) {
  for (const auto& [x, inner] : grid.inner()) {
    row.push_back(x);
    write_rows(inner, row, rows);
    row.pop_back();
  }
}

}  // namespace

ProfileCurve ProfileCurve::read(ObjectReader& reader, const char* key) {
  ProfileCurve curve;
  read_table(reader, key, curve, true);
  return curve;
}

KernelProfile KernelProfile::read(ObjectReader& reader) {
  KernelProfile profile;
  read_table(reader, "layer", profile.layer, true);
  read_table(reader, "token_once", profile.token_once, true);
  read_table(reader, "sequence_once", profile.sequence_once, true);
  read_table(reader, "decode", profile.decode, true);
  read_table(reader, "mixed", profile.mixed, true);
  read_table(reader, "experts", profile.experts, false);
  return profile;
}

void KernelProfile::write(Json& entry) const {
  const auto put = [&](const char* key, const auto& table) {
    std::vector<double> row;
    Json rows = Json::array();
    write_rows(table, row, rows);
    if (!rows.empty()) entry[key] = std::move(rows);
  };
  put("layer", layer);
  put("token_once", token_once);
  put("sequence_once", sequence_once);
  put("decode", decode);
  put("mixed", mixed);
  put("experts", experts);
}

double ProfileCurve::at(double x) const {
  if (points_.empty()) return 0;
  const auto [low, high, share] = profile_sides(points_, x);
  return *low + share * (*high - *low);
}

void ProfileCurve::stretch(double factor) {
  std::map<double, double> stretched;
  for (const auto& [x, seconds] : points_) stretched[x * factor] = seconds;
  points_ = std::move(stretched);
}

}  // namespace tokenyard::platforms
