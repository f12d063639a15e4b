#pragma once
/// The data-parallel ranks of a replica, where the model has experts. Each rank has calls and a KV cache of its own,
/// like an engine, but a layer's experts serve the tokens of all: so all ranks step together. (Ranks of a model without
/// experts share nothing.)
///
/// A step is as long as that of the slowest rank, for which the others wait. A rank without calls steps along. If one
/// computes prompts, no rank runs a captured graph (vLLM's v1/worker/dp_utils.py, SGLang's prepare_mlp_sync_batch). All
/// leap as far as the one that leaps least, and no further than until another becomes the slowest.
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
