#include "platforms/cost/kernel_profile.hpp"

#include <iterator>
namespace tokenyard::platforms {

double ProfileCurve::at(double x) const {
  if (points_.empty()) return 0;
  auto high = points_.upper_bound(x);
  if (high == points_.begin()) return high->second;
  auto low = std::prev(high);
  if (low->first == x || points_.size() == 1) return low->second;
  if (high == points_.end()) high = low--;
  return low->second + (x - low->first) / (high->first - low->first) * (high->second - low->second);
}

}  // namespace tokenyard::platforms
