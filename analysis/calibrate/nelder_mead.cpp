#include "analysis/calibrate/nelder_mead.hpp"

#include <algorithm>
#include <cmath>

namespace tokenyard::analysis {
namespace {

struct Vertex {
  std::vector<double> x;
  double value;
};

/// from + factor · (to - from)
std::vector<double> along(const std::vector<double>& from, const std::vector<double>& to, double factor) {
  std::vector<double> x(from.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = from[i] + factor * (to[i] - from[i]);
  return x;
}

}  // namespace

std::vector<double> minimize(const std::function<double(std::span<const double>)>& function, std::vector<double> start,
                             std::span<const double> steps, const MinimizeOptions& options) {
  const std::size_t n = start.size();
  const auto vertex = [&](std::vector<double> x) {
    const double value = function(x);
    return Vertex{std::move(x), value};
  };
  for (int restart = 0; restart < options.restarts; ++restart) {
    std::vector<Vertex> simplex{vertex(start)};
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> x = start;
      x[i] += steps[i];
      simplex.push_back(vertex(std::move(x)));
    }
    const int limit = options.evaluations_per_variable * static_cast<int>(n);
    for (int evaluations = static_cast<int>(n) + 1; evaluations < limit; ++evaluations) {
      std::stable_sort(simplex.begin(), simplex.end(),
                       [](const Vertex& a, const Vertex& b) { return a.value < b.value; });
      Vertex& worst = simplex.back();
      const Vertex& best = simplex.front();
      if (std::abs(worst.value - best.value) <= options.tolerance * std::abs(best.value)) break;
      std::vector<double> centre(n, 0);
      for (std::size_t v = 0; v < n; ++v) {
        for (std::size_t i = 0; i < n; ++i) centre[i] += simplex[v].x[i] / static_cast<double>(n);
      }
      Vertex reflected = vertex(along(centre, worst.x, -1));
      if (reflected.value < best.value) {
        Vertex expanded = vertex(along(centre, worst.x, -2));
        ++evaluations;
        std::swap(worst, expanded.value < reflected.value ? expanded : reflected);
      } else if (reflected.value < simplex[n - 1].value) {
        std::swap(worst, reflected);
      } else {
        Vertex contracted = vertex(along(centre, reflected.value < worst.value ? reflected.x : worst.x, 0.5));
        ++evaluations;
        if (contracted.value < std::min(reflected.value, worst.value)) {
          worst = std::move(contracted);
        } else {
          for (std::size_t v = 1; v <= n; ++v) simplex[v] = vertex(along(best.x, simplex[v].x, 0.5));
          evaluations += static_cast<int>(n);
        }
      }
    }
    const auto best = std::min_element(simplex.begin(), simplex.end(),
                                       [](const Vertex& a, const Vertex& b) { return a.value < b.value; });
    start = best->x;
  }
  return start;
}

}  // namespace tokenyard::analysis
