#include "platforms/spec/kernel_residual.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>

#include "platforms/spec/fact.hpp"
#include "platforms/spec/log2_between_powers.hpp"

namespace tokenyard::platforms {
namespace {

constexpr double kMost = 1000;  ///< times what the form says: no kernel was ever that far off

struct Place {
  std::size_t low = 0;
  double share = 0;  ///< of the next point
};

Place place_on(const std::vector<double>& axis, double x) {
  if (x <= axis.front()) return {};
  if (x >= axis.back()) return {axis.size() - 1, 0};
  const auto high = static_cast<std::size_t>(std::upper_bound(axis.begin(), axis.end(), x) - axis.begin());
  return {high - 1, log2_share(x, axis[high - 1], axis[high])};
}

std::vector<double> numbers(sim::ObjectReader& reader, const char* key, bool ascending) {
  const sim::Json* list = reader.raw(key);
  std::vector<double> result;
  bool good = list != nullptr && list->is_array() && !list->empty();
  for (std::size_t i = 0; good && i < list->size(); ++i) {
    good = (*list)[i].is_number() && (*list)[i].get<double>() > 0 && (ascending || (*list)[i].get<double>() <= kMost);
    if (good) result.push_back((*list)[i].get<double>());
    if (good && ascending && i > 0) good = result[i] > result[i - 1];
  }
  if (good) return result;
  reader.fault(key, list == nullptr ? "nothing" : sim::shown(*list),
               ascending ? "a list of positive numbers, ascending"
                         : fmt::format("a list of numbers above 0 and up to {:.0f}", kMost));
  return {};
}

}  // namespace

double KernelResidual::at(const Point& point) const {
  if (empty()) return 1;
  // Only along axes where the point lies between two of theirs is there anything to weigh.
  struct Between {
    double share;
    std::size_t stride;
  };
  std::array<Between, 3> between{};
  std::size_t count = 0, low = 0;
  for (std::size_t a = 3, stride = 1; a-- > 0; stride *= axes_[a].size()) {
    const Place place = place_on(axes_[a], point[a]);
    low += place.low * stride;
    if (place.share > 0) between[count++] = {place.share, stride};
  }
  double factor = 0;
  for (std::size_t corner = 0; corner < std::size_t{1} << count; ++corner) {
    double weight = 1;
    std::size_t index = low;
    for (std::size_t i = 0; i < count; ++i) {
      const bool high = (corner >> i & 1) != 0;
      weight *= high ? between[i].share : 1 - between[i].share;
      index += high ? between[i].stride : 0;
    }
    factor += weight * factors_[index];
  }
  return factor;
}

std::size_t KernelResidual::nearest(const Point& point) const {
  std::size_t index = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    const Place place = place_on(axes_[a], point[a]);
    index = index * axes_[a].size() + place.low + (place.share > 0.5 ? 1 : 0);
  }
  return index;
}

KernelResidual KernelResidual::read(sim::ObjectReader& reader, const ResidualAxes& names) {
  KernelResidual result;
  for (std::size_t a = 0; a < 3; ++a) result.axes_[a] = numbers(reader, names[a], true);
  result.factors_ = numbers(reader, "value", false);
  read_provenance(reader, false);
  if (result.factors_.size() != result.size()) {
    reader.fault("value", std::to_string(result.factors_.size()) + " factors",
                 std::to_string(result.size()) + ": one for each combination of " + names[0] + ", " + names[1] +
                     " and " + names[2]);
    return {};
  }
  return result;
}

void KernelResidual::write(sim::Json& entry, const ResidualAxes& names) const {
  for (std::size_t a = 0; a < 3; ++a) entry[names[a]] = axes_[a];
  entry["value"] = factors_;
}

}  // namespace tokenyard::platforms
