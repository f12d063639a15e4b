#pragma once
/// The engine's own time in a step: beside the kernels, or behind them.
///
/// A step of n sequences costs the host n · sequence_s for scheduling, inputs and answers, and step_s for what waits
/// for the last token or keeps the next from starting (sampling, synchronisation). One with prompt tokens is no
/// captured graph: its kernels are launched one by one, which takes l = layer_s a layer, expert_layer_s one with
/// experts, and it takes prefill_step_s more. With kernels that take k,
///   synchronous:   step = max(k, l) + n · sequence_s + step_s [+ prefill_step_s]
///   asynchronous:  step = max(k, l + n · sequence_s) + step_s [+ prefill_step_s]
/// since with `async_scheduling` the host works on the next step while the kernels of this one run. The kernels of pure
/// decoding grow with the contexts; an asynchronous piece ends where they outgrow the host.
///
/// Of that, step_s counts as time in which the chips wait: the rest is launching and sampling, in part the chips' work.
///
/// Before all that a call's text becomes tokens and hashes of blocks: prompt_token_s for each token of the prompt,
/// cached or not, which delays the call and no step (serving/fleet.hpp). Other calls' texts do not wait for it.
///
/// Figures: fitted per engine to measured serving points (analysis/calibrate/host_fit.hpp). Cost: O(1).

#include "platforms/cost/step_cost.hpp"
#include "platforms/spec/engine.hpp"
#include "platforms/spec/model.hpp"

namespace tokenyard::platforms {

class HostTime {
 public:
  HostTime(const EngineDefaults::Host& host, const ModelArchitecture& model)
      : host_(host),
        launching_s_(host.layer_s * static_cast<double>(model.dense_layers()) +
                     host.expert_layer_s * static_cast<double>(model.moe_layers())) {}

  /// Adds to a piece of kernels, asked for at `context`, what the host takes for `sequences`.
  void add_to(StepPiece& piece, Tokens context, double sequences, bool with_prompts) const;

 private:
  EngineDefaults::Host host_;
  double launching_s_;
};

}  // namespace tokenyard::platforms
