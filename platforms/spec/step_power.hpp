#pragma once
/// What a chip draws in steps.
///
///   watts = active · (kernels run) + waiting · (for the host or other chips)
///           + flop_j · (flop + padding) / s + byte_j · bytes / s + weight_j · unpacked / s,    at most `limit`
/// An operation costs the same in whatever time it is done. Rows that kernels compute for no token, full of old
/// numbers, cost what others do. Weights in a format without arithmetic of its own are unpacked on the way into the
/// products: instructions for each weight, which cost more than reading its few bits. On H100 loops of whole decoders
/// and served models show both: docs/fidelity.md, energy of serving.

#include <cstdint>
#include <limits>

#include "sim/core/rounded.hpp"

namespace tokenyard::platforms {

/// What one chip did in steps.
struct StepWork {
  double busy_s = 0;
  double waiting_s = 0;        ///< of it: for the host or for other chips
  double flop = 0, bytes = 0;  ///< of what tokens need
  double padding_flop = 0;     ///< of rows that hold no token
  double unpacked = 0;         ///< weights brought to another format for the products

  StepWork& operator*=(double count) {
    for (double* each : {&busy_s, &waiting_s, &flop, &bytes, &padding_flop, &unpacked}) *each *= count;
    return *this;
  }
};

struct StepPower {
  double active_w = 0, waiting_w = 0;
  double flop_j = 0, byte_j = 0, weight_j = 0;  ///< of one operation, byte and weight
  double limit_w = std::numeric_limits<double>::infinity();

  /// As if nothing limited it.
  double unlimited_joules(const StepWork& work) const {
    return active_w * (work.busy_s - work.waiting_s) + waiting_w * work.waiting_s +
           flop_j * (work.flop + work.padding_flop) + byte_j * work.bytes + weight_j * work.unpacked;
  }
  bool limited() const { return limit_w < std::numeric_limits<double>::infinity(); }
  /// Picojoules above what the limit allows in that time; negative: below.
  std::int64_t above_limit_pj(const StepWork& work) const {
    return sim::counted(1e12 * (unlimited_joules(work) - limit_w * work.busy_s));
  }
};

}  // namespace tokenyard::platforms
