#pragma once
/// The Pareto front: what no other beats in every respect.
///
///   pareto_front({{3, 5}, {4, 4}, {5, 5}});   // 0 and 1: the third is dominated by both

#include <cstddef>
#include <limits>
#include <vector>

namespace tokenyard::analysis {

/// Indices of the points, smaller being better in every coordinate, that no other point dominates: one that is nowhere
/// worse and somewhere better. Equal points are both on the front. A coordinate that is unknown is infinite: a point is
/// on the front by what is known of it, and nothing where that is nothing. O(n²).
inline std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& points) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool dominated = true;
    for (const double x : points[i]) dominated = dominated && x == std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < points.size() && !dominated; ++j) {
      bool nowhere_worse = true, somewhere_better = false;
      for (std::size_t d = 0; d < points[i].size(); ++d) {
        nowhere_worse = nowhere_worse && points[j][d] <= points[i][d];
        somewhere_better = somewhere_better || points[j][d] < points[i][d];
      }
      dominated = nowhere_worse && somewhere_better;
    }
    if (!dominated) front.push_back(i);
  }
  return front;
}

}  // namespace tokenyard::analysis
