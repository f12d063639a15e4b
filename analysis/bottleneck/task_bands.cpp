#include "analysis/bottleneck/task_bands.hpp"

#include <algorithm>
#include <bit>

namespace tokenyard::analysis {
namespace {

constexpr unsigned kBits = 6;  // log2 of the buckets per power of two

std::uint32_t bucket_of(sim::Time duration) {
  const auto ns = static_cast<std::uint64_t>(duration.ns());
  const auto width = static_cast<unsigned>(std::bit_width(ns));
  if (width <= kBits) return static_cast<std::uint32_t>(ns);
  const unsigned shift = width - kBits - 1;
  return (shift << kBits) + static_cast<std::uint32_t>(ns >> shift);
}

}  // namespace

double TaskBand::task_s() const {
  double sum = 0;
  for (const double s : causes_s) sum += s;
  return sum;
}

void TaskBands::add(const platforms::CauseTimes& causes) {
  Bucket& bucket = buckets_[bucket_of(causes.sum())];
  ++bucket.count;
  bucket.causes += causes;
  ++count_;
}

void TaskBands::merge(const TaskBands& other) {
  for (const auto& [at, bucket] : other.buckets_) {
    buckets_[at].count += bucket.count;
    buckets_[at].causes += bucket.causes;
  }
  count_ += other.count_;
}

TaskBand TaskBands::band(double from, double to) const {
  TaskBand band;
  const double first = from * static_cast<double>(count_), last = to * static_cast<double>(count_);
  double below = 0;
  for (const auto& [at, bucket] : buckets_) {
    const auto count = static_cast<double>(bucket.count);
    const double taken = std::min(last, below + count) - std::max(first, below);
    below += count;
    if (taken <= 0) continue;
    band.tasks += taken;
    for (std::size_t c = 0; c < platforms::kCauses; ++c)
      band.causes_s[c] += bucket.causes.by_cause[c].seconds() * (taken / count);
  }
  for (double& s : band.causes_s) s = band.tasks > 0 ? s / band.tasks : 0;
  return band;
}

}  // namespace tokenyard::analysis
