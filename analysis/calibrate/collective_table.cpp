#include "analysis/calibrate/collective_table.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "analysis/measured/measured_table.hpp"
#include "analysis/measured/sample_statistics.hpp"

namespace tokenyard::analysis {
namespace {

constexpr double kBytesOfElement = 2, kLeastBytes = 4096, kMostBytes = 256.0 * 1024 * 1024;
constexpr std::int64_t kMostElements = std::int64_t{1} << 50;

}  // namespace

CollectiveTable read_all_reduce(const std::filesystem::path& path) {
  const MeasuredTable table(path);
  const auto other = [&](std::size_t row, const char* column, std::string_view wanted) {
    return table.has(column) && table.text(row, column) != wanted;
  };
  std::map<std::int64_t, std::map<double, std::vector<double>>> measured;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (other(row, "op_name", "all_reduce") || other(row, "nccl_dtype", "half") || other(row, "backend", "vllm_graph"))
      continue;
    const double bytes = kBytesOfElement * static_cast<double>(table.whole(row, "message_size", 0, kMostElements));
    if (bytes < kLeastBytes || bytes > kMostBytes) continue;
    measured[table.whole(row, "num_gpus", 2)][bytes].push_back(1e-3 * table.positive(row, "latency"));
  }
  CollectiveTable result;
  for (const auto& [chips, sizes] : measured) {
    for (const auto& [bytes, seconds] : sizes) result[chips].add(bytes, median_of(seconds));
  }
  return result;
}

CollectiveTable lower_of(const CollectiveTable& a, const CollectiveTable& b) {
  CollectiveTable result;
  for (const auto& [chips, curve] : a) {
    const auto other = b.find(chips);
    if (other == b.end()) {
      result[chips] = curve;
      continue;
    }
    std::set<double> sizes;
    for (const platforms::ProfileCurve* each : {&curve, &other->second}) {
      for (const auto& [bytes, seconds] : each->points()) sizes.insert(bytes);
    }
    for (const double bytes : sizes) result[chips].add(bytes, std::min(curve.at(bytes), other->second.at(bytes)));
  }
  for (const auto& [chips, curve] : b) result.try_emplace(chips, curve);
  return result;
}

FitError error_between_sizes(const CollectiveTable& table) {
  FitError error;
  for (const auto& [chips, curve] : table) {
    if (curve.points().size() < 3) continue;  // none has two neighbours
    for (const auto& [bytes, seconds] : curve.points()) {
      platforms::ProfileCurve others;
      for (const auto& [x, y] : curve.points()) {
        if (x != bytes) others.add(x, y);
      }
      if (bytes > others.points().begin()->first && bytes < others.points().rbegin()->first)
        error.add(others.at(bytes), seconds);
    }
  }
  return error;
}

}  // namespace tokenyard::analysis
