#pragma once
/// Kernel times measured on a chip for one model: what replaces the kernel models where a user has profiled.
///
/// Kernels of one layer by the tokens of a step, attention by (prompt tokens in the step, their cached tokens, decoding
/// calls, their mean context), experts by (tokens, experts hit), and what runs once a step. Linear between grid points,
/// each axis on the grid of the axes before it (a profile need not be a full product); linear beyond the last point,
/// constant before the first.
///
/// A chip's catalogue entry may carry profiles; there each table is a list of rows, coordinates first, seconds last.
///
///   KernelProfile profile = read_kernel_profile(...);          // analysis/calibrate
///   profile.layer.at(2048);                                    // seconds of one layer's token kernels

#include <iterator>
#include <map>

#include "sim/input/json_reader.hpp"

namespace tokenyard::platforms {

/// The values on either side of x, and how far x is on its way to the upper one; the same value twice on a point and
/// before the first. Beyond the last point those of the last two, and a share above 1.
template <typename Value>
struct ProfileSides {
  const Value *low, *high;
  double share;
};
/// `points`: at least one.
template <typename Value>
ProfileSides<Value> profile_sides(const std::map<double, Value>& points, double x) {
  auto high = points.upper_bound(x);
  if (high == points.begin()) return {&high->second, &high->second, 0};
  auto low = std::prev(high);
  if (low->first == x || points.size() == 1) return {&low->second, &low->second, 0};
  if (high == points.end()) high = low--;
  return {&low->second, &high->second, (x - low->first) / (high->first - low->first)};
}

/// Seconds over one axis.
class ProfileCurve {
 public:
  static constexpr std::size_t kColumns = 2;
  void add(double x, double seconds) { points_[x] += seconds; }
  bool empty() const { return points_.empty(); }
  double at(double x) const;
  /// The same seconds at `factor` times the x.
  void stretch(double factor);
  const std::map<double, double>& points() const { return points_; }
  /// Of the rows [x, seconds] under `key`; at least one.
  static ProfileCurve read(sim::ObjectReader& reader, const char* key);

 private:
  std::map<double, double> points_;
};

/// Seconds over several axes, the last of which is a curve.
template <typename Inner>
class ProfileGrid {
 public:
  static constexpr std::size_t kColumns = Inner::kColumns + 1;
  Inner& operator[](double x) { return inner_[x]; }
  bool empty() const { return inner_.empty(); }
  const std::map<double, Inner>& inner() const { return inner_; }
  template <typename... Rest>
  double at(double x, Rest... rest) const;
  ProfileSides<Inner> sides(double x) const { return profile_sides(inner_, x); }

 private:
  std::map<double, Inner> inner_;
};

struct KernelProfile {
  ProfileCurve layer;                ///< by tokens: all token kernels of one layer but attention and experts
  ProfileCurve token_once;           ///< by tokens: embedding, last norm
  ProfileCurve sequence_once;        ///< by sequences: output matrix, sampler
  ProfileGrid<ProfileCurve> decode;  ///< calls, mean context; of one layer
  ProfileGrid<ProfileGrid<ProfileGrid<ProfileCurve>>>
      mixed;                          ///< prompt tokens, cached, calls, mean context; of one layer
  ProfileGrid<ProfileCurve> experts;  ///< tokens, experts hit; of one layer; may be empty

  /// Faults go to the reader's list. A profile has every table but `experts`.
  static KernelProfile read(sim::ObjectReader& reader);
  /// Adds the tables to an entry's object.
  void write(sim::Json& entry) const;
};

template <typename Inner>
template <typename... Rest>
double ProfileGrid<Inner>::at(double x, Rest... rest) const {
  const ProfileSides<Inner> s = sides(x);
  const double low = s.low->at(rest...);
  return s.low == s.high ? low : low + s.share * (s.high->at(rest...) - low);
}

}  // namespace tokenyard::platforms
