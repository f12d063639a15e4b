#pragma once
/// Who hears of what happens in a replica, of a language model or of a media model: the fleet, which has their calls.

#include <cstdint>

#include "platforms/kv/kv_tiers.hpp"
#include "platforms/serving/active_call.hpp"
#include "platforms/serving/observer.hpp"
#include "platforms/serving/serving_totals.hpp"

namespace tokenyard::platforms {

class ReplicaOwner {
 public:
  virtual ~ReplicaOwner() = default;
  /// For those who ask often: the reference is good for the owner's life.
  virtual ActiveCalls& calls() = 0;
  virtual PoolTally& tally(std::uint32_t pool) = 0;
  /// Moves KV from tiers to the call's replica, which hears of it by `on_loaded`.
  virtual void load(std::uint32_t index, const KvFound& found) = 0;
  /// The call's text has become tokens.
  virtual void on_tokenized(std::uint32_t index) = 0;
  /// All tokens are made; the replica no longer knows the call.
  virtual void on_completed(std::uint32_t index) = 0;
  virtual ServingObserver* observer() = 0;
};

}  // namespace tokenyard::platforms
