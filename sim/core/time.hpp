#pragma once
/// Simulated time.
///
/// `Time` is a signed 64-bit count of nanoseconds: an instant since the start of the simulation, or a duration.
/// 292 years fit. Everything that is published (an event's date, a row of a table) is a `Time`.
///
/// `FineTime` is fixed point with 2^-20 ns: a long chain of steps keeps its fraction there and is rounded up only where
/// a date is published, so that the end of step 10,000 does not depend on whether the steps were walked or leapt over.
///
///   Time t = Time::seconds(1.5) + Time::milliseconds(3);
///   fmt::print("{}", t.seconds());

#include <compare>
#include <cstdint>
#include <limits>

#include "sim/core/rounded.hpp"

namespace tokenyard::sim {

class Time {
 public:
  constexpr Time() = default;
  static constexpr Time nanoseconds(std::int64_t ns) { return Time(ns); }
  static constexpr Time microseconds(std::int64_t us) { return Time(us * 1'000); }
  static constexpr Time milliseconds(std::int64_t ms) { return Time(ms * 1'000'000); }
  /// Nearest nanosecond; saturates at `never()`. Not for NaN.
  static Time seconds(double s) {
    const double ns = s * 1e9;
    if (ns >= 9.2e18) return never();
    if (ns <= -9.2e18) return Time(-never().ns_);
    return Time(rounded(ns));
  }
  /// Later than every event.
  static constexpr Time never() { return Time(std::numeric_limits<std::int64_t>::max()); }

  constexpr std::int64_t ns() const { return ns_; }
  constexpr double seconds() const { return static_cast<double>(ns_) / 1e9; }  ///< the nearest double: 60 s is 60

  constexpr auto operator<=>(const Time&) const = default;
  constexpr Time operator+(Time other) const { return Time(ns_ + other.ns_); }
  constexpr Time operator-(Time other) const { return Time(ns_ - other.ns_); }
  constexpr Time& operator+=(Time other) { return *this = *this + other; }
  constexpr Time& operator-=(Time other) { return *this = *this - other; }

 private:
  explicit constexpr Time(std::int64_t ns) : ns_(ns) {}
  std::int64_t ns_ = 0;
};

__extension__ using Int128 = __int128;

/// An instant or a duration in 2^-20 ns. 128 bits: sums over months of steps do not overflow.
class FineTime {
 public:
  static constexpr int kFractionBits = 20;
  static constexpr std::int64_t kTicksPerNanosecond = std::int64_t{1} << kFractionBits;
  static constexpr double kTicksPerSecond = 1e9 * static_cast<double>(kTicksPerNanosecond);
  /// The nearest tick; saturates at `kMostCounted` ticks, some 1,100 s.
  static std::int64_t ticks_in(double seconds) { return counted(seconds * kTicksPerSecond); }

  constexpr FineTime() = default;
  explicit constexpr FineTime(Int128 ticks) : ticks_(ticks) {}
  explicit constexpr FineTime(Time t) : ticks_(static_cast<Int128>(t.ns()) << kFractionBits) {}

  constexpr Int128 ticks() const { return ticks_; }
  /// The first whole nanosecond not before this instant.
  constexpr Time published() const {
    return Time::nanoseconds(static_cast<std::int64_t>((ticks_ + (kTicksPerNanosecond - 1)) >> kFractionBits));
  }
  constexpr double seconds() const { return static_cast<double>(ticks_) / kTicksPerSecond; }

  constexpr auto operator<=>(const FineTime&) const = default;
  constexpr FineTime operator+(FineTime other) const { return FineTime(ticks_ + other.ticks_); }
  constexpr FineTime operator-(FineTime other) const { return FineTime(ticks_ - other.ticks_); }
  constexpr FineTime& operator+=(FineTime other) { return *this = *this + other; }

 private:
  Int128 ticks_ = 0;
};

}  // namespace tokenyard::sim
