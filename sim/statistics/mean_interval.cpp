#include "sim/statistics/mean_interval.hpp"

#include <cmath>
#include <vector>

#include "sim/statistics/student_t.hpp"

namespace tokenyard::sim {

MeanInterval mean_interval(std::span<const std::optional<double>> values) {
  MeanInterval interval;
  double squares = 0;
  for (const std::optional<double>& value : values) {
    if (!value) continue;
    ++interval.count;
    const double delta = *value - interval.mean;
    interval.mean += delta / static_cast<double>(interval.count);
    squares += delta * (*value - interval.mean);
  }
  if (interval.count >= 2) {
    const auto n = static_cast<double>(interval.count);
    interval.deviation = std::sqrt(squares / (n - 1));
    interval.half_width = student_t_975(static_cast<int>(interval.count) - 1) * interval.deviation / std::sqrt(n);
  }
  return interval;
}

MeanInterval mean_interval(std::span<const double> values) {
  return mean_interval(std::vector<std::optional<double>>(values.begin(), values.end()));
}

MeanInterval batch_mean_interval(std::span<const double> series, std::size_t batches) {
  const std::size_t size = series.size() < 2 * batches ? 1 : series.size() / batches;
  std::vector<double> means;
  for (std::size_t begin = 0; begin + size <= series.size() && (size == 1 || means.size() < batches); begin += size) {
    double sum = 0;
    for (const double value : series.subspan(begin, size)) sum += value;
    means.push_back(sum / static_cast<double>(size));
  }
  MeanInterval interval = mean_interval(means);
  double sum = 0;
  for (const double value : series) sum += value;
  interval.count = series.size();
  if (!series.empty()) interval.mean = sum / static_cast<double>(series.size());
  return interval;
}

}  // namespace tokenyard::sim
