#include "sim/statistics/quantile_sketch.hpp"

#include <algorithm>
#include <bit>

namespace tokenyard::sim {
namespace {

unsigned width_of(std::uint64_t value) { return static_cast<unsigned>(std::bit_width(value)); }
unsigned width_of(Int128 value) {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  return high != 0 ? 64 + width_of(high) : width_of(static_cast<std::uint64_t>(value));
}

}  // namespace

/// Where a value is counted. Page 0 holds 0 … 2^kBits - 1 exactly; page p holds [2^(kBits+p-1), 2^(kBits+p)), 2^(p-1)
/// values to a bucket.
template <class Integer>
QuantileSketch::Place QuantileSketch::place_of(Integer ticks) {
  const unsigned width = width_of(ticks);
  const unsigned page = std::min(width <= kBits ? 0U : width - kBits, kPages - 1);
  const unsigned shift = page == 0 ? 0 : page - 1;
  return {page, shift, static_cast<std::size_t>(ticks >> shift) & ((std::size_t{1} << kBits) - 1)};
}

void QuantileSketch::count_at(const Place& place, std::uint64_t times) {
  if (!pages_[place.page]) pages_[place.page] = std::make_unique<Page>();
  (*pages_[place.page])[place.bucket] += times;
}

void QuantileSketch::add(FineTime value, std::uint64_t times) {
  if (times == 0) return;
  const Int128 ticks = std::max<Int128>(0, value.ticks());
  const auto low = static_cast<std::uint64_t>(ticks);
  count_ += times;
  max_ = std::max(max_, ticks);
  if (ticks == Int128{low}) {  // nearly always: five hours
    sum_ += Int128{low} * times;
    count_at(place_of(low), times);
  } else {
    sum_ += ticks * static_cast<Int128>(times);
    count_at(place_of(ticks), times);
  }
}

void QuantileSketch::add_run(FineTime first, FineTime increment, std::uint64_t count, std::uint64_t times) {
  if (count == 1) return add(first, times);
  if (count == 0 || times == 0) return;
  const Int128 step = std::max<Int128>(0, increment.ticks());
  const Int128 value = std::max<Int128>(0, first.ticks());
  const Int128 n = static_cast<Int128>(count);
  const Int128 last = value + step * (n - 1);
  sum_ += static_cast<Int128>(times) * ((value + last) * n / 2);
  max_ = std::max(max_, last);
  count_ += count * times;
  if (last < Int128{1} << 62) {  // nearly always: 73 minutes
    file(static_cast<std::uint64_t>(value), static_cast<std::uint64_t>(step), count, times);
  } else {
    file(value, step, count, times);
  }
}

template <class Integer>
void QuantileSketch::file(Integer value, Integer step, std::uint64_t count, std::uint64_t times) {
  for (std::uint64_t left = count; left > 0;) {
    const Place place = place_of(value);
    // How many of the rest fall into this bucket, too.
    std::uint64_t here = left;
    const Integer end = ((value >> place.shift) + 1) << place.shift;
    if (value + step * static_cast<Integer>(left - 1) >= end)
      here = static_cast<std::uint64_t>((end - value + step - 1) / step);
    count_at(place, here * times);
    left -= here;
    value += step * static_cast<Integer>(here);
  }
}

void QuantileSketch::merge(const QuantileSketch& other) {
  for (std::size_t p = 0; p < pages_.size(); ++p) {
    if (!other.pages_[p]) continue;
    if (!pages_[p]) pages_[p] = std::make_unique<Page>();
    for (std::size_t i = 0; i < other.pages_[p]->size(); ++i) (*pages_[p])[i] += (*other.pages_[p])[i];
  }
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

std::optional<double> QuantileSketch::quantile_s(double q) const {
  if (count_ == 0) return {};
  const double wanted = q * static_cast<double>(count_);
  auto rank = static_cast<std::uint64_t>(wanted);
  if (static_cast<double>(rank) < wanted) ++rank;
  rank = std::clamp<std::uint64_t>(rank, 1, count_);
  if (rank == count_) return max_s();
  std::uint64_t seen = 0;
  for (unsigned page = 0; page < pages_.size(); ++page) {
    if (!pages_[page]) continue;
    const unsigned shift = page == 0 ? 0 : page - 1;
    const std::size_t half = page == 0 ? 0 : std::size_t{1} << kBits;
    for (std::size_t i = 0; i < pages_[page]->size(); ++i) {
      seen += (*pages_[page])[i];
      if (seen >= rank) {
        // The middle of the bucket; the leading bit was cut off its index.
        const Int128 low = static_cast<Int128>(i | half) << shift;
        const Int128 middle = low + ((Int128{1} << shift) >> 1);
        return FineTime(std::min(middle, max_)).seconds();
      }
    }
  }
  return max_s();
}

std::optional<double> QuantileSketch::mean_s() const {
  if (count_ == 0) return {};
  return FineTime(sum_).seconds() / static_cast<double>(count_);
}

std::optional<double> QuantileSketch::max_s() const {
  if (count_ == 0) return {};
  return FineTime(max_).seconds();
}

}  // namespace tokenyard::sim
