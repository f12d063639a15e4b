#pragma once
/// The phases of a replica's batch, of which an observer hears one by one, each when it is over.

#include "platforms/serving/observer.hpp"

namespace tokenyard::platforms {

class PhaseLog {
 public:
  /// From the begin of `next` on the batch is composed as that says. If it goes on as before, so does the phase.
  void begin(const BatchPhase& next, ServingObserver& observer) {
    if (open_ && phase_.decoding == next.decoding && phase_.prefilling == next.prefilling) return;
    end(next.begin, observer);
    phase_ = next;
    open_ = true;
  }
  /// The replica is idle from now on.
  void end(sim::Time now, ServingObserver& observer) {
    if (!open_) return;
    phase_.end = now;
    observer.on_batch_phase(phase_);
    open_ = false;
  }
  void add_steps(std::int64_t steps) { phase_.steps += steps; }
  void add_prefill(Tokens tokens) { phase_.prefill_tokens += tokens; }

 private:
  BatchPhase phase_;
  bool open_ = false;
};

}  // namespace tokenyard::platforms
