#pragma once
/// Time of a kernel, or of many after one another, by what bounds it, with the work they do.
///
///   KernelTime layer = projection.at(tokens);
///   layer += attention;
///   layer *= 32;                       // layers

#include <cmath>

#include "platforms/cost/step_cost.hpp"
#include "sim/core/rounded.hpp"

namespace tokenyard::platforms {

struct KernelTime {
  sim::EnumArray<Bound, double> seconds{};
  double bytes = 0;         ///< of memory traffic, per chip
  double padding_flop = 0;  ///< of rows that hold no token, per chip
  double unpacked = 0;      ///< weights brought to another format, per chip

  double& operator[](Bound bound) { return seconds[bound]; }
  double total() const {
    double sum = 0;
    for (const double s : seconds) sum += s;
    return sum;
  }
  KernelTime& operator+=(const KernelTime& other) {
    for (std::size_t i = 0; i < kBounds; ++i) seconds[i] += other.seconds[i];
    bytes += other.bytes;
    padding_flop += other.padding_flop;
    unpacked += other.unpacked;
    return *this;
  }
  KernelTime& operator*=(double count) {
    for (double& s : seconds) s *= count;
    bytes *= count;
    padding_flop *= count;
    unpacked *= count;
    return *this;
  }
};

/// Adds the kernels to what a step costs at any context.
inline void book(StepPiece& piece, const KernelTime& time) {
  for (std::size_t i = 0; i < kBounds; ++i) piece.base_ticks[i] += sim::FineTime::ticks_in(time.seconds[i]);
  piece.base_bytes += sim::counted(time.bytes);
  piece.padding_flop += sim::counted(time.padding_flop);
  piece.unpacked += sim::counted(time.unpacked);
}

/// The longer of two times, rounded off where they are alike (by 19 % where equal): arithmetic and memory traffic
/// overlap, but not wholly. Square roots only, so the same on every machine.
inline double knee(double a, double b) {
  const double longer = std::fmax(a, b);
  if (longer <= 0) return 0;
  const double ratio = std::fmin(a, b) / longer;
  const double square = ratio * ratio;
  return longer * std::sqrt(std::sqrt(1 + square * square));
}

}  // namespace tokenyard::platforms
