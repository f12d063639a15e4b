#pragma once
/// The share of their output to come for which a replica's admissions leave room, at present (spec/output_reserve.hpp).

#include <cstdint>

#include "platforms/spec/output_reserve.hpp"

namespace tokenyard::platforms {

class OutputRoom {
 public:
  explicit OutputRoom(const OutputReserve& reserve) : reserve_(reserve), share_(reserve.start) {}

  /// Nothing runs.
  void begin_anew() { set(reserve_.start); }
  void add_steps(std::int64_t decode_steps) { steps_ += decode_steps; }
  /// `calls` go on, and have made so much of their output.
  void on_preemption(Tokens made, Tokens output, std::int64_t calls) {
    set(OutputReserve::after_preemption(made, output, calls));
  }
  double share() const { return reserve_.after(share_, steps_); }

 private:
  void set(double share) {
    share_ = share;
    steps_ = 0;
  }

  const OutputReserve& reserve_;
  double share_;            ///< before the last decode steps
  std::int64_t steps_ = 0;  ///< those
};

}  // namespace tokenyard::platforms
