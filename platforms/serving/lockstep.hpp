#pragma once
/// The data-parallel ranks of a replica of a model with experts: each serves calls of its own over a KV cache of its
/// own, as an engine of its own would; but a layer's experts are computed for the tokens of all, so that all step
/// together. (Ranks of a model without experts share nothing.)
///
/// A step takes what it takes the slowest rank; the others wait for it. A rank without calls steps along, and if one
/// computes prompts, no rank runs a captured graph (vLLM's v1/worker/dp_utils.py, SGLang's prepare_mlp_sync_batch). All
/// leap as far as the one that leaps least, and not beyond the step at which another becomes the slowest.
///
/// Cost: O(ranks) per leap.

#include <vector>

#include "platforms/serving/replica.hpp"

namespace tokenyard::platforms {

class Lockstep {
 public:
  /// The ranks must outlive it, and it every event of theirs.
  explicit Lockstep(std::vector<Replica*> ranks);

  void begin_step(sim::FineTime start);
  void cut_leap();
  void end_leap();

 private:
  /// What all compute in the step that begins, to be lessened by a rank's own tokens.
  OtherRanks all_ranks() const;

  std::vector<Replica*> ranks_;
  // Of the step that begins.
  std::vector<Leap::Batch> batches_;
  std::vector<Leap::Pace> paces_;
};

}  // namespace tokenyard::platforms
